import { copyFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { ConfigurationError, ModelError } from '@dynaprompt/core';
import type { VisionBackboneOptions } from '../backbone/options.js';
import { openVisionBackbone } from '../open-vision-backbone.js';
import { pictureOf, temporaryFolder, VISION_MODELS, writeFixture } from '../testing/fixture-folders.js';

const { folder, remove } = temporaryFolder();
afterAll(remove);

const options = { head: { kind: 'linear', classes: 2 }, reserve: 4, threads: 1 } as const;
let count = 0;

/** A folder in which each of some files is the fixture's float32 one: what is tested is which one is read. */
function folderWith(name: keyof typeof VISION_MODELS, ...files: readonly string[]): string {
  const fixture = VISION_MODELS[name];
  const location = writeFixture(join(folder, String(count++)), fixture);
  for (const file of files) copyFileSync(join(location, fixture.file), join(location, 'onnx', file));
  return location;
}

async function dtypeOf(location: string, wanted: Partial<VisionBackboneOptions>): Promise<string> {
  const backbone = await openVisionBackbone(location, { ...options, ...wanted });
  await backbone.features([pictureOf('a')]);
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
    const location = folderWith('vit', file);
    writeFileSync(join(location, 'onnx/model.onnx'), 'this is not read');
    expect(await dtypeOf(location, { dtype })).toBe(dtype);
  });

  it('with an image tower of its own reads that', async () => {
    const location = folderWith('clip, image tower', 'vision_model_q4.onnx', 'model_q4.onnx');
    writeFileSync(join(location, 'onnx/model_q4.onnx'), 'this is not read');
    expect(await dtypeOf(location, { dtype: 'q4' })).toBe('q4');
  });

  it('says how it computes too', async () => {
    const location = folderWith('vit', 'model_q4.onnx');
    expect(await dtypeOf(location, {})).toBe('fp32');
    expect(await dtypeOf(location, { compute: 'int8', dtype: 'q4' })).toBe('q4, products in int8');
  });

  it('without the dtype says which there are', async () => {
    const location = folderWith('siglip, image tower', 'vision_model_quantized.onnx');
    const opening = openVisionBackbone(location, { ...options, dtype: 'fp16' });
    await expect(opening).rejects.toBeInstanceOf(ModelError);
    await expect(opening).rejects.toThrow(/model_fp16\.onnx: the file is missing.*dtypes.*: fp32, q8\./);
  });

  it('refuses a dtype that there is not', async () => {
    const opening = openVisionBackbone(folderWith('vit'), { ...options, dtype: 'fp8' as 'fp16' });
    await expect(opening).rejects.toBeInstanceOf(ConfigurationError);
    await expect(opening).rejects.toThrow(/dtype "fp8": it is not known. Use one of fp32, fp16, q8/);
  });
});
