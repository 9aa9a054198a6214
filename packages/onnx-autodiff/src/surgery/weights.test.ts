import { describe, expect, it } from '@jest/globals';
import { appendLossGradient, prepareGraph } from '../differentiate.js';
import { Emitter } from '../graph/emitter.js';
import type { Graph } from '../graph/graph.js';
import type { Tensor } from '../graph/types.js';
import { openSession } from '../session/session.js';
import { float32, floatsOf, int64, type TensorValue } from '../session/tensor-value.js';
import { attentionModel, VOCABULARY, WIDTH } from '../testing/attention-model.js';
import { centralDifferences, withDoubleForward } from '../testing/double-precision.js';
import {
  buildGraph,
  buildModel,
  distance,
  evaluate,
  integerInput,
  relativeError,
} from '../testing/models.js';
import { randomFloats } from '../testing/random.js';
import { feedWeights, findWeights, tieWeights } from './weights.js';
import { tensorValues } from '../graph/tensor-data.js';

const ids = int64([1, 2, 1, 3, 4, 4, 4, 10], [2, 4]);
const feeds = { input_ids: ids, attention_mask: int64([1, 1, 1, 1, 1, 1, 1, 0], [2, 4]) };

function valuesOf(weights: readonly Tensor[]): Record<string, TensorValue> {
  return Object.fromEntries(
    weights.map((weight) => [weight.name, float32(Float32Array.from(tensorValues(weight)), weight.dims)]),
  );
}

/** A graph that looks 4096 tokens up in a table of two rows, and sums what they become. */
function manyLookups(): Graph {
  return buildGraph((emit) => {
    const table = emit.floats(randomFloats(1, 2 * 64), [2, 64]);
    const rows = emit.op('Gather', [table, integerInput(emit, 'ids', 'B', 'T')]);
    emit.output('y', emit.op('Tanh', [rows]));
  });
}

describe('weights', () => {
  it('are what the output depends on: not scalars, nor what other outputs read', () => {
    const graph = prepareGraph(attentionModel({ layers: 2 }));
    const all = findWeights(graph, 'logits');
    // A table, six matrices and vectors a layer, weight and bias of the head.
    expect(all.map(({ dims }) => dims.join())).toHaveLength(1 + 2 * 6 + 2);
    const withoutHead = findWeights(graph, 'hidden');
    expect(withoutHead).toHaveLength(1 + 2 * 6);
    expect(all).toEqual(expect.arrayContaining([...withoutHead]));
    expect(all.every(({ dims }) => dims.length > 0)).toBe(true);
  });

  it('can be fed with every run, and have the gradient of finite differences', async () => {
    const graph = prepareGraph(attentionModel({ layers: 2 }));
    const weights = findWeights(graph, 'logits');
    const names = weights.map(({ name }) => name);
    const { loss, gradients } = await appendLossGradient(graph, {
      withRespectTo: names,
      objective: { kind: 'cross-entropy', output: 'logits' },
    });
    const emit = new Emitter(graph);
    emit.output('loss', loss);
    for (const name of names) emit.output(`${name}.gradient`, gradients.get(name));
    feedWeights(graph, weights);
    const values = valuesOf(weights);
    const labels = int64([0, 2], [2]);
    const session = await openSession(graph, { threads: 2 });
    const results = await session.run({ ...feeds, labels, ...values });
    await session.release();
    const plain = await evaluate(prepareGraph(attentionModel({ layers: 2 })), feeds);
    expect(distance(results.logits, plain.logits)).toBeLessThan(1e-6);

    for (const output of [...graph.outputs.keys()]) if (output !== 'loss') graph.outputs.delete(output);
    await withDoubleForward(graph, { ...feeds, labels }, async (forward) => {
      const doubles = Object.fromEntries(
        Object.entries(values).map(([name, value]) => [
          name,
          { dims: value.dims, data: Float64Array.from(floatsOf(value)) },
        ]),
      );
      for (const name of names) {
        const actual = results[`${name}.gradient`];
        expect(actual?.dims).toEqual(values[name]?.dims);
        const expected = await centralDifferences(forward, doubles, name, [1]);
        expect(relativeError(floatsOf(actual), expected)).toBeLessThan(2e-5);
      }
    });
  });

  it('of a table that thousands of tokens share get every one of their gradients, in one order', async () => {
    const graph = manyLookups();
    const [table] = findWeights(graph, 'y');
    if (!table) throw new Error('no table');
    const { gradients } = await appendLossGradient(graph, {
      withRespectTo: [table.name],
      objective: { kind: 'vector-jacobian', output: 'y' },
    });
    new Emitter(graph).output('gradient', gradients.get(table.name));
    const [batch, length] = [32, 128];
    const tokens = Array.from({ length: batch * length }, (_, index) => ((7 * index) % 3 === 0 ? 1 : 0));
    const upstream = randomFloats(3, batch * length * 64);
    const rows = tensorValues(table);
    const expected = new Float64Array(2 * 64);
    upstream.forEach((value, index) => {
      const place = (tokens[Math.floor(index / 64)] ?? 0) * 64 + (index % 64);
      expected[place] = (expected[place] ?? 0) + value * (1 - Math.tanh(rows[place] ?? 0) ** 2);
    });
    const session = await openSession(graph, { threads: 4 });
    const run = async (): Promise<Float32Array> => {
      const given = { ids: int64(tokens, [batch, length]), upstream: float32(upstream, [batch, length, 64]) };
      return floatsOf((await session.run(given)).gradient);
    };
    const first = await run();
    expect(relativeError(first, expected)).toBeLessThan(1e-5);
    for (let again = 0; again < 10; again++) expect(await run()).toEqual(first);
    await session.release();
  });
});

