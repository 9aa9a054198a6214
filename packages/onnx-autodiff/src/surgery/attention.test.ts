import { describe, expect, it } from '@jest/globals';
import { appendLossGradient, prepareGraph } from '../differentiate.js';
import { StructureNotFoundError } from '../errors.js';
import { Emitter } from '../graph/emitter.js';
import type { Graph } from '../graph/graph.js';
import type { ProbeInputs } from '../session/probe.js';
import { openSession } from '../session/session.js';
import { float32, floatsOf, int64, type TensorValue } from '../session/tensor-value.js';
import { attentionModel, type AttentionModelOptions } from '../testing/attention-model.js';
import { centralDifferences, withDoubleForward } from '../testing/double-precision.js';
import { buildModel, distance, evaluate, floatInput, relativeError } from '../testing/models.js';
import { randomFloats } from '../testing/random.js';
import { addKeyBias } from './attention.js';
import { findTokenEmbedding } from './prompts.js';

const variants: readonly (readonly [string, AttentionModelOptions])[] = [
  ['with a mask', { isMasked: true, layers: 2 }],
  ['without a mask', { isMasked: false, layers: 2 }],
  ['in operator set 18', { isMasked: true, opset: 18 }],
];

function biased(options: AttentionModelOptions): Graph {
  const graph = prepareGraph(attentionModel(options));
  addKeyBias(graph, findTokenEmbedding(graph).tensor);
  return graph;
}

function feedsOf(
  rows: readonly (readonly number[])[],
  { isMasked }: AttentionModelOptions,
  mask?: readonly number[],
): Record<string, TensorValue> {
  const dims = [rows.length, rows[0]?.length ?? 0];
  const ids = { input_ids: int64(rows.flat(), dims) };
  const ones = new Int32Array(rows.flat().length).fill(1);
  return isMasked === false ? ids : { ...ids, attention_mask: int64(mask ?? ones, dims) };
}

/** A bias for every key, row after row. */
function keyBias(values: ArrayLike<number>, batch: number): Record<string, TensorValue> {
  return { key_bias: float32(Float32Array.from(values), [batch, values.length / batch]) };
}

describe.each(variants)('key bias %s', (_name, options) => {
  const rows = [
    [1, 2, 3, 4],
    [5, 6, 7, 8],
    [9, 10, 0, 1],
  ];

  it('of 0 changes nothing', async () => {
    const feeds = feedsOf(rows, options);
    const [before, after] = [
      await evaluate(prepareGraph(attentionModel(options)), feeds),
      await evaluate(biased(options), { ...feeds, ...keyBias(new Float32Array(12), 3) }),
    ];
    expect(distance(after.logits, before.logits)).toBeLessThan(1e-6);
  });

  it('of −1e30 removes the key', async () => {
    const kept = rows.map((row) => row.slice(0, 3));
    const [removed, shorter] = [
      await evaluate(biased(options), {
        ...feedsOf(rows, options),
        ...keyBias([0, 0, 0, -1e30, 0, 0, 0, -1e30, 0, 0, 0, -1e30], 3),
      }),
      await evaluate(biased(options), { ...feedsOf(kept, options), ...keyBias(new Float32Array(9), 3) }),
    ];
    expect(distance(removed.logits, shorter.logits)).toBeLessThan(1e-6);
  });

  it('by row is that of the rows that take it', async () => {
    const byRow = prepareGraph(attentionModel(options));
    addKeyBias(byRow, findTokenEmbedding(byRow).tensor, true);
    const feeds = { ...feedsOf(rows, options), ...keyBias(randomFloats(5, 12, -2, 0), 3) };
    const shares = (...values: readonly number[]): Record<string, TensorValue> => ({
      gated_rows: float32(Float32Array.from([...values, ...values, ...values]), [3, 4]),
    });
    const [all, none, some] = [
      await evaluate(byRow, { ...feeds, ...shares(1, 1, 1, 1) }),
      await evaluate(byRow, { ...feeds, ...shares(0, 0, 0, 0) }),
      await evaluate(byRow, { ...feeds, ...shares(0, 1, 1, 1) }),
    ];
    expect(distance(all.logits, (await evaluate(biased(options), feeds)).logits)).toBeLessThan(1e-6);
    const unbiased = await evaluate(prepareGraph(attentionModel(options)), feedsOf(rows, options));
    expect(distance(none.logits, unbiased.logits)).toBeLessThan(1e-6);
    expect(distance(some.logits, all.logits)).toBeGreaterThan(1e-6);
  });

  it('has the gradient of finite differences', async () => {
    const graph = biased(options);
    const probe = (batch: number, length: number): Record<string, TensorValue> => ({
      ...feedsOf(
        Array.from({ length: batch }, () => Array.from({ length }, (_, index) => index)),
        options,
      ),
      ...keyBias(new Float32Array(batch * length), batch),
    });
    const probeInputs: ProbeInputs = [probe(2, 5), probe(4, 7)];
    const { loss, gradients } = await appendLossGradient(graph, {
      withRespectTo: ['key_bias'],
      objective: { kind: 'cross-entropy', output: 'logits' },
      probeInputs,
    });
    const emit = new Emitter(graph);
    graph.outputs.clear();
    emit.output('loss', loss);
    emit.output('gradient', gradients.get('key_bias'));
    const bias = float32(randomFloats(7, 12, -1, 0), [3, 4]);
    // The last example is padded.
    const feeds = {
      ...feedsOf(rows, options, [1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0]),
      labels: int64([0, 1, 2], [3]),
    };
    const session = await openSession(graph);
    const { gradient } = await session.run({ ...feeds, key_bias: bias });
    await session.release();
    graph.outputs.delete('gradient');
    await withDoubleForward(graph, feeds, async (forward) => {
      const inputs = { key_bias: { dims: bias.dims, data: Float64Array.from(floatsOf(bias)) } };
      const expected = await centralDifferences(forward, inputs, 'key_bias', [1]);
      expect(relativeError(floatsOf(gradient), expected)).toBeLessThan(1e-5);
    });
  });
});

describe('where the bias goes', () => {
  const sumsWithBias = (graph: Graph): number => {
    const [column] = graph.consumers('key_bias');
    return graph.consumers(column?.outputs[0] ?? '').length;
  };

  it('is once into a mask that all layers share', () => {
    expect(sumsWithBias(biased({ isMasked: true, layers: 3 }))).toBe(1);
  });

  it('is into the scores of every layer without a mask', () => {
    expect(sumsWithBias(biased({ isMasked: false, layers: 3 }))).toBe(3);
  });

  it('is found in operator set 11, whose softmax names the last axis by number', () => {
    const model = buildModel((emit) => {
      const heads = emit.transpose(floatInput(emit, 'x', 'batch', 'length', 2, 4), [0, 2, 1, 3]);
      const scores = emit.op('MatMul', [heads, emit.transpose(heads, [0, 1, 3, 2])]);
      emit.output('y', emit.op('MatMul', [emit.op('Softmax', [scores], { axis: 3 }), heads]));
    }, 11);
    const graph = prepareGraph(model);
    expect(addKeyBias(graph, 'x')).toBe('key_bias');
    expect(sumsWithBias(graph)).toBe(1);
  });

  it('is nowhere without attention', () => {
    const graph = prepareGraph(
      buildModel((emit) => {
        emit.output('y', emit.op('Softmax', [floatInput(emit, 'x', 1, 4)]));
      }),
    );
    expect(() => addKeyBias(graph, 'x')).toThrow(StructureNotFoundError);
    expect(() => addKeyBias(prepareGraph(attentionModel()), 'labels')).toThrow(StructureNotFoundError);
  });
});
