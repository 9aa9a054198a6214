import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { openDataFolder } from '@dynaprompt/backbone';
import { DataError, ModelError } from '@dynaprompt/core';
import { cleanHubEnvironment } from '../testing/hub-environment.js';
import { startHub, type HubServer } from '../testing/hub-server.js';

const ID = 'some-owner/some-data';
const COMMIT = '0123456789abcdef0123456789abcdef01234567';
const home = cleanHubEnvironment();
const parquet = (paths: readonly string[]): readonly string[] =>
  paths.filter((path) => path.endsWith('.parquet'));

let hub: HubServer;
beforeEach(async () => {
  const source = join(home(), 'source');
  mkdirSync(join(source, 'sst2'), { recursive: true });
  for (const file of ['README.md', 'sst2/train.parquet', 'sst2/validation.parquet'])
    writeFileSync(join(source, file), file);
  hub = await startHub(source, ID, COMMIT, 'dataset');
  process.env.HF_ENDPOINT = hub.url;
});
afterEach(() => hub.close());

it('is the one of the cache, with the files that were chosen', async () => {
  for (const location of [ID, `${ID}@main`, `${ID}@${COMMIT}`]) {
    const { folder, id } = await openDataFolder(location, parquet);
    expect(id).toBe(ID);
    expect(folder).toBe(join(home(), 'hub', 'datasets--some-owner--some-data', 'snapshots', COMMIT));
    expect(readdirSync(folder)).toEqual(['sst2']);
    expect(readdirSync(join(folder, 'sst2')).sort()).toEqual(['train.parquet', 'validation.parquet']);
  }
  process.env.HF_HUB_OFFLINE = '1';
  hub.requests.length = 0;
  expect(readdirSync((await openDataFolder(ID, parquet)).folder)).toEqual(['sst2']);
  expect(hub.requests).toEqual([]);
});

it('is refused where the hub has no such data, or none that can be read', async () => {
  const empty = openDataFolder(ID, () => []);
  await expect(empty).rejects.toThrow(DataError);
  await expect(empty).rejects.toThrow(/some-data: this data set of the hub holds no files/);
  await expect(openDataFolder('some-owner/other', parquet)).rejects.toThrow(ModelError);
});

it('is a local one as it is, and what is no id is left alone', async () => {
  const never = (): readonly string[] => {
    throw new Error('the hub was asked');
  };
  for (const location of [home(), './nowhere/at-all', 'nowhere', 'a/b/c'])
    expect(await openDataFolder(location, never)).toEqual({ folder: location });
  expect(hub.requests).toEqual([]);
});
