import { describe, expect, it } from '@jest/globals';
import { differentiate, prepareGraph } from '../differentiate.js';
import { UnsupportedOperatorError } from '../errors.js';
import type { AttributeValue, Emitter } from '../graph/emitter.js';
import { Graph } from '../graph/graph.js';
import { DataType } from '../graph/types.js';
import { float32, int64, type TensorValue } from '../session/tensor-value.js';
import { addKeyBias } from '../surgery/attention.js';
import { findTokenEmbedding, injectPrompts } from '../surgery/prompts.js';
import { findLastHiddenState } from '../surgery/structure.js';
import { buildModel, distance, evaluate, floatInput, integerInput } from '../testing/models.js';
import { randomFloats } from '../testing/random.js';

const MICROSOFT = { domain: 'com.microsoft' };
const WIDTH = 8;
const heads = { num_heads: 2 };

function weight(emit: Emitter, seed: number, ...dims: readonly number[]): string {
  const size = dims.reduce((product, extent) => product * extent, 1);
  return emit.floats(randomFloats(seed, size, -0.6, 0.6), dims);
}

/** `input_ids` and `attention_mask` [B, T] as int32. */
function tokens(emit: Emitter): { ids: string; mask: string } {
  const short = (name: string): string =>
    emit.cast(integerInput(emit, name, 'batch_size', 'sequence_length'), DataType.int32);
  return { ids: short('input_ids'), mask: short('attention_mask') };
}

/** A BERT as onnxruntime's optimiser leaves it, with all tokens of two layers in `hidden`. */
const encoder = buildModel((emit) => {
  const { ids, mask } = tokens(emit);
  const segments = emit.op('Mul', [ids, emit.cast(emit.int(0), DataType.int32)]);
  const tables = [weight(emit, 1, 11, WIDTH), weight(emit, 2, 40, WIDTH), weight(emit, 3, 2, WIDTH)];
  const norm = (): string[] => [weight(emit, 4, WIDTH), weight(emit, 5, WIDTH)];
  let [hidden = ''] = emit.node(
    'EmbedLayerNormalization',
    [ids, segments, ...tables, ...norm()],
    {},
    { ...MICROSOFT, outputs: 2 },
  );
  for (const seed of [10, 20]) {
    const packed = [weight(emit, seed, WIDTH, 3 * WIDTH), weight(emit, seed + 1, 3 * WIDTH)];
    const [context = ''] = emit.node('Attention', [hidden, ...packed, mask], heads, MICROSOFT);
    const projected = emit.op('MatMul', [context, weight(emit, seed + 2, WIDTH, WIDTH)]);
    const skip = (branch: string, bias: string): string =>
      emit.node('SkipLayerNormalization', [branch, hidden, ...norm(), bias], {}, MICROSOFT)[0] ?? '';
    hidden = skip(projected, weight(emit, seed + 3, WIDTH));
    const inner = emit.op('MatMul', [hidden, weight(emit, seed + 4, WIDTH, 16)]);
    const [active = ''] = emit.node('BiasGelu', [inner, weight(emit, seed + 5, 16)], {}, MICROSOFT);
    hidden = skip(
      emit.op('MatMul', [active, weight(emit, seed + 6, 16, WIDTH)]),
      weight(emit, seed + 7, WIDTH),
    );
  }
  emit.output('hidden', hidden);
  emit.output('logits', emit.op('MatMul', [hidden, weight(emit, 30, WIDTH, 3)]));
});

