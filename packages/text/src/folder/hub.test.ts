import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { ModelError } from '@dynaprompt/core';
import { miniBert } from '@dynaprompt/mini-models';
import { createTextEncoder } from '../encoder/text-encoder.js';
import { openTextBackbone } from '../open-text-backbone.js';
import { DECODERS, T5, writeFixture } from '../testing/fixture-folders.js';
import { alteredBackbone, BACKBONE_FILES } from '../testing/folders.js';
import { cleanHubEnvironment } from '../testing/hub-environment.js';
import { startHub, type HubServer } from '../testing/hub-server.js';

const ID = 'some-owner/mini.bert_1';
const COMMIT = '0123456789abcdef0123456789abcdef01234567';
const options = { threads: 1, reserve: 4, head: { kind: 'linear', classes: 2 } } as const;
const examples = [{ text: 'a quiet film' }, { text: 'a man sleeps', pair: 'no' }];

let hub: HubServer;
const others: HubServer[] = [];
const home = cleanHubEnvironment();
const storage = (): string => join(home(), 'hub', 'models--some-owner--mini.bert_1');

/** Address of a hub that was closed: nobody listens there. */
let unreachable: string;
beforeAll(async () => {
  hub = await startHub(miniBert, ID, COMMIT);
  const closed = await startHub(miniBert, ID, COMMIT);
  unreachable = closed.url;
  await closed.close();
});
afterAll(() => hub.close());
beforeEach(() => {
  process.env.HF_ENDPOINT = hub.url;
  hub.requests.length = 0;
  hub.tokens.clear();
});
afterEach(async () => {
  for (const server of others.splice(0)) await server.close();
});

/** Serves another folder as the repository until the end of the test. */
async function repository(folder: string): Promise<HubServer> {
  const server = await startHub(folder, ID, COMMIT);
  others.push(server);
  process.env.HF_ENDPOINT = server.url;
  return server;
}

async function features(location: string, revision?: string): Promise<Float32Array> {
  const backbone = await createTextEncoder(
    location,
    revision === undefined ? options : { ...options, revision },
  );
  const result = await backbone.features(examples);
  await backbone.release();
  return result;
}

async function expectRefusal(opening: Promise<unknown>, message: RegExp): Promise<void> {
  await expect(opening).rejects.toThrow(message);
  await expect(opening).rejects.toBeInstanceOf(ModelError);
  await expect(opening).rejects.toThrow(/^@dynaprompt\/(?:backbone|text): [^\n]+\.$/);
}

describe('a hub id', () => {
  it('opens and answers like the local folder, and is named by its id', async () => {
    expect(await features(ID)).toEqual(await features(miniBert));
    const backbone = await createTextEncoder(ID, options);
    const local = await createTextEncoder(miniBert, options);
    expect(backbone.description).toEqual({ ...local.description, name: ID, commit: COMMIT });
    await backbone.release();
    await local.release();
  });

  it('is stored in the shared layout, all files in one snapshot, nothing else', async () => {
    await features(ID);
    const snapshot = join(storage(), 'snapshots', COMMIT);
    for (const file of BACKBONE_FILES) {
      expect(readFileSync(join(snapshot, file)).equals(readFileSync(join(miniBert, file)))).toBe(true);
    }
    expect(readdirSync(snapshot).sort()).toEqual([
      'config.json',
      'onnx',
      'tokenizer.json',
      'tokenizer_config.json',
    ]);
    expect(readdirSync(join(snapshot, 'onnx'))).toEqual(['model.onnx']);
    expect(readFileSync(join(storage(), 'refs', 'main'), 'utf8')).toBe(COMMIT);
  });

  it('writes nothing to stdout', async () => {
    const debug = jest.spyOn(console, 'debug');
    const log = jest.spyOn(console, 'log');
    await features(ID);
    expect(debug).not.toHaveBeenCalled();
    expect(log).not.toHaveBeenCalled();
    jest.restoreAllMocks();
  });

  it('is downloaded once: later only the branch is looked up, and a commit not at all', async () => {
    await features(ID);
    expect(hub.requests.length).toBeGreaterThan(8);
    hub.requests.length = 0;
    await features(ID);
    expect(hub.requests).toEqual([`GET /api/models/${ID}/revision/main`]);
    await features(ID, COMMIT);
    expect(hub.requests).toHaveLength(1);
  });

  it('is taken from the cache where the hub cannot be reached', async () => {
    const online = await features(ID);
    process.env.HF_ENDPOINT = unreachable;
    expect(await features(ID)).toEqual(online);
    await expectRefusal(features(ID, 'other-branch'), /other-branch.*ECONNREFUSED/);
  });

  it('takes HF_HUB_CACHE, a token, and an endpoint that ends in a slash', async () => {
    process.env.HF_HUB_CACHE = join(home(), 'elsewhere');
    process.env.HF_TOKEN = 'hf_abc';
    process.env.HF_ENDPOINT = `${hub.url}/`;
    await features(ID);
    expect(existsSync(join(home(), 'elsewhere', 'models--some-owner--mini.bert_1'))).toBe(true);
    expect([...hub.tokens]).toEqual(['Bearer hf_abc']);
  });
});

