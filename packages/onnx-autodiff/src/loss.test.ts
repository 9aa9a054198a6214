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