/** A Llama as exporters for onnxruntime write it, with an empty cache. */
const decoder = buildModel((emit) => {
  const { ids, mask } = tokens(emit);
  const counted = emit.reduceSum(mask, [1], 0);
  const one = emit.cast(emit.int(1), DataType.int32);
  const total = emit.cast(emit.squeeze(emit.extents('attention_mask', 1), [0]), DataType.int32);
  const lengths = [emit.sub(counted, one), total];
  const caches = [weight(emit, 1, 40, 8), weight(emit, 2, 40, 8)];
  let sum = emit.op('Gather', [weight(emit, 3, 11, WIDTH), ids]);
  let branch = '';
  for (const seed of [10, 20]) {
    const gamma = weight(emit, seed, WIDTH);
    let normed = emit.op('SimplifiedLayerNormalization', [sum, gamma], {
      axis: -1,
      epsilon: { float: 1e-5 },
    });
    if (branch !== '')
      [normed = '', , , sum = ''] = emit.node(
        'SkipSimplifiedLayerNormalization',
        [sum, branch, gamma],
        {},
        { ...MICROSOFT, outputs: 4 },
      );
    const project = (offset: number, width: number): string =>
      emit.op('MatMul', [normed, weight(emit, seed + offset, WIDTH, width)]);
    const past = ['key', 'value'].map((kind) =>
      floatInput(emit, `past.${seed}.${kind}`, 'batch_size', 1, 'past_length', 16),
    );
    const inputs = [project(1, 32), project(2, 16), project(3, 16), ...past, ...lengths, ...caches];
    const attributes = { num_heads: 2, kv_num_heads: 1, do_rotary: 1 };
    const [context = '', ...present] = emit.node('GroupQueryAttention', inputs, attributes, {
      ...MICROSOFT,
      outputs: 3,
    });
    present.forEach((tensor, index) => {
      emit.output(`present.${seed}.${index}`, tensor);
    });
    branch = emit.op('MatMul', [context, weight(emit, seed + 4, 32, WIDTH)]);
  }
  const [normed = ''] = emit.node(
    'SkipSimplifiedLayerNormalization',
    [sum, branch, weight(emit, 5, WIDTH)],
    {},
    MICROSOFT,
  );
  emit.output('hidden', normed);
  emit.output('logits', emit.op('MatMul', [normed, weight(emit, 30, WIDTH, 3)]));
});

const feedsOf = (batch: number, length: number): Record<string, TensorValue> => ({
  input_ids: int64(
    Int32Array.from({ length: batch * length }, (_, index) => (index * 7) % 11),
    [batch, length],
  ),
  attention_mask: int64(new Int32Array(batch * length).fill(1), [batch, length]),
});
const emptyPast = (batch: number): Record<string, TensorValue> =>
  Object.fromEntries(
    ['past.10.key', 'past.10.value', 'past.20.key', 'past.20.value'].map((name) => [
      name,
      float32(new Float32Array(), [batch, 1, 0, 16]),
    ]),
  );
const none = (): Record<string, TensorValue> => ({});

describe.each([
  { name: 'an encoder', bytes: encoder, past: none },
  { name: 'a decoder', bytes: decoder, past: emptyPast },
])('$name that was optimised', ({ bytes, past }) => {
  it.each([
    [1, 1],
    [2, 5],
  ])('computes the same for %i × %i tokens', async (batch, length) => {
    const prepared = prepareGraph(bytes);
    const domains = new Set([...prepared.nodes].map(({ domain, opType }) => `${domain} ${opType}`));
    for (const opType of ['Attention', 'GroupQueryAttention', 'SkipLayerNormalization'])
      expect(domains).not.toContain(`com.microsoft ${opType}`);
    const feeds = { ...feedsOf(batch, length), ...past(batch) };
    const [expected, actual] = [await evaluate(Graph.read(bytes), feeds), await evaluate(prepared, feeds)];
    expect(Object.keys(actual)).toEqual(Object.keys(expected));
    for (const [output, value] of Object.entries(expected))
      expect(distance(actual[output], value)).toBeLessThan(1e-5);
  });

  it('has room for prompts with gates', async () => {
    const graph = prepareGraph(bytes);
    const { tensor, width } = findTokenEmbedding(graph);
    expect(width).toBe(WIDTH);
    const { embeddings } = injectPrompts(graph, tensor, width);
    addKeyBias(graph, embeddings);
    expect(graph.producer('hidden')?.inputs).toEqual([findLastHiddenState(graph, embeddings)]);
    const hidden = async (bias: number, prompt: number): Promise<TensorValue | undefined> => {
      const results = await evaluate(graph, {
        ...feedsOf(2, 4),
        ...past(2),
        prompt_embeddings: float32(randomFloats(prompt, 2 * WIDTH), [2, 1, WIDTH]),
        // The prompt stands first.
        prompt_order: int64([0, 2, 3, 4, 0, 2, 3, 4], [2, 4]),
        key_bias: float32(Float32Array.of(bias, 0, 0, 0, bias, 0, 0, 0), [2, 4]),
      });
      const { hidden: value } = results;
      // The prompt's own row changes in any case.
      const data = Float32Array.from(value?.data as Float32Array).filter(
        (_, index) => index % (4 * WIDTH) >= WIDTH,
      );
      return float32(data, [data.length]);
    };
    expect(distance(await hidden(0, 1), await hidden(0, 2))).toBeGreaterThan(1e-3);
    expect(distance(await hidden(-1e9, 1), await hidden(-1e9, 2))).toBeLessThan(1e-6);
  });

  it('has a gradient', async () => {
    const graph = prepareGraph(bytes);
    const { tensor } = findTokenEmbedding(graph);
    const session = await differentiate(bytes, {
      withRespectTo: [tensor],
      objective: { kind: 'vector-jacobian', output: 'logits' },
    });
    const upstream = float32(randomFloats(9, 2 * 4 * 3), [2, 4, 3]);
    const { gradients } = await session.run({ ...feedsOf(2, 4), ...past(2), upstream });
    await session.release();
    expect(gradients[tensor]?.dims).toEqual([2, 4, WIDTH]);
    expect(Array.from(gradients[tensor]?.data as Float32Array).some((value) => Math.abs(value) > 1e-3)).toBe(
      true,
    );
  });
});