describe('refusals', () => {
  it('of an id that is not on the hub', async () => {
    await expectRefusal(
      features('some-owner/other'),
      /some-owner\/other, revision main.*Repository not found/,
    );
    expect(existsSync(join(home(), 'hub'))).toBe(false);
  });

  it('of a revision that is not there, or is no name', async () => {
    await expectRefusal(features(ID, 'v2'), /revision v2/);
    await expectRefusal(features(ID, '../../../escape'), /no name of a branch/);
    await expectRefusal(features(ID, ''), /no name of a branch/);
  });

  it('of a hub that cannot be reached', async () => {
    process.env.HF_ENDPOINT = unreachable;
    await expectRefusal(features(ID), /fetch failed.*ECONNREFUSED.*local folder/);
  });

  it('of a repository without an ONNX file, naming the file', async () => {
    const folder = join(home(), 'repository');
    mkdirSync(folder);
    await repository(alteredBackbone(folder, { 'onnx/model.onnx': null }));
    await expectRefusal(features(ID), /mini\.bert_1\/onnx\/model\.onnx.*no such file/);
  });

  it('of another family before its model is downloaded', async () => {
    const folder = join(home(), 'repository');
    mkdirSync(folder);
    const config = JSON.stringify({ model_type: 'gpt2' });
    const other = await repository(alteredBackbone(folder, { 'config.json': config }));
    await expectRefusal(features(ID), /'gpt2' are not supported/);
    expect(other.requests.filter((request) => request.endsWith('.onnx'))).toEqual([]);
  });

  it('of a download that breaks off, which leaves no file behind', async () => {
    const folder = join(home(), 'repository');
    mkdirSync(folder);
    const other = await repository(alteredBackbone(folder, {}));
    other.breakAfter('model.onnx', 1_000_000);
    await expectRefusal(features(ID), /model\.onnx/);
    expect(readdirSync(join(storage(), 'snapshots', COMMIT, 'onnx'))).toEqual([]);
  });
});

describe('a model that lies elsewhere than in onnx/model.onnx', () => {
  const head = { kind: 'linear', classes: 2 } as const;
  const open = async (): Promise<void> => {
    const backbone = await openTextBackbone(ID, { threads: 1, reserve: 4, head });
    await backbone.release();
  };
  const downloaded = (server: HubServer): string[] =>
    server.requests
      .filter((request) => request.includes('/storage/'))
      .map((request) => request.split('/storage/')[1] ?? '');

  it('is looked for under the names of its kind', async () => {
    const merged = DECODERS['gpt2, merged'];
    if (!merged) throw new Error('no fixture');
    const server = await repository(writeFixture(join(home(), 'source'), merged));
    await open();
    expect([...new Set(downloaded(server))]).toEqual(['onnx/decoder_model_merged.onnx']);
    server.requests.length = 0;
    await open();
    expect(downloaded(server)).toEqual([]);
  });

  it('is not looked for under another name when its download breaks off', async () => {
    const { llama } = DECODERS;
    if (!llama) throw new Error('no fixture');
    const server = await repository(writeFixture(join(home(), 'source'), llama));
    server.breakAfter('model.onnx', 1000);
    await expectRefusal(open(), /onnx\/model\.onnx/);
    expect(server.requests.filter((request) => request.includes('decoder_model'))).toEqual([]);
  });

  it('comes without the decoder where the head needs none', async () => {
    const server = await repository(writeFixture(join(home(), 'source'), T5));
    await open();
    expect([...new Set(downloaded(server))]).toEqual(['onnx/encoder_model.onnx']);
  });

  it('comes with the external data that its config speaks of', async () => {
    const llama = DECODERS.llama;
    if (!llama) throw new Error('no fixture');
    const config = {
      ...llama.config,
      'transformers.js_config': { use_external_data_format: { 'model.onnx': 2 } },
    };
    const source = writeFixture(join(home(), 'source'), { ...llama, config });
    for (const name of ['model.onnx_data', 'model.onnx_data_1'])
      writeFileSync(join(source, 'onnx', name), name);
    await repository(source);
    await open();
    const names = ['model.onnx', 'model.onnx_data', 'model.onnx_data_1'];
    expect(readdirSync(join(storage(), 'snapshots', COMMIT, 'onnx')).sort()).toEqual(names);
  });
});
