import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { ConfigurationError, DataError, ModelError } from '@dynaprompt/core';
import { miniClip } from '@dynaprompt/mini-models';
import type { VisionBackboneOptions } from './backbone/options.js';
import { openVisionBackbone } from './open-vision-backbone.js';
import { pictureOf, temporaryFolder, VISION_MODELS, WIDTH, writeFixture } from './testing/fixture-folders.js';
import { normals, planOf } from './testing/plans.js';

const { folder, remove } = temporaryFolder();
afterAll(remove);

const linear = { kind: 'linear', classes: 2 } as const;
let count = 0;
/** A new folder with a model, some of whose JSON files are changed, or removed (null). */
function altered(
  name: keyof typeof VISION_MODELS,
  changes: Readonly<Record<string, object | null>> = {},
): string {
  const location = writeFixture(join(folder, String(count++)), VISION_MODELS[name]);
  for (const [file, content] of Object.entries(changes)) {
    if (content === null) rmSync(join(location, file));
    else writeFileSync(join(location, file), JSON.stringify(content));
  }
  return location;
}
const open = (
  location: string,
  options: Partial<VisionBackboneOptions> = {},
): ReturnType<typeof openVisionBackbone> =>
  openVisionBackbone(location, { threads: 1, reserve: 4, head: linear, ...options });

describe('a folder is refused', () => {
  const preprocessor = (side: number): object => ({
    image_processor_type: 'ViTImageProcessor',
    size: { height: side, width: side },
  });
  it.each<[string, string, RegExp]>([
    [
      'of a windowed family, by its name',
      altered('vit', { 'config.json': { model_type: 'swin' } }),
      /'swin' attend within windows.*dinov2_with_registers/,
    ],
    [
      'of an unknown family',
      altered('vit', { 'config.json': { model_type: 'resnet' } }),
      /'resnet' are not supported.*vit, deit/,
    ],
    ['without a family', altered('vit', { 'config.json': {} }), /config\.json: model_type/],
    [
      'whose classes are not counted from 0',
      altered('vit', { 'config.json': { model_type: 'vit', id2label: { 1: 'a', 2: 'b' } } }),
      /id2label/,
    ],
    [
      'without its preprocessor',
      altered('vit', { 'preprocessor_config.json': null }),
      /preprocessor_config\.json: the file is missing/,
    ],
    ['without its model', altered('vit', { 'onnx/model.onnx': null }), /model\.onnx/],
    [
      'whose preprocessor makes larger pictures',
      altered('vit', { 'preprocessor_config.json': preprocessor(30) }),
      /pictures of 30 × 30.*17 rows, not 26/,
    ],
  ])('%s', async (_, location, message) => {
    await expect(open(location)).rejects.toThrow(ModelError);
    await expect(open(location)).rejects.toThrow(message);
  });

  it('that holds a text model', async () => {
    const location = altered('clip, both towers');
    const text = join(location, 'onnx/model.onnx');
    mkdirSync(join(location, 'onnx'), { recursive: true });
    const bert = writeFixture(join(folder, 'text'), { ...VISION_MODELS.vit, fixture: 'bert-14' });
    writeFileSync(
      text,
      await import('node:fs').then(({ readFileSync }) => readFileSync(join(bert, 'onnx/model.onnx'))),
    );
    await expect(open(location)).rejects.toThrow(/inputs that are not known: input_ids/);
  });
});