it('takes a past that is a constant without elements for none', () => {
  const graph = prepareGraph(decoder, emptyPast(1));
  expect([...graph.inputs.keys()]).toEqual(['input_ids', 'attention_mask']);
  expect([...graph.nodes].filter(({ opType }) => opType === 'Where')).toHaveLength(1);
});

describe('forms without a gradient', () => {
  type Build = (emit: Emitter, x: string) => string;
  const contrib =
    (opType: string, more: readonly string[], values: Readonly<Record<string, AttributeValue>> = {}): Build =>
    (emit, x) =>
      emit.node(opType, [x, ...more], values, MICROSOFT)[0] ?? '';

  it.each<[string, Build, string]>([
    [
      'a packed batch',
      contrib('PackedAttention', ['w', 'w', 'n', 'n'], heads),
      'its rows are packed without padding',
    ],
    [
      'a gated bias',
      contrib('GatedRelativePositionBias', ['w', 'w', 'w', 'w', 'w'], heads),
      'gated by the activations',
    ],
    ['a mask of four axes', contrib('Attention', ['w', 'w', 'mask'], heads), 'its mask has 4 axes'],
    [
      'rotation without angles',
      contrib('Attention', ['w', 'w'], { ...heads, do_rotary: 1 }),
      'its attribute do_rotary is set',
    ],
    [
      'a shared buffer',
      contrib('Attention', ['w', 'w', '', '', '', 'n'], heads),
      'its input past_sequence_length is given',
    ],
    [
      'keys of unknown rank',
      contrib('MultiHeadAttention', ['unknown', 'unknown'], heads),
      'the rank of its query or key is not known',
    ],
    [
      'batch statistics',
      (emit, x) => emit.op('BatchNormalization', [x, 'w', 'w', 'w', 'w'], { training_mode: 1 }),
      'it is in training mode',
    ],
    [
      'an unknown activation',
      contrib('FusedGemm', ['w'], { activation: 'Softmax' }),
      'its activation Softmax is not known',
    ],
    [
      'a recurrence',
      (emit, x) => emit.op('GRU', [x, 'w', 'w'], { hidden_size: 2 }),
      'it is a recurrence over the tokens',
    ],
  ])('are refused by name: %s', async (_name, build, problem) => {
    const bytes = buildModel((emit) => {
      const x = floatInput(emit, 'x', 'B', 'S', 4);
      floatInput(emit, 'w', 4, 12);
      integerInput(emit, 'n', 1);
      emit.input({ name: 'mask', dataType: DataType.int32, dims: ['B', 1, 'S', 'S'] });
      emit.alias(emit.op('NonZero', [x]), 'unknown');
      emit.output('y', build(emit, x));
    });
    const options = { withRespectTo: ['x'], objective: { kind: 'vector-jacobian', output: 'y' } } as const;
    const failure = await differentiate(bytes, options).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(UnsupportedOperatorError);
    expect(String(failure)).toContain(problem);
  });
});
