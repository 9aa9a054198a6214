import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { stream, type FrozenBackbone, type PromptPlan } from '@dynaprompt/core';
import { miniClip } from '@dynaprompt/mini-models';
import { DataType, Emitter, float32, floatsOf, Graph, openSession } from '@dynaprompt/onnx-autodiff';
import { openVisionBackbone, type Dtype, type HeadOptions, type VisionExample } from '@dynaprompt/vision';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { quantise, type Form, type QuantiseOptions } from './forms.js';

type Backbone = FrozenBackbone<VisionExample>;

interface Case {
  readonly dtype: Dtype;
  /** What the dtype adds to a file's name. */
  readonly suffix: string;
  readonly form: Form;
  readonly options?: QuantiseOptions;
  /** Least cosine of gradients with those of the rounded weights in float32: quantised activations and halves have their own noise. */
  readonly cosine: number;
}

const cases: readonly Case[] = [
  { dtype: 'fp16', suffix: '_fp16', form: 'fp16', cosine: 0.99999 },
  {
    dtype: 'q8',
    suffix: '_quantized',
    form: 'q8',
    options: { type: 'uint8', convolutions: true },
    cosine: 0.998,
  },
  { dtype: 'int8', suffix: '_int8', form: 'q8', options: { perColumn: true }, cosine: 0.998 },
  { dtype: 'uint8', suffix: '_uint8', form: 'q8', options: { type: 'uint8' }, cosine: 0.998 },
  { dtype: 'q4', suffix: '_q4', form: 'q4', cosine: 0.9999999 },
  { dtype: 'q4f16', suffix: '_q4f16', form: 'q4f16', options: { halfInterface: true }, cosine: 0.99999 },
  { dtype: 'bnb4', suffix: '_bnb4', form: 'bnb4', cosine: 0.9999999 },
];

const fixtures = fileURLToPath(new URL('../../../packages/onnx-autodiff/fixtures/', import.meta.url));
const SLOTS = 5;
const labels = Int32Array.of(0, 1, 2);
const linear = { kind: 'linear', classes: labels.length } as const;
let root = '';
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'vision-dtypes-'));
});
afterAll(() => {
  rmSync(root, { recursive: true });
});

/**
 * All element types on small exports of every family; here, where weights were trained and are many, those that have between them
 * whatever the others have: halves, integer products and convolutions of quantised activations, and blocks.
 */
describe('mini-clip', () => {
  it.each(cases.filter(({ dtype }) => ['fp16', 'q8', 'q4f16'].includes(dtype)))('in $dtype', async (one) => {
    const folder = join(root, `mini-clip-${one.dtype}`);
    cpSync(miniClip, folder, { recursive: true });
    await writeForms(join(miniClip, 'onnx/model.onnx'), join(folder, 'onnx/model.onnx'), one);
    const [backbone, rounded] = [await open(folder, one.dtype), await open(folder, 'fp32')];
    await expectTunable([backbone, rounded], picturesOf(64), { ...one, hasPositions: true });
    await expect(backbone.fineTuning?.()).rejects.toThrow(/reduced precision.*dtype fp32/);
    await backbone.release();
    await rounded.release();
  });
});

/** Small exports with random weights, for pictures of 24 × 24. */
const families = {
  vit: { fixture: 'vit', file: 'onnx/model.onnx', hasClassifier: true, hasPositions: true },
  beit: { fixture: 'beit', file: 'onnx/model.onnx', hasClassifier: true, hasPositions: false },
  dinov2: { fixture: 'dinov2', file: 'onnx/model.onnx', hasClassifier: false, hasPositions: true },
  clip: { fixture: 'clip', file: 'onnx/model.onnx', hasClassifier: false, hasPositions: true },
  siglip: {
    fixture: 'siglip-vision',
    file: 'onnx/vision_model.onnx',
    hasClassifier: false,
    hasPositions: true,
  },
};
const SIDE = 24;
const CLASSES = 5;

