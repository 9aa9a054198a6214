import { describe, expect, it } from '@jest/globals';
import type { Emitter } from '../graph/emitter.js';
import { Graph } from '../graph/graph.js';
import { elementCount } from '../graph/tensor-data.js';
import { DataType } from '../graph/types.js';
import { float32 } from '../session/tensor-value.js';
import { buildModel, distance, evaluate, floatInput } from '../testing/models.js';
import { randomFloats } from '../testing/random.js';
import { fuse, normalise, type FusionCounts } from './index.js';

type Inputs = Readonly<Record<string, readonly number[]>>;
type Build = (emit: Emitter) => string;

/** Fuses a model and expects its output to stay the same; returns the counts that are not zero. */
async function fusions(inputs: Inputs, build: Build, opset = 17): Promise<FusionCounts> {
  const bytes = buildModel((emit) => {
    for (const [name, dims] of Object.entries(inputs)) {
      floatInput(emit, name, ...dims.map((_extent, axis) => `${name}.${axis}`));
    }
    emit.output('y', build(emit));
  }, opset);
  const graph = Graph.read(bytes);
  normalise(graph);
  const counts = fuse(graph);
  const feeds = Object.fromEntries(
    Object.entries(inputs).map(([name, dims], index) => [
      name,
      float32(randomFloats(index + 1, elementCount(dims)), dims),
    ]),
  );
  const [before, after] = [await evaluate(Graph.read(bytes), feeds), await evaluate(graph, feeds)];
  expect(after.y?.dims).toEqual(before.y?.dims);
  expect(distance(after.y, before.y)).toBeLessThan(1e-6);
  return Object.fromEntries(Object.entries(counts).filter(([, count]) => count > 0));
}

const vector = (emit: Emitter, seed: number, width = 4): string =>
  emit.floats(randomFloats(seed, width, 0.5, 1.5), [width]);
const mean = (emit: Emitter, x: string, axes: readonly number[] = [-1], keepdims = 1): string =>
  emit.op('ReduceMean', [x], { axes, keepdims });
const square = (emit: Emitter, x: string): string => emit.op('Pow', [x, emit.float(2)]);

interface Normalisation {
  readonly axes?: readonly number[];
  readonly squared?: (emit: Emitter, x: string) => string;
  readonly gamma?: (emit: Emitter) => string;
  readonly beta?: (emit: Emitter) => string;
  readonly isSwapped?: boolean;
}

/** Layer normalisation as torch writes it before operator set 17. */
const layerNormalisation =
  (options: Normalisation = {}): Build =>
  (emit) => {
    const { axes = [-1], squared = square, isSwapped = false } = options;
    const centred = emit.sub('x', mean(emit, 'x', axes));
    const variance = mean(emit, squared(emit, centred), axes);
    const deviation = emit.op('Sqrt', [emit.add(variance, emit.float(1e-5))]);
    const normalised = emit.div(centred, deviation);
    const gamma = (options.gamma ?? ((e) => vector(e, 5)))(emit);
    const beta = (options.beta ?? ((e) => vector(e, 6)))(emit);
    return isSwapped
      ? emit.add(beta, emit.mul(gamma, normalised))
      : emit.add(emit.mul(normalised, gamma), beta);
  };

const x = { x: [2, 3, 4] };

describe('layer normalisation', () => {
  it.each<[string, Build]>([
    ['as torch writes it', layerNormalisation()],
    ['with the operands swapped', layerNormalisation({ isSwapped: true })],
    ['squared by a product', layerNormalisation({ squared: (emit, v) => emit.mul(v, v) })],
    ['over an axis counted from the front', layerNormalisation({ axes: [2] })],
  ])('is fused %s', async (_name, build) => {
    expect(await fusions(x, build)).toEqual({ layerNormalization: 1 });
  });

  it.each<[string, Inputs, Build]>([
    ['over another axis', { x: [2, 4, 4] }, layerNormalisation({ axes: [1] })],
    ['over two axes', { x: [2, 4, 4] }, layerNormalisation({ axes: [1, 2] })],
    ['with one gamma for all features', x, layerNormalisation({ gamma: (emit) => vector(emit, 1, 1) })],
    ['with one beta for all features', x, layerNormalisation({ beta: (emit) => vector(emit, 1, 1) })],
    ['with a computed gamma', x, layerNormalisation({ gamma: (emit) => mean(emit, 'x', [0]) })],
    [
      'of a cube',
      x,
      layerNormalisation({ squared: (emit, v) => emit.op('Pow', [emit.mul(v, v), emit.float(1)]) }),
    ],
    [
      'centred by another mean',
      { ...x, z: [2, 3, 4] },
      (emit) => {
        const centred = emit.sub('x', mean(emit, 'z'));
        const deviation = emit.op('Sqrt', [emit.add(mean(emit, square(emit, centred)), emit.float(1e-5))]);
        return emit.add(emit.mul(emit.div(centred, deviation), vector(emit, 1)), vector(emit, 2));
      },
    ],
    [
      'whose normalised value is read twice',
      x,
      (emit) => {
        const centred = emit.sub('x', mean(emit, 'x'));
        const deviation = emit.op('Sqrt', [emit.add(mean(emit, square(emit, centred)), emit.float(1e-5))]);
        const normalised = emit.div(centred, deviation);
        return emit.add(emit.add(emit.mul(normalised, vector(emit, 1)), vector(emit, 2)), normalised);
      },
    ],
  ])('is left alone %s', async (_name, inputs, build) => {
    expect(await fusions(inputs, build)).toEqual({});
  });

  it('is left alone where the mean drops its axis', async () => {
    const build: Build = (emit) => {
      const centred = emit.sub('x', emit.unsqueeze(mean(emit, 'x', [-1], 0), [-1]));
      const variance = emit.unsqueeze(mean(emit, square(emit, centred), [-1], 0), [-1]);
      const deviation = emit.op('Sqrt', [emit.add(variance, emit.float(1e-5))]);
      return emit.add(emit.mul(emit.div(centred, deviation), vector(emit, 1)), vector(emit, 2));
    };
    expect(await fusions(x, build)).toEqual({});
  });
});

