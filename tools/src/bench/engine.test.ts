import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { miniBert } from '@dynaprompt/mini-models';
import { floatsOf, openSession, type Graph, type TensorValue } from '@dynaprompt/onnx-autodiff';
import { describe, expect, it, jest } from '@jest/globals';
import { feedsOf, prepareForward, prepareGradient, type Workload } from './engine-graphs.js';
import { benchEngine, ratiosOf } from './engine.js';
import { cosine } from './measure.js';

const small = { batch: 1, sequence: 6, prompt: 2, rounds: 1, threads: 1 } as const;
const mini = {
  ...small,
  model: join(miniBert, 'onnx', 'model.onnx'),
  objective: 'pooled',
  compute: 'fp32',
} as const;
/** One that classifies by the first row of its last hidden state. */
const classifier: Workload = {
  model: fileURLToPath(
    new URL('../../../packages/onnx-autodiff/fixtures/bert-opset14/model.onnx', import.meta.url),
  ),
  ...small,
  objective: 'own',
  compute: 'fp32',
};

async function run(
  graph: Graph,
  feeds: Readonly<Record<string, TensorValue>>,
): Promise<Record<string, TensorValue>> {
  const session = await openSession(graph, { threads: 1 });
  try {
    return await session.run(feeds);
  } finally {
    await session.release();
  }
}

describe('the benchmark of the engine', () => {
  it('reports what it ran on, and how near int8 comes to float32', async () => {
    const warn = jest.spyOn(process, 'emitWarning').mockReturnValue(undefined);
    const missing = process.platform === 'darwin' ? 'dml' : 'coreml';
    const report = (await benchEngine({ ...mini, compute: 'int8', provider: missing })) as {
      gradientCosine: number;
    };
    expect(report).toMatchObject({
      compute: 'int8',
      provider: { asked: missing, used: 'cpu' },
      milliseconds: {
        forward: expect.anything(),
        forwardSelected: expect.anything(),
        forwardBackward: expect.anything(),
      },
      ratios: { backward: expect.any(Number), backwardSelected: expect.any(Number) },
    });
    expect(warn).toHaveBeenCalled();
    warn.mockRestore();
    expect(report.gradientCosine).toBeGreaterThan(0.95);
    expect(report.gradientCosine).toBeLessThan(0.999999);
  });

  it('compares nothing in float32, on the cpu', async () => {
    const report = await benchEngine(mini);
    expect(report).toMatchObject({ compute: 'fp32', provider: { asked: 'cpu', used: 'cpu' } });
    expect(report).not.toHaveProperty('gradientCosine');
    expect(report).not.toHaveProperty('ratios.toTorch');
  });

  it('divides the gradient by the forward as it is, and by the one that leaves out rows', () => {
    const timing = (median: number) => ({ median, minimum: 0, maximum: 99 });
    const timings = { forward: timing(4), forwardSelected: timing(2), forwardBackward: timing(6) };
    expect(ratiosOf(timings)).toEqual({ backward: 1.5, backwardSelected: 3 });
    const torch = { torchForward: timing(8), torchForwardBackward: timing(5) };
    expect(ratiosOf({ ...timings, ...torch })).toMatchObject({ toTorch: 1.2, forwardToTorch: 0.5 });
  });
});

describe('the forward graph that leaves out rows', () => {
  it('has the logits of the model as it is, from fewer rows', async () => {
    const { graph, selectedForward, workload } = await prepareGradient(classifier);
    const whole = prepareForward(classifier);
    const { forward, gradient } = feedsOf(workload, 2, 6, 2);
    const [expected, actual] = [await run(whole, forward), await run(selectedForward, forward)];
    expect(actual.bench_logits?.dims).toEqual([2, 2]);
    const differences = floatsOf(actual.bench_logits).map(
      (value, index) => value - (floatsOf(expected.bench_logits)[index] ?? NaN),
    );
    expect(Math.max(...differences.map(Math.abs))).toBeLessThan(1e-5);
    // Selecting a row early is a Slice in place of the Gather at the end.
    const slices = (each: Graph): number =>
      each.sortedNodes().filter(({ opType }) => opType === 'Slice').length;
    expect(slices(selectedForward)).toBeGreaterThan(slices(whole));
    const { loss } = await run(graph, { ...forward, ...gradient });
    const [a, b] = [...floatsOf(expected.bench_logits)].slice(0, 2).map(Math.exp);
    const [c, d] = [...floatsOf(expected.bench_logits)].slice(2).map(Math.exp);
    // Every label is the first class.
    const crossEntropy = -(Math.log(part(a, b)) + Math.log(part(c, d))) / 2;
    expect(floatsOf(loss)[0]).toBeCloseTo(crossEntropy, 5);
  });
});

function part(own = NaN, other = NaN): number {
  return own / (own + other);
}

it('measures the cosine of the angle between vectors', () => {
  expect(cosine(Float32Array.of(3, 0), Float32Array.of(1, 1))).toBeCloseTo(Math.SQRT1_2, 12);
  expect(cosine(Float32Array.of(1, 2), Float32Array.of(-2, -4))).toBeCloseTo(-1, 12);
});