describe.each(Object.entries(families))('%s', (family, { fixture, file, hasClassifier, hasPositions }) => {
  it.each(cases)('in $dtype as with rounded weights in float32', async (one) => {
    const folder = join(root, `${family}-${one.dtype}`);
    await writeForms(join(fixtures, fixture, 'model.onnx'), join(folder, file), one);
    const names = Array.from({ length: CLASSES }, (_, index) => `class ${index}`);
    const id2label = Object.fromEntries(names.map((name, index) => [index, name]));
    writeJson(join(folder, 'config.json'), {
      model_type: family,
      ...(hasClassifier ? { id2label } : {}),
    });
    writeJson(join(folder, 'preprocessor_config.json'), {
      image_processor_type: 'ViTImageProcessor',
      size: { height: SIDE, width: SIDE },
      image_mean: [0.5, 0.5, 0.5],
      image_std: [0.5, 0.5, 0.5],
    });
    const [backbone, rounded] = [await open(folder, one.dtype), await open(folder, 'fp32')];
    const examples = picturesOf(SIDE);
    await expectTunable([backbone, rounded], examples, { ...one, hasPositions });
    // Tensors as small as these are widened from halves when the file is opened.
    if (one.dtype !== 'fp16')
      await expect(backbone.fineTuning?.()).rejects.toThrow(/reduced precision.*dtype fp32/);
    await backbone.release();
    await rounded.release();
    if (!hasClassifier) return;
    const own = await open(folder, one.dtype, { kind: 'own', classes: names });
    const logits = await own.predict(examples, undefined, new Map());
    await own.release();
    const expected = await logitsOf(join(folder, file.replace('.onnx', `${one.suffix}.onnx`)), examples);
    expect(logits).toHaveLength(expected.length);
    const distance = Math.max(...logits.map((value, index) => Math.abs(value - (expected[index] ?? NaN))));
    // The file computes in halves what the backbone computes in float32.
    expect(distance).toBeLessThan(one.dtype.includes('16') ? 0.02 : 1e-4);
  });
});

/** Writes the form of a case, and its rounded weights in float32 as the file of dtype fp32. */
async function writeForms(source: string, target: string, { suffix, form, options }: Case): Promise<void> {
  mkdirSync(dirname(target), { recursive: true });
  const own = { blockSize: 16, ...options };
  writeFileSync(target, await quantise(source, form, { ...own, dequantised: true }));
  writeFileSync(target.replace('.onnx', `${suffix}.onnx`), await quantise(source, form, own));
}

function writeJson(file: string, value: object): void {
  writeFileSync(file, JSON.stringify(value));
}

function open(folder: string, dtype: Dtype, head: HeadOptions = linear): Promise<Backbone> {
  return openVisionBackbone(folder, { head, reserve: SLOTS, threads: 1, dtype });
}

/** A backbone says of which element type it is, agrees with the rounded weights, and learns. */
async function expectTunable(
  [backbone, rounded]: readonly [Backbone, Backbone],
  examples: readonly VisionExample[],
  one: Case & { readonly hasPositions: boolean },
): Promise<void> {
  const { revision } = backbone.description;
  expect(backbone.description).toEqual({ ...rounded.description, dtype: one.dtype, revision });
  await expectSame([backbone, rounded], examples, one);
  const head = headOf(backbone);
  const plan = await planFor(backbone);
  const batch = { examples, labels };
  const step = await backbone.differentiate(batch, plan, head, { position: false, gates: false });
  const squares = step.plan.prompts.reduce((sum, slope) => sum + slope * slope, 0);
  const rate = (0.1 * step.loss) / squares;
  const prompts = plan.prompts.map((value, index) => value - rate * (step.plan.prompts[index] ?? 0));
  const next = await backbone.differentiate(batch, { ...plan, prompts }, head, {
    position: false,
    gates: false,
  });
  expect(next.loss).toBeLessThan(step.loss);
}