/** Root-mean-square normalisation as T5 and Llama are exported. */
const rmsNormalisation =
  (axes: readonly number[] = [-1], isReciprocal = false, width = 4): Build =>
  (emit) => {
    const root = emit.op('Sqrt', [emit.add(mean(emit, square(emit, 'x'), axes), emit.float(1e-6))]);
    const inverse = isReciprocal ? emit.op('Reciprocal', [root]) : emit.div(emit.float(1), root);
    return emit.mul(vector(emit, 3, width), emit.mul('x', inverse));
  };

describe('root-mean-square normalisation', () => {
  it.each<[string, Build]>([
    ['by a division', rmsNormalisation()],
    ['by a reciprocal', rmsNormalisation([-1], true)],
    [
      'of a copy cast to float32',
      (emit) => {
        const copy = emit.cast('x', DataType.float32);
        const root = emit.op('Sqrt', [emit.add(mean(emit, square(emit, copy)), emit.float(1e-6))]);
        return emit.mul(vector(emit, 3), emit.mul('x', emit.div(emit.float(1), root)));
      },
    ],
  ])('is fused %s', async (_name, build) => {
    expect(await fusions(x, build)).toEqual({ rmsNormalization: 1 });
  });

  it.each<[string, Inputs, Build]>([
    ['over another axis', { x: [2, 4, 4] }, rmsNormalisation([1])],
    ['with one gamma for all features', x, rmsNormalisation([-1], false, 1)],
    [
      'of another tensor',
      { ...x, z: [2, 3, 4] },
      (emit) => {
        const root = emit.op('Sqrt', [emit.add(mean(emit, square(emit, 'z')), emit.float(1e-6))]);
        return emit.mul(vector(emit, 3), emit.mul('x', emit.div(emit.float(1), root)));
      },
    ],
    [
      'of twice the inverse',
      x,
      (emit) => {
        const root = emit.op('Sqrt', [emit.add(mean(emit, square(emit, 'x')), emit.float(1e-6))]);
        return emit.mul(vector(emit, 3), emit.mul('x', emit.div(emit.float(2), root)));
      },
    ],
  ])('is left alone %s', async (_name, inputs, build) => {
    expect(await fusions(inputs, build)).toEqual({});
  });
});

describe('GELU', () => {
  const onePlusErf = (emit: Emitter, divisor = Math.SQRT2, one = 1): string =>
    emit.add(emit.op('Erf', [emit.div('x', emit.float(divisor))]), emit.float(one));

  it.each<[string, Build]>([
    ['(x · (1 + erf)) · ½', (emit) => emit.mul(emit.mul('x', onePlusErf(emit)), emit.float(0.5))],
    ['(½ · x) · (1 + erf)', (emit) => emit.mul(emit.mul(emit.float(0.5), 'x'), onePlusErf(emit))],
    [
      'x · √½ inside, swapped',
      (emit) => {
        const erf = emit.op('Erf', [emit.mul('x', emit.float(Math.SQRT1_2))]);
        return emit.mul(emit.float(0.5), emit.mul(emit.add(emit.float(1), erf), 'x'));
      },
    ],
  ])('is fused as %s', async (_name, build) => {
    expect(await fusions(x, build)).toEqual({ gelu: 1 });
  });

  it.each<[string, Inputs, Build]>([
    ['by √3', x, (emit) => emit.mul(emit.mul('x', onePlusErf(emit, Math.sqrt(3))), emit.float(0.5))],
    ['plus 2', x, (emit) => emit.mul(emit.mul('x', onePlusErf(emit, Math.SQRT2, 2)), emit.float(0.5))],
    ['times 0.4', x, (emit) => emit.mul(emit.mul('x', onePlusErf(emit)), emit.float(0.4))],
    [
      'gating another tensor',
      { ...x, z: [2, 3, 4] },
      (emit) => emit.mul(emit.mul('z', onePlusErf(emit)), emit.float(0.5)),
    ],
    [
      'whose inner sum is read twice',
      x,
      (emit) => {
        const sum = onePlusErf(emit);
        return emit.add(emit.mul(emit.mul('x', sum), emit.float(0.5)), sum);
      },
    ],
  ])('is left alone %s', async (_name, inputs, build) => {
    expect(await fusions(inputs, build)).toEqual({});
  });
});

