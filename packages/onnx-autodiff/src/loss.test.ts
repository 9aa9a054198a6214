import { describe, expect, it } from '@jest/globals';
import { differentiate, type GradientResult } from './differentiate.js';
import { RuntimeFailureError } from './errors.js';
import { elementCount } from './graph/tensor-data.js';
import { float32, floatsOf, int64 } from './session/tensor-value.js';
import { buildModel, floatInput, relativeError } from './testing/models.js';
import { randomFloats } from './testing/random.js';

async function crossEntropyOf(dims: readonly number[], labels: readonly number[]): Promise<GradientResult> {
  const model = buildModel((emit) => {
    const declared = dims.map((extent, axis) => (axis === dims.length - 1 ? extent : `axis.${axis}`));
    emit.output('logits', emit.op('Identity', [floatInput(emit, 'x', ...declared)]));
  });
  const session = await differentiate(model, {
    withRespectTo: ['x'],
    objective: { kind: 'cross-entropy', output: 'logits' },
  });
  try {
    return await session.run({
      x: float32(randomFloats(3, elementCount(dims), -4, 4), dims),
      labels: int64(labels, dims.slice(0, -1)),
    });
  } finally {
    await session.release();
  }
}

/** Loss and gradient in float64: −mean ln softmax over the labels that count. */
function reference(dims: readonly number[], labels: readonly number[]): { loss: number; gradient: number[] } {
  const logits = randomFloats(3, elementCount(dims), -4, 4);
  const classes = dims.at(-1) ?? 0;
  const count = Math.max(1, labels.filter((label) => label !== -100).length);
  let loss = 0;
  const gradient = labels.flatMap((label, row) => {
    const scores = Array.from(logits.subarray(row * classes, (row + 1) * classes));
    const total = scores.reduce((sum, score) => sum + Math.exp(score), 0);
    if (label === -100) return scores.map(() => 0);
    loss -= Math.log(Math.exp(scores[label] ?? 0) / total) / count;
    return scores.map((score, index) => (Math.exp(score) / total - (index === label ? 1 : 0)) / count);
  });
  return { loss, gradient };
}

describe('cross-entropy', () => {
  it.each<[string, number[], number[]]>([
    ['a batch', [4, 5], [0, 4, 2, 2]],
    ['a batch of 1', [1, 5], [3]],
    ['ignored labels', [4, 5], [-100, 4, -100, 2]],
    ['nothing but ignored labels', [2, 5], [-100, -100]],
    ['a language model', [2, 3, 7], [0, -100, 6, 1, 1, -100]],
    ['a language model, batch of 1', [1, 3, 7], [5, 0, -100]],
    ['a single row', [6], [2]],
  ])('of %s agrees with float64', async (_name, dims, labels) => {
    const { loss, gradients } = await crossEntropyOf(dims, labels);
    const expected = reference(dims, labels);
    expect(Math.abs((loss ?? Number.NaN) - expected.loss)).toBeLessThan(1e-6);
    expect(relativeError(floatsOf(gradients.x), expected.gradient)).toBeLessThan(1e-6);
  });

  it.each([-1, -5, 5, 100])('refuses the label %i of 5 classes', async (label) => {
    await expect(crossEntropyOf([2, 5], [0, label])).rejects.toThrow(RuntimeFailureError);
  });
});

describe('mean squared error', () => {
  const weights = randomFloats(5, 12);
  const open = () =>
    differentiate(
      buildModel((emit) => {
        const x = floatInput(emit, 'x', 'batch', 4);
        emit.output('y', emit.op('Tanh', [emit.op('MatMul', [x, emit.floats(weights, [4, 3])])]));
      }),
      { withRespectTo: ['x'], objective: { kind: 'mean-squared-error', output: 'y' } },
    );
  /** (1/n) Σ (tanh(x W) − t)² in float64. */
  const expected = (x: ArrayLike<number>, targets: Float32Array): number => {
    const squares = Array.from(targets, (target, index) => {
      const [row, column] = [Math.floor(index / 3), index % 3];
      let sum = 0;
      for (let inner = 0; inner < 4; inner++)
        sum += (x[row * 4 + inner] ?? 0) * (weights[inner * 3 + column] ?? 0);
      return (Math.tanh(sum) - target) ** 2;
    });
    return squares.reduce((sum, square) => sum + square, 0) / squares.length;
  };

  it.each([1, 2, 5])(
    'of %i rows agrees with float64, its gradient with finite differences',
    async (batch) => {
      const session = await open();
      const x = randomFloats(6, batch * 4);
      const targets = randomFloats(7, batch * 3, -2, 2);
      const feeds = { x: float32(x, [batch, 4]), targets: float32(targets, [batch, 3]) };
      const { loss, gradients } = await session.run(feeds);
      await session.release();
      expect(Math.abs((loss ?? Number.NaN) - expected(x, targets))).toBeLessThan(1e-6);
      const shifted = (index: number, shift: number): number =>
        expected(
          Array.from(x, (value, at) => (at === index ? value + shift : value)),
          targets,
        );
      const slopes = Array.from(x, (_, index) => (shifted(index, 1e-5) - shifted(index, -1e-5)) / 2e-5);
      expect(relativeError(floatsOf(gradients.x), slopes)).toBeLessThan(1e-5);
    },
  );

  it('is 0 with a gradient of 0 where every value is its target', async () => {
    const session = await open();
    const feeds = { x: float32(new Float32Array(8), [2, 4]), targets: float32(new Float32Array(6), [2, 3]) };
    const { loss, gradients } = await session.run(feeds);
    await session.release();
    expect(loss).toBe(0);
    expect([...floatsOf(gradients.x)].every((value) => value === 0)).toBe(true);
  });

  it.each([
    [2, 2],
    [1, 3],
  ])('refuses targets [%i, %i] for values [2, 3]', async (...dims) => {
    const session = await open();
    const targets = float32(new Float32Array(elementCount(dims)), dims);
    const feeds = { x: float32(new Float32Array(8), [2, 4]), targets };
    await expect(session.run(feeds)).rejects.toThrow(RuntimeFailureError);
    await session.release();
  });
});
