import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { nullThrows } from '@dynaprompt/core';
import { miniBert } from '@dynaprompt/mini-models';
import {
  DataType,
  differentiate,
  Emitter,
  findTokenEmbedding,
  float32,
  floatsOf,
  Graph,
  int64,
  openSession,
  prepareGraph,
  type TensorValue,
} from '@dynaprompt/onnx-autodiff';
import { describe, expect, it } from '@jest/globals';
import { defaultDescription, readCaseFile, type Reference } from '../gradcheck/case-file.js';
import { openCase, relativeError } from '../gradcheck/check.js';
import { quantise, type Form, type QuantiseOptions } from './forms.js';
import type { Feeds } from './static.js';

const fixtures = fileURLToPath(new URL('../../../packages/onnx-autodiff/fixtures/', import.meta.url));

interface Case {
  readonly form: Form;
  readonly options?: QuantiseOptions;
  /** Least cosine of the gradient with that of the dequantised model. */
  readonly cosine: number;
}

const cases: Readonly<Record<string, Case>> = {
  'float16 (model_fp16)': { form: 'fp16', cosine: 0.9999 },
  'float16 with inputs and outputs': { form: 'fp16', options: { halfInterface: true }, cosine: 0.9999 },
  'dynamic int8 (model_int8)': { form: 'q8', cosine: 0.99 },
  'dynamic uint8 (model_uint8)': { form: 'q8', options: { type: 'uint8' }, cosine: 0.99 },
  'dynamic int8 by column': { form: 'q8', options: { perColumn: true }, cosine: 0.99 },
  'dynamic uint8 by column': { form: 'q8', options: { type: 'uint8', perColumn: true }, cosine: 0.99 },
  // The prompts are larger than any token, and what exceeds a measured range is clipped.
  'static pairs': { form: 'qdq', options: { range: 1.5 }, cosine: 0.99 },
  'static pairs, int8 by tensor': {
    form: 'qdq',
    options: { weights: { type: 'int8', perColumn: false }, activations: 'int8', range: 1.5 },
    cosine: 0.99,
  },
  'blocks of 4 bits (model_q4)': { form: 'q4', options: { blockSize: 16 }, cosine: 0.9999 },
  'blocks of 4 bits, zero points, tables': {
    form: 'q4',
    options: { blockSize: 16, symmetric: false, tables: true },
    cosine: 0.9999,
  },
  'blocks of 4 bits longer than a row': {
    form: 'q4',
    options: { blockSize: 128, symmetric: false },
    cosine: 0.9999,
  },
  'blocks of 8 bits': { form: 'q4', options: { bits: 8, symmetric: false, tables: true }, cosine: 0.9999 },
  'blocks of 4 bits in float16 (model_q4f16)': { form: 'q4f16', options: { tables: true }, cosine: 0.9999 },
  'nf4 (model_bnb4)': { form: 'bnb4', cosine: 0.9999 },
  fp4: { form: 'bnb4', options: { bitsandbytes: { type: 'fp4', blockSize: 16 } }, cosine: 0.9999 },
};

/**
 * Relative distance of the logits beside a gradient from those of the file as it is. With float16, onnxruntime rounds between
 * operators; with static pairs, a code may be the one next to it where a float differs in its last digit.
 */
const FORWARD_TOLERANCE: Readonly<Record<Form, number>> = {
  ...{ fp16: 1e-3, q4f16: 1e-3 },
  ...{ q8: 1e-6, qdq: 1e-2, q4: 1e-6, bnb4: 1e-6 },
};

describe.each(['bert-opset14', 't5-opset17'])('%s', (name) => {
  const { model, references } = readCaseFile(join(fixtures, name));
  const [reference] = references;
  if (!reference) throw new Error(`${name} has no reference`);
  const inputs = [...Graph.read(model).inputs.keys()];
  const feeds = Object.fromEntries(inputs.map((input) => [input, reference.tensor(input)]));
  const calibration = [0, 1, 2, 3].map((shift) => withOtherIds(feeds, shift));

  it.each(Object.entries(cases))('%s', async (_name, { form, options, cosine }) => {
    const file = await quantise(model, form, { ...options, calibration });
    const plain = await quantise(model, form, { ...options, calibration, dequantised: true });
    const gradient = await promptGradient(file, reference);
    expect(cosineOf(gradient, await promptGradient(plain, reference))).toBeGreaterThanOrEqual(cosine);
    const expected = await unchanged(file, feeds, 'logits');
    const { logits } = await embeddingGradient(file, feeds, expected.dims);
    expect(relativeError(logits, floatsOf(expected))).toBeLessThan(FORWARD_TOLERANCE[form]);
  });
});