describe('GELU by tanh', () => {
  const tanhGelu =
    (cube: Build, { root = Math.sqrt(2 / Math.PI), cubic = 0.044715 } = {}): Build =>
    (emit) => {
      const sum = emit.add('x', emit.mul(cube(emit), emit.float(cubic)));
      const tanh = emit.op('Tanh', [emit.mul(sum, emit.float(root))]);
      return emit.mul(emit.mul('x', emit.float(0.5)), emit.add(tanh, emit.float(1)));
    };
  const power: Build = (emit) => emit.op('Pow', ['x', emit.float(3)]);

  it('is fused with a power and with products', async () => {
    expect(await fusions(x, tanhGelu(power))).toEqual({ tanhGelu: 1 });
    expect(
      await fusions(
        x,
        tanhGelu((emit) => emit.mul('x', emit.mul('x', 'x'))),
      ),
    ).toEqual({ tanhGelu: 1 });
  });

  it.each<[string, Build]>([
    ['with another root', tanhGelu(power, { root: 0.8 })],
    ['with another cubic term', tanhGelu(power, { cubic: 0.05 })],
    ['with a square', tanhGelu((emit) => emit.op('Pow', ['x', emit.float(2)]))],
    ['with a fourth power', tanhGelu((emit) => emit.mul(emit.mul('x', 'x'), emit.mul('x', 'x')))],
  ])('is left alone %s', async (_name, build) => {
    expect(await fusions(x, build)).toEqual({});
  });
});

describe('attention product', () => {
  const heads = { q: [2, 3, 5, 4], k: [2, 3, 6, 4] };
  const keys = (emit: Emitter, perm: readonly number[] = [0, 1, 3, 2]): string => emit.transpose('k', perm);

  it.each<[string, Inputs, Build]>([
    ['divided by a scale', heads, (emit) => emit.div(emit.op('MatMul', ['q', keys(emit)]), emit.float(2))],
    ['times a scale', heads, (emit) => emit.mul(emit.float(0.5), emit.op('MatMul', ['q', keys(emit)]))],
    ['without a scale', heads, (emit) => emit.op('MatMul', ['q', keys(emit)])],
    [
      'of keys moved in one step',
      { q: [2, 3, 5, 4], k: [2, 6, 3, 4] },
      (emit) => emit.op('MatMul', ['q', keys(emit, [0, 2, 3, 1])]),
    ],
    [
      'without heads',
      { q: [2, 5, 4], k: [2, 6, 4] },
      (emit) => emit.op('MatMul', ['q', keys(emit, [0, 2, 1])]),
    ],
    [
      'scaled, not transposed',
      { q: [2, 5, 4], k: [2, 4, 6] },
      (emit) => emit.mul(emit.op('MatMul', ['q', 'k']), emit.float(3)),
    ],
  ])('is fused %s', async (_name, inputs, build) => {
    expect(await fusions(inputs, build)).toEqual({ attentionProduct: 1 });
  });

  it('keeps the scale outside where the product is read twice', async () => {
    const build: Build = (emit) => {
      const scores = emit.op('MatMul', ['q', keys(emit)]);
      return emit.add(scores, emit.div(scores, emit.float(2)));
    };
    expect(await fusions(heads, build)).toEqual({ attentionProduct: 1 });
  });

  it.each<[string, Inputs, Build]>([
    ['plain', { q: [2, 5, 4], k: [2, 4, 6] }, (emit) => emit.op('MatMul', ['q', 'k'])],
    [
      'dividing a number',
      { q: [2, 5, 4], k: [2, 4, 6] },
      (emit) => emit.div(emit.float(2), emit.op('Exp', [emit.op('MatMul', ['q', 'k'])])),
    ],
    [
      'of keys with other axes swapped',
      { q: [2, 3, 5, 4], k: [2, 4, 3, 4] },
      (emit) => emit.op('MatMul', ['q', keys(emit, [0, 2, 1, 3])]),
    ],
    [
      'by a weight',
      { q: [2, 5, 4] },
      (emit) => emit.mul(emit.op('MatMul', ['q', emit.floats(randomFloats(9, 12), [4, 3])]), emit.float(0.5)),
    ],
    [
      'scaled by a vector',
      { q: [2, 5, 4], k: [2, 4, 4] },
      (emit) => emit.mul(emit.op('MatMul', ['q', 'k']), vector(emit, 3)),
    ],
  ])('is left alone %s', async (_name, inputs, build) => {
    expect(await fusions(inputs, build)).toEqual({});
  });

  it('does not turn the quotient of a number by the scores round', async () => {
    const build: Build = (emit) => emit.div(emit.float(2), emit.op('MatMul', ['q', keys(emit)]));
    expect(await fusions(heads, build)).toEqual({ attentionProduct: 1 });
  });
});