describe('tied weights', () => {
  const table = randomFloats(1, VOCABULARY * WIDTH);
  const transposed = table.map(
    (_, at) => table[(at % VOCABULARY) * WIDTH + Math.floor(at / VOCABULARY)] ?? 0,
  );
  /** Tokens looked up in a table and scored against `output`, a copy of it. */
  const model = (output: Float32Array, isTransposed: boolean): Graph =>
    prepareGraph(
      buildModel((emit) => {
        const given = integerInput(emit, 'input_ids', 'B', 'T');
        const rows = emit.op('Gather', [emit.floats(table, [VOCABULARY, WIDTH]), given]);
        const hidden = emit.op('Tanh', [rows]);
        const copy = emit.floats(output, isTransposed ? [WIDTH, VOCABULARY] : [VOCABULARY, WIDTH]);
        const logits = isTransposed
          ? emit.op('MatMul', [hidden, copy])
          : emit.op('MatMul', [hidden, emit.transpose(copy, [1, 0])]);
        emit.output('logits', logits);
      }),
    );

  it.each([
    ['transposed', transposed, true],
    ['as it is', table, false],
  ])('that were written twice, the second time %s, become one', async (_name, output, isTransposed) => {
    const graph = model(output, isTransposed);
    expect(findWeights(graph, 'logits')).toHaveLength(2);
    expect(tieWeights(graph)).toHaveLength(1);
    const weights = findWeights(graph, 'logits');
    expect(weights.map(({ dims }) => dims)).toEqual([[VOCABULARY, WIDTH]]);
    const given = { input_ids: ids };
    const expected = await evaluate(model(output, isTransposed), given);
    expect(distance((await evaluate(graph, given)).logits, expected.logits)).toBeLessThan(1e-6);
  });

  it('stay two where they differ in one number', () => {
    const other = transposed.slice();
    other[17] = 0.25;
    const graph = model(other, true);
    expect(tieWeights(graph)).toEqual([]);
    expect(findWeights(graph, 'logits')).toHaveLength(2);
  });
});