describe('mini-bert', () => {
  const model = join(miniBert, 'onnx', 'model.onnx');
  const ids = Array.from({ length: 24 }, (_, index) => 1000 + 37 * index);
  const feeds: Feeds = {
    input_ids: int64(ids, [2, 12]),
    attention_mask: int64(new Int32Array(24).fill(1), [2, 12]),
    token_type_ids: int64(new Int32Array(24), [2, 12]),
  };

  it.each<[Form, QuantiseOptions, number]>([
    ['fp16', {}, 0.9999],
    ['q8', {}, 0.99],
    ['qdq', { calibration: [feeds], results: false }, 0.99],
    ['q4f16', { tables: true }, 0.9999],
    ['bnb4', {}, 0.9999],
  ])('%s', async (form, options, cosine) => {
    const file = await quantise(model, form, options);
    const plain = await quantise(model, form, { ...options, dequantised: true });
    const alone = await unchanged(file, feeds, 'logits');
    const { logits, gradient } = await embeddingGradient(file, feeds, alone.dims);
    const expected = await embeddingGradient(plain, feeds, alone.dims);
    expect(cosineOf(gradient, expected.gradient)).toBeGreaterThanOrEqual(cosine);
    const error = relativeError(logits, floatsOf(alone));
    expect(error).toBeLessThan(FORWARD_TOLERANCE[form]);
  });

  it('is as good in int8 that the engine chooses itself', async () => {
    const dims = [2, 12, 8192];
    const exact = await embeddingGradient(model, feeds, dims);
    const { gradient } = await embeddingGradient(model, feeds, dims, { compute: 'int8' });
    expect(cosineOf(gradient, exact.gradient)).toBeGreaterThanOrEqual(0.99);
    expect(gradient).not.toEqual(exact.gradient);
  });
});

/** The same inputs with other token ids. */
function withOtherIds(feeds: Feeds, shift: number): Feeds {
  const ids = feeds.input_ids;
  const other = Array.from(ids?.data ?? [], Number).map(
    (id, index) => (id * (shift + 1) + shift * index) % 40,
  );
  return { ...feeds, input_ids: int64(other, ids?.dims ?? []) };
}

/** Gradient of the case's prompts. */
async function promptGradient(file: Uint8Array, reference: Reference): Promise<Float32Array> {
  const opened = await openCase(prepareGraph(file), defaultDescription('input_ids'), reference);
  try {
    const { gradients } = await opened.run(reference);
    return Object.values(gradients)[0] ?? new Float32Array();
  } finally {
    await opened.release();
  }
}

/** Logits [`dims`] of a model, and the gradient of Σ logits · upstream with respect to the token embeddings. */
async function embeddingGradient(
  file: string | Uint8Array,
  feeds: Feeds,
  dims: readonly number[],
  options: { readonly compute?: 'int8' } = {},
): Promise<{ logits: Float32Array; gradient: Float32Array }> {
  const graph = prepareGraph(file);
  const { tensor } = findTokenEmbedding(graph);
  const objective = { kind: 'vector-jacobian', output: 'logits' } as const;
  const session = await differentiate(file, { withRespectTo: [tensor], objective, ...options });
  const used = Object.fromEntries(Object.entries(feeds).filter(([name]) => graph.inputs.has(name)));
  try {
    const size = dims.reduce((product, extent) => product * extent, 1);
    const upstream = float32(
      Float32Array.from({ length: size }, (_, index) => Math.sin(index)),
      dims,
    );
    const { outputs, gradients } = await session.run({ ...used, upstream });
    return { logits: floatsOf(outputs.logits), gradient: floatsOf(gradients[tensor]) };
  } finally {
    await session.release();
  }
}

/** Output of the file as onnxruntime runs it, converted at the end where it is float16. */
async function unchanged(file: Uint8Array, feeds: Feeds, output: string): Promise<TensorValue> {
  const graph = Graph.read(file);
  graph.outputs.clear();
  new Emitter(graph).output('values', new Emitter(graph).cast(output, DataType.float32));
  const session = await openSession(graph);
  const { values } = await session.run(
    Object.fromEntries(Object.entries(feeds).filter(([name]) => session.inputs.has(name))),
  );
  await session.release();
  return nullThrows(values, 'the session was asked for it');
}

function cosineOf(a: Float32Array, b: Float32Array): number {
  let [product, squareOfA, squareOfB] = [0, 0, 0];
  a.forEach((value, index) => {
    const other = b[index] ?? 0;
    product += value * other;
    squareOfA += value ** 2;
    squareOfB += other ** 2;
  });
  return product / Math.sqrt(squareOfA * squareOfB);
}
