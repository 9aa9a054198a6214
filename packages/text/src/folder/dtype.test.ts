import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { ConfigurationError, ModelError, nullThrows } from '@dynaprompt/core';
import type { TextBackboneOptions } from '../backbone/adapter.js';
import { openTextBackbone } from '../open-text-backbone.js';
import { DECODERS, ENCODERS, T5, writeFixture, type FixtureModel } from '../testing/fixture-folders.js';
import { temporaryFolder } from '../testing/folders.js';
import { startHub } from '../testing/hub-server.js';

const options = { head: { kind: 'linear', classes: 2 }, reserve: 4, threads: 1 } as const;
const words = { kind: 'verbalizer', template: '{text}', words: ['wbm', 'wbn'] } as const;

let temporary: ReturnType<typeof temporaryFolder>;
beforeEach(() => {
  temporary = temporaryFolder();
});
afterEach(() => {
  temporary.remove();
});

/** A folder in which each of some files is the fixture's float32 one: what is tested is which one is read. */
function folderWith(model: FixtureModel | undefined, ...files: readonly string[]): string {
  const folder = writeFixture(join(temporary.folder, 'model'), nullThrows(model, 'no such fixture'));
  for (const file of files) {
    const [source = ''] = Object.keys(model?.files ?? {}).filter((name) =>
      file.startsWith(name.slice(0, -5)),
    );
    copyFileSync(join(folder, 'onnx', source), join(folder, 'onnx', file));
  }
  return folder;
}

async function dtypeOf(folder: string, wanted: Partial<TextBackboneOptions>): Promise<string> {
  const backbone = await openTextBackbone(folder, { ...options, ...wanted });
  await backbone.features([{ text: 'a b' }]);
  await backbone.release();
  return backbone.description.dtype;
}

describe('a folder', () => {
  it.each([
    ['fp16', 'model_fp16.onnx'],
    ['q8', 'model_quantized.onnx'],
    ['int8', 'model_int8.onnx'],
    ['uint8', 'model_uint8.onnx'],
    ['q4', 'model_q4.onnx'],
    ['q4f16', 'model_q4f16.onnx'],
    ['bnb4', 'model_bnb4.onnx'],
  ] as const)('read in %s reads %s', async (dtype, file) => {
    const folder = folderWith(ENCODERS.bert, file);
    writeFileSync(join(folder, 'onnx/model.onnx'), 'this is not read');
    expect(await dtypeOf(folder, { dtype })).toBe(dtype);
  });

  it('says how it computes too', async () => {
    const folder = folderWith(ENCODERS.bert, 'model_q4.onnx');
    expect(await dtypeOf(folder, {})).toBe('fp32');
    expect(await dtypeOf(folder, { compute: 'int8' })).toBe('int8');
    expect(await dtypeOf(folder, { compute: 'int8', dtype: 'q4' })).toBe('q4, products in int8');
  });

  it('of several files is read in one dtype', async () => {
    const folder = folderWith(T5, 'encoder_model_fp16.onnx');
    expect(await dtypeOf(folder, { dtype: 'fp16' })).toBe('fp16');
    const opening = openTextBackbone(folder, { ...options, head: words, dtype: 'fp16' });
    await expect(opening).rejects.toThrow(/decoder_model_fp16\.onnx: the file is missing.*dtypes.*: fp32\./);
    await expect(opening).rejects.toBeInstanceOf(ModelError);
  });

  it('takes the first of several names in the dtype', async () => {
    const folder = folderWith(DECODERS['gpt2, merged'], 'decoder_model_merged_q4.onnx');
    expect(await dtypeOf(folder, { dtype: 'q4' })).toBe('q4');
  });

  it('without the dtype says which there are', async () => {
    const folder = folderWith(ENCODERS.bert, 'model_quantized.onnx', 'model_q4f16.onnx');
    const opening = openTextBackbone(folder, { ...options, dtype: 'fp16' });
    await expect(opening).rejects.toBeInstanceOf(ModelError);
    await expect(opening).rejects.toThrow(
      /model_fp16\.onnx: the file is missing. Open it with one of the dtypes that it has: fp32, q8, q4f16\./,
    );
  });

  it('without a model says nothing of dtypes', async () => {
    const folder = writeFixture(join(temporary.folder, 'empty'), {
      ...nullThrows(ENCODERS.bert, 'no such fixture'),
      files: {},
    });
    const opening = openTextBackbone(folder, { ...options, dtype: 'fp16' });
    await expect(opening).rejects.toThrow(/model_fp16\.onnx: the file is missing.*the model in onnx/);
  });

  it('refuses a dtype that there is not', async () => {
    const folder = folderWith(ENCODERS.bert);
    for (const dtype of ['fp64', 'constructor', '']) {
      const opening = openTextBackbone(folder, { ...options, dtype: dtype as 'fp16' });
      await expect(opening).rejects.toBeInstanceOf(ConfigurationError);
      await expect(opening).rejects.toThrow(/dtype ".*": it is not known. Use one of fp32, fp16, q8/);
    }
  });
});

describe('a hub id', () => {
  const ID = 'owner/model';
  const saved = ['HF_ENDPOINT', 'HF_HOME'].map((name) => [name, process.env[name]] as const);
  afterEach(() => {
    for (const [name, value] of saved) {
      if (value === undefined) Reflect.deleteProperty(process.env, name);
      else process.env[name] = value;
    }
  });

  it('is downloaded in the dtype, external data included', async () => {
    const folder = folderWith(ENCODERS.bert, 'model_fp16.onnx', 'model_quantized.onnx');
    mkdirSync(join(temporary.folder, 'home'));
    writeFileSync(join(folder, 'onnx/model_fp16.onnx_data'), 'weights');
    writeFileSync(join(folder, 'onnx/model_quantized.onnx_data'), 'weights');
    const config = JSON.parse(readFileSync(join(folder, 'config.json'), 'utf8')) as object;
    // By the name of the file, and by that of the model in any dtype.
    const data = { 'model_fp16.onnx': 1, model: true };
    writeFileSync(
      join(folder, 'config.json'),
      JSON.stringify({ ...config, 'transformers.js_config': { use_external_data_format: data } }),
    );
    const hub = await startHub(folder, ID, '0123456789abcdef0123456789abcdef01234567');
    process.env.HF_ENDPOINT = hub.url;
    process.env.HF_HOME = join(temporary.folder, 'home');
    try {
      expect(await dtypeOf(ID, { dtype: 'fp16' })).toBe('fp16');
      const asked = (): string => hub.requests.join('\n');
      expect(asked()).toContain('/onnx/model_fp16.onnx_data');
      expect(asked()).not.toContain('/onnx/model.onnx');
      expect(await dtypeOf(ID, { dtype: 'q8' })).toBe('q8');
      expect(asked()).toContain('/onnx/model_quantized.onnx_data');
      const opening = openTextBackbone(ID, { ...options, dtype: 'q4' });
      await expect(opening).rejects.toBeInstanceOf(ModelError);
      await expect(opening).rejects.toThrow(/model_q4\.onnx: .*dtypes that it has: fp32, fp16, q8\./);
    } finally {
      await hub.close();
    }
  });
});
