import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { ModelError } from '@dynaprompt/core';
import { openTextBackbone } from '../open-text-backbone.js';
import { DECODERS, writeFixture } from '../testing/fixture-folders.js';
import { cleanHubEnvironment } from '../testing/hub-environment.js';
import { startHub, type HubServer } from '../testing/hub-server.js';

const ID = 'some-owner/some-model';
const COMMIT = '0123456789abcdef0123456789abcdef01234567';
const home = cleanHubEnvironment();
const snapshot = (): string => join(home(), 'hub', 'models--some-owner--some-model', 'snapshots', COMMIT);

let source: string;
let hub: HubServer;
beforeEach(async () => {
  const { llama } = DECODERS;
  if (!llama) throw new Error('no fixture');
  source = writeFixture(join(home(), 'source'), llama);
  hub = await startHub(source, ID, COMMIT);
  process.env.HF_ENDPOINT = hub.url;
});
afterEach(() => hub.close());

async function open(location = ID): Promise<string | undefined> {
  const head = { kind: 'linear', classes: 2 } as const;
  const backbone = await openTextBackbone(location, { threads: 1, reserve: 4, head });
  await backbone.features([{ text: 'wba wbb' }]);
  await backbone.release();
  expect(backbone.description.name).toBe(location.replace(/@.*/, ''));
  return backbone.description.commit;
}

async function expectRefusal(message: RegExp): Promise<void> {
  const opening = open();
  await expect(opening).rejects.toThrow(message);
  await expect(opening).rejects.toBeInstanceOf(ModelError);
  await expect(opening).rejects.toThrow(/^@dynaprompt\/backbone: [^\n]+\.$/);
}

describe('a download', () => {
  it('is of a commit, which the backbone tells', async () => {
    expect(await open()).toBe(COMMIT);
    expect(await open(`${ID}@${COMMIT}`)).toBe(COMMIT);
    expect(await open(`${ID}@main`)).toBe(COMMIT);
    await expect(open(`${ID}@v2`)).rejects.toThrow(/some-model, revision v2/);
    await expect(open(join(home(), `nowhere@${COMMIT}`))).rejects.toThrow(/no such folder/);
  });

  it('has the SHA-256 that the hub states of a file in LFS', async () => {
    const bytes = readFileSync(join(source, 'onnx/model.onnx'));
    bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1;
    hub.replace('model.onnx', bytes);
    await expectRefusal(/some-model\/onnx\/model\.onnx: .*SHA-256 is [0-9a-f]{64}, where the hub states/);
    expect(readdirSync(join(snapshot(), 'onnx'))).toEqual([]);
  });

  it('has the size that the hub states', async () => {
    const { length } = readFileSync(join(source, 'config.json'));
    hub.breakAfter('config.json', 20, 'silently');
    await expectRefusal(new RegExp(`config\\.json: .*20 bytes came, where the hub states ${length}`));
    expect(readdirSync(snapshot())).toEqual([]);
  });
});

describe('a hub that does not answer', () => {
  it.each([
    [401, 'Invalid username or password.', /Invalid username.*HF_TOKEN to a token that may read it/],
    [403, 'Access to it is restricted.', /restricted.*accept its conditions/],
    [429, 'Too many requests.', /Too many requests.*Wait/],
    [503, 'Maintenance.', /Maintenance.*local folder/],
  ])('with %i is named, with what to do', async (status, error, message) => {
    hub.refuse(status, error);
    await expectRefusal(message);
    expect(existsSync(join(home(), 'hub'))).toBe(false);
  });

  it.each([429, 503])('with %i serves from the cache what is there', async (status) => {
    await open();
    hub.refuse(status, 'Not now.');
    expect(await open()).toBe(COMMIT);
  });

  it.each([401, 404])('with %i does not', async (status) => {
    await open();
    hub.refuse(status, 'No.');
    await expectRefusal(/revision main: .*No\./);
  });
});

describe('HF_HUB_OFFLINE', () => {
  it.each(['1', 'true', 'YES', 'on'])('as %s: nothing is asked, the cache serves', async (value) => {
    await open();
    hub.requests.length = 0;
    process.env.HF_HUB_OFFLINE = value;
    expect(await open()).toBe(COMMIT);
    expect(hub.requests).toEqual([]);
  });

  it('as 0 is not set', async () => {
    process.env.HF_HUB_OFFLINE = '0';
    expect(await open()).toBe(COMMIT);
  });

  it('names what the cache does not have', async () => {
    process.env.HF_HUB_OFFLINE = '1';
    await expectRefusal(/some-model, revision main: it is not in the cache, and HF_HUB_OFFLINE is set/);
    mkdirSync(join(snapshot(), '../../refs'), { recursive: true });
    writeFileSync(join(snapshot(), '../../refs/main'), COMMIT);
    await expectRefusal(/some-model\/config\.json: it is not in the cache/);
    expect(hub.requests).toEqual([]);
  });

  it('takes a model of another name from the cache', async () => {
    renameSync(join(source, 'onnx/model.onnx'), join(source, 'onnx/decoder_model_merged.onnx'));
    await open();
    process.env.HF_HUB_OFFLINE = '1';
    expect(await open()).toBe(COMMIT);
  });
});