/** Two backbones agree on features, answers, and the gradients of all that a dynamic prompt chooses. */
async function expectSame(
  [own, other]: readonly [Backbone, Backbone],
  examples: readonly VisionExample[],
  { cosine, hasPositions }: Pick<Case, 'cosine'> & { readonly hasPositions: boolean },
): Promise<void> {
  const plan = await planFor(other);
  const head = headOf(other);
  const batch = { examples, labels };
  const request = { position: hasPositions, gates: true };
  const [step, expected] = [
    await own.differentiate(batch, plan, head, request),
    await other.differentiate(batch, plan, head, request),
  ];
  const pairs = {
    features: [await own.features(examples), await other.features(examples)],
    answers: [await own.predict(examples, plan, head), await other.predict(examples, plan, head)],
    logits: [step.logits, expected.logits],
    prompts: [step.plan.prompts, expected.plan.prompts],
    gates: [step.plan.gates, expected.plan.gates],
    head: [step.head.get('head.weight'), expected.head.get('head.weight')],
    ...(hasPositions ? { position: [step.plan.position, expected.plan.position] } : {}),
  };
  const cosines = Object.entries(pairs).map(
    ([name, [left, right]]) => [name, cosineOf(left, right)] as const,
  );
  expect(cosines.filter(([, found]) => !(found > cosine))).toEqual([]);
}

/** What the file itself answers, [B, classes]. */
async function logitsOf(file: string, examples: readonly VisionExample[]): Promise<Float32Array> {
  const graph = Graph.read(file);
  const isHalf = graph.inputs.get('pixel_values')?.dataType === DataType.float16;
  const emit = new Emitter(graph);
  if (isHalf) {
    const readers = graph.consumers('pixel_values');
    graph.inputs.delete('pixel_values');
    const given = emit.input({ name: 'pixels', dataType: DataType.float32, dims: ['B', 3, SIDE, SIDE] });
    const cast = emit.cast(given, DataType.float16);
    for (const reader of readers)
      graph.setInputs(
        reader,
        reader.inputs.map((input) => (input === 'pixel_values' ? cast : input)),
      );
  }
  graph.outputs.clear();
  emit.output('values', emit.cast('logits', DataType.float32));
  const session = await openSession(graph, { threads: 1, optimization: 'disabled' });
  const planes = examples.flatMap(({ image }) =>
    [0, 1, 2].flatMap((channel) =>
      image.kind === 'pixels'
        ? Array.from(
            image.data.filter((_, at) => at % 3 === channel),
            (value) => value / 127.5 - 1,
          )
        : [],
    ),
  );
  const pixels = float32(Float32Array.from(planes), [examples.length, 3, SIDE, SIDE]);
  const { values } = await session.run({ [isHalf ? 'pixels' : 'pixel_values']: pixels });
  await session.release();
  return floatsOf(values);
}

function headOf(backbone: Backbone): ReturnType<Backbone['initialHead']> {
  const random = stream(3, 'head');
  const shape = [linear.classes, backbone.width];
  const values = Float32Array.from({ length: linear.classes * backbone.width }, () => 0.4 * random.normal());
  return new Map([...backbone.initialHead(1), ['head.weight', { shape, values }]]);
}

/** A picture of random pixels for each label. */
function picturesOf(side: number): readonly VisionExample[] {
  return Array.from(labels, (seed) => {
    const random = stream(seed, 'picture');
    const data = Uint8Array.from({ length: 3 * side * side }, () => 255 * random.uniform());
    return { id: `${seed}`, image: { kind: 'pixels', width: side, height: side, channels: 3, data } };
  });
}

/** Prompts with gates between 0 and 1, at different places. */
async function planFor(backbone: Backbone): Promise<PromptPlan> {
  const batch = labels.length;
  const random = stream(5, 'gates');
  return {
    batch,
    slots: SLOTS,
    width: backbone.width,
    prompts: await backbone.promptRows(batch * SLOTS, 0),
    position: { mode: 'split', candidates: SLOTS + 1, choice: Int32Array.of(1, 4, 2) },
    gates: Float32Array.from({ length: batch * SLOTS }, () => 0.5 + 0.5 * random.uniform()),
  };
}

function cosineOf(a: Float32Array | undefined, b: Float32Array | undefined): number {
  let [product, squareOfA, squareOfB] = [0, 0, 0];
  a?.forEach((value, index) => {
    const other = b?.[index] ?? NaN;
    product += value * other;
    squareOfA += value * value;
    squareOfB += other * other;
  });
  return product / Math.sqrt(squareOfA * squareOfB);
}
