import { describe, expect, it } from '@jest/globals';
import type { Emitter } from '../graph/emitter.js';
import { float32, floatsOf, int64, type TensorValue } from '../session/tensor-value.js';
import { buildGraph, evaluate, floatInput } from '../testing/models.js';
import { randomFloats } from '../testing/random.js';
import { widenPositionBiases } from './position-bias.js';
import { injectPrompts } from './prompts.js';

const [ROWS, WIDTH, HEADS] = [3, 4, 2];
const table = randomFloats(1, HEADS * ROWS * ROWS);

/** Scores of `layers` layers x xᵀ + bias [1, h, 3, 3] on tokens x [B, 1, 3, 4]; `y` is the sum of their softmaxes. */
function model(layers: number, bias: (emit: Emitter) => string): ReturnType<typeof buildGraph> {
  return buildGraph((emit) => {
    const tokens = emit.op('Identity', [floatInput(emit, 'x', 'batch', ROWS, WIDTH)]);
    emit.alias(tokens, 'tokens');
    const heads = emit.unsqueeze('tokens', [1]);
    const scores = emit.op('MatMul', [heads, emit.transpose(heads, [0, 1, 3, 2])]);
    const shared = bias(emit);
    const weights = Array.from({ length: layers }, () => emit.op('Softmax', [emit.add(scores, shared)]));
    emit.output('y', emit.op('Sum', weights));
  });
}
const square = (emit: Emitter): string => emit.floats(table, [1, HEADS, ROWS, ROWS]);

describe('position biases', () => {
  it('follow the order of the rows, and are 0 for prompts', async () => {
    const graph = model(1, square);
    const injection = injectPrompts(graph, 'tokens', WIDTH);
    expect(widenPositionBiases(graph, injection)).toBe(1);
    const order = [1, 0, 2, 3, 2, 3, 1, 0];
    const feeds: Record<string, TensorValue> = {
      x: float32(new Float32Array(2 * ROWS * WIDTH), [2, ROWS, WIDTH]),
      prompt_embeddings: float32(new Float32Array(2 * WIDTH), [2, 1, WIDTH]),
      prompt_order: int64(order, [2, 4]),
    };
    const { y } = await evaluate(graph, feeds);
    expect(y?.dims).toEqual([2, HEADS, 4, 4]);
    // All tokens are 0, so the scores are the biases alone.
    const expected = [0, 1].flatMap((example) =>
      [0, 1].flatMap((head) =>
        [0, 1, 2, 3].flatMap((row) => {
          const place = (at: number): number => (order[4 * example + at] ?? 0) - 1;
          const scores = [0, 1, 2, 3].map((column) =>
            place(row) < 0 || place(column) < 0
              ? 0
              : (table[(head * ROWS + place(row)) * ROWS + place(column)] ?? 0),
          );
          const sum = scores.reduce((total, score) => total + Math.exp(score), 0);
          return scores.map((score) => Math.exp(score) / sum);
        }),
      ),
    );
    floatsOf(y).forEach((value, index) => {
      expect(value).toBeCloseTo(expected[index] ?? Number.NaN, 6);
    });
  });

  it('that layers share are widened once, computed ones too', () => {
    const graph = model(3, (emit) => emit.op('Tanh', [square(emit)]));
    expect(widenPositionBiases(graph, injectPrompts(graph, 'tokens', WIDTH))).toBe(1);
  });

  it('leave scalars, vectors and masks made from the tokens alone', () => {
    const one = model(1, (emit) => emit.float(1));
    const length = model(1, (emit) => emit.cast(emit.extents('tokens', 1), 1));
    for (const graph of [one, length]) {
      expect(widenPositionBiases(graph, injectPrompts(graph, 'tokens', WIDTH))).toBe(0);
    }
  });
});