describe('a head is refused', () => {
  it.each<[string, keyof typeof VISION_MODELS, VisionBackboneOptions['head'], RegExp]>([
    ['of one class', 'vit', { kind: 'linear', classes: 1 }, /1 is not a number of classes/],
    [
      'with class names that the model lacks, which are named',
      'vit',
      { kind: 'own', classes: ['bird', 'horse', 'Great Dane', 'cow'] },
      /does not know horse, cow/,
    ],
    [
      'with a name of two classes',
      'vit',
      { kind: 'own', classes: ['bird', 'crane'] },
      /several classes of the model are called crane/,
    ],
    ['with two names of a class', 'vit', { kind: 'own', classes: ['cat', 'house cat'] }, /the same class/],
    [
      'of its own where config.json names no classes',
      'dinov2',
      { kind: 'own', classes: ['a', 'b'] },
      /names no classes/,
    ],
  ])('%s', async (_, name, head, message) => {
    const location = altered(name);
    await expect(open(location, { head })).rejects.toThrow(ConfigurationError);
    await expect(open(location, { head })).rejects.toThrow(message);
  });

  it('that reads what the model lacks', async () => {
    const cls = { kind: 'linear', classes: 2, pooling: 'cls' } as const;
    await expect(open(altered('siglip, image tower'), { head: cls })).rejects.toThrow(/no class token/);
    await expect(open(altered('deit'), { head: { ...cls, pooling: 'pooled' } })).rejects.toThrow(
      /no pooled embedding/,
    );
    const config = { model_type: 'dinov2', id2label: { 0: 'a', 1: 'b' } };
    const named = altered('dinov2', { 'config.json': config });
    await expect(open(named, { head: { kind: 'own', classes: ['a', 'b'] } })).rejects.toThrow(
      /no classifier/,
    );
    const few = altered('vit', { 'config.json': { ...config, model_type: 'vit' } });
    await expect(open(few, { head: { kind: 'own', classes: ['a', 'b'] } })).rejects.toThrow(
      /has 5 classes, config\.json names 2/,
    );
  });
});

describe('a call is refused', () => {
  it('with options that cannot be used', async () => {
    await expect(open(miniClip, { reserve: -1 })).rejects.toThrow(ConfigurationError);
    await expect(open(miniClip, { augmentation: { seed: 1, flip: 2 } })).rejects.toThrow(
      /augmentation\.flip/,
    );
  });

  it('with a plan, label or picture that does not fit, and after the release', async () => {
    const backbone = await open(altered('vit'));
    const head = backbone.initialHead(1);
    const examples = [pictureOf('a')];
    const plan = (slots: number, width: number): ReturnType<typeof planOf> =>
      planOf({ batch: 1, slots, width, prompts: normals('p', slots * width) });
    await expect(backbone.predict(examples, plan(5, WIDTH), head)).rejects.toThrow(/opened for 4/);
    await expect(backbone.predict(examples, plan(2, 7), head)).rejects.toThrow(/7 wide/);
    await expect(backbone.predict([], undefined, head)).rejects.toThrow(DataError);
    const request = { position: false, gates: false };
    const wrong = backbone.differentiate(
      { examples, labels: Int32Array.of(2) },
      plan(2, WIDTH),
      head,
      request,
    );
    await expect(wrong).rejects.toThrow(/label 2 is not in 0\.\.1/);
    const damaged = { id: 'broken.png', image: { kind: 'bytes', bytes: Uint8Array.of(1, 2, 3) } } as const;
    await expect(backbone.predict([damaged], undefined, head)).rejects.toThrow(/broken\.png/);
    await backbone.release();
    const calls = [
      backbone.predict(examples, undefined, head),
      backbone.features(examples),
      backbone.pooled(examples),
      backbone.differentiate({ examples, labels: Int32Array.of(1) }, plan(2, WIDTH), head, request),
    ];
    for (const call of calls) await expect(call).rejects.toThrow('the backbone was released');
  });
});

it('rows to start prompts from are those of VPT, told apart by their number alone', async () => {
  const backbone = await open(altered('vit'));
  const rows = await backbone.promptRows(40, 3);
  const radius = Math.sqrt(6 / (3 * 6 ** 2 + WIDTH));
  expect(Math.max(...rows.map(Math.abs))).toBeLessThanOrEqual(radius);
  expect(Math.max(...rows.map(Math.abs))).toBeGreaterThan(0.99 * radius);
  const variance = rows.reduce((sum, value) => sum + value ** 2, 0) / rows.length;
  expect(variance / (radius ** 2 / 3)).toBeGreaterThan(0.9);
  expect(variance / (radius ** 2 / 3)).toBeLessThan(1.1);
  expect(await backbone.promptRows(2, 5)).toEqual(rows.slice(2 * WIDTH, 4 * WIDTH));
  await backbone.release();
});
