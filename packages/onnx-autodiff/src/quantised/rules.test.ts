import { describe, expect, it } from '@jest/globals';
import type { AttributeValue, Emitter } from '../graph/emitter.js';
import { DataType } from '../graph/types.js';
import { float32 } from '../session/tensor-value.js';
import { nodeOf, relativeError } from '../testing/models.js';
import { randomFloats } from '../testing/random.js';
import { addConstant, vectorJacobian, type VectorJacobian } from '../testing/vector-jacobian.js';

const [ROWS, INNER, OUTER] = [3, 32, 6];
const x = float32(randomFloats(1, 2 * ROWS * INNER), [2, ROWS, INNER]);
const dims = [2, ROWS, OUTER];
type Build = (emit: Emitter) => string;
const run = (build: Build): Promise<VectorJacobian> => vectorJacobian(build, { x }, dims);

/** Codes of a weight, and the values they stand for. */
const codes = Int8Array.from(randomFloats(2, INNER * OUTER, -127, 127));
const scales = Float32Array.from({ length: OUTER }, (_, column) => 0.01 * (column + 1));
const zeros = Int8Array.from({ length: OUTER }, (_, column) => column - 2);

interface WeightForm {
  readonly scale: (emit: Emitter) => string;
  readonly zeroPoint?: (emit: Emitter) => string;
  readonly value: (code: number, column: number) => number;
}
const int8 = (emit: Emitter, extents: readonly number[], values: Int8Array): string =>
  addConstant(emit, DataType.int8, extents, values);
const weightForms: Readonly<Record<string, WeightForm>> = {
  'one scale': {
    scale: (emit) => emit.float(0.02),
    zeroPoint: (emit) => int8(emit, [], Int8Array.of(3)),
    value: (code) => 0.02 * (code - 3),
  },
  'a scale by column': {
    scale: (emit) => emit.floats(scales, [OUTER]),
    value: (code, column) => (scales[column] ?? 0) * code,
  },
  'the same zero points by column': {
    scale: (emit) => emit.floats(scales, [OUTER]),
    zeroPoint: (emit) => int8(emit, [OUTER], new Int8Array(OUTER).fill(-4)),
    value: (code, column) => (scales[column] ?? 0) * (code + 4),
  },
  'other zero points by column': {
    scale: (emit) => emit.floats(scales, [OUTER]),
    zeroPoint: (emit) => int8(emit, [OUTER], zeros),
    value: (code, column) => (scales[column] ?? 0) * (code - (zeros[column] ?? 0)),
  },
};
const product =
  (value: WeightForm['value']): Build =>
  (emit) => {
    const values = Float32Array.from(codes, (code, index) => value(code, index % OUTER));
    return emit.op('MatMul', ['x', emit.floats(values, [INNER, OUTER])]);
  };

describe('products of dynamically quantised activations', () => {
  const dynamic =
    ({ scale, zeroPoint }: WeightForm): Build =>
    (emit) => {
      const [activations = '', own = '', zero = ''] = emit.node(
        'DynamicQuantizeLinear',
        ['x'],
        {},
        { outputs: 3 },
      );
      const weight = int8(emit, [INNER, OUTER], codes);
      const inputs = zeroPoint ? [activations, weight, zero, zeroPoint(emit)] : [activations, weight, zero];
      const sums = emit.op('MatMulInteger', inputs);
      return emit.mul(emit.cast(sums, DataType.float32), emit.mul(own, scale(emit)));
    };

  it.each(Object.entries(weightForms))(
    'with %s have the gradient of the float product',
    async (_name, form) => {
      const [actual, expected] = [await run(dynamic(form)), await run(product(form.value))];
      expect(relativeError(actual.gradients.x ?? [], expected.gradients.x ?? [])).toBeLessThan(1e-6);
      expect(relativeError(actual.y, expected.y)).toBeLessThan(0.02);
      expect(actual.y).not.toEqual(expected.y);
    },
  );

  it.each(Object.entries(weightForms))('and %s in one operator', async (_name, form) => {
    const build: Build = (emit) => {
      const inputs = ['x', int8(emit, [INNER, OUTER], codes), form.scale(emit), form.zeroPoint?.(emit) ?? ''];
      return emit.node('DynamicQuantizeMatMul', inputs, {}, { domain: 'com.microsoft' })[0] ?? '';
    };
    const expected = await run(product(form.value));
    expect(relativeError((await run(build)).gradients.x ?? [], expected.gradients.x ?? [])).toBeLessThan(
      1e-6,
    );
  });

  it('reach both activations of a product, and a bias', async () => {
    const feeds = {
      a: x,
      b: float32(randomFloats(5, 2 * INNER * OUTER), [2, INNER, OUTER]),
      c: float32(randomFloats(6, OUTER), [OUTER]),
    };
    const quantised: Build = (emit) => {
      const [a = '', scaleOfA = '', zeroOfA = ''] = emit.node(
        'DynamicQuantizeLinear',
        ['a'],
        {},
        { outputs: 3 },
      );
      const [b = '', scaleOfB = '', zeroOfB = ''] = emit.node(
        'DynamicQuantizeLinear',
        ['b'],
        {},
        { outputs: 3 },
      );
      const inputs = [a, b, scaleOfA, scaleOfB, zeroOfA, zeroOfB, 'c'];
      return emit.node('MatMulIntegerToFloat', inputs, {}, { domain: 'com.microsoft' })[0] ?? '';
    };
    const actual = await vectorJacobian(quantised, feeds, dims);
    const expected = await vectorJacobian(
      (emit) => emit.add(emit.op('MatMul', ['a', 'b']), 'c'),
      feeds,
      dims,
    );
    for (const name of Object.keys(feeds))
      expect(relativeError(actual.gradients[name] ?? [], expected.gradients[name] ?? [])).toBeLessThan(1e-6);
  });
});

describe('pairs of QuantizeLinear and DequantizeLinear', () => {
  const values = Float32Array.of(-3, -1.2, -1, 0, 0.5, 1.2, 1.3, 9);
  const feeds = { x: float32(values, [2, 4]) };
  const pair =
    (
      scale: (emit: Emitter) => string,
      zeroPoint: (emit: Emitter) => string,
      attributes: Record<string, AttributeValue> = {},
    ): Build =>
    (emit) => {
      const parts = [scale(emit), zeroPoint(emit)].filter((part) => part !== '');
      const quantised = emit.op('QuantizeLinear', ['x', ...parts], attributes);
      return emit.op(
        'DequantizeLinear',
        [emit.transpose(emit.transpose(quantised, [1, 0]), [1, 0]), ...parts],
        attributes,
      );
    };
  const passes = async (build: Build): Promise<number[]> => {
    const upstream = (await vectorJacobian((emit) => emit.neg(emit.neg('x')), feeds, [2, 4])).gradients.x;
    const { gradients } = await vectorJacobian(build, feeds, [2, 4]);
    return Array.from(gradients.x ?? [], (value, index) => value / (upstream?.[index] ?? 1) + 0);
  };

  it.each<[string, Build, number[]]>([
    [
      'int8',
      pair(
        (emit) => emit.float(0.01),
        (emit) => int8(emit, [], Int8Array.of(0)),
      ),
      [0, 1, 1, 1, 1, 1, 0, 0],
    ],
    [
      'uint8 with a zero point',
      pair(
        (emit) => emit.float(0.01),
        (emit) => addConstant(emit, DataType.uint8, [], Uint8Array.of(110)),
      ),
      [0, 0, 1, 1, 1, 1, 1, 0],
    ],
    [
      'uint8 without a zero point',
      pair(
        (emit) => emit.float(0.01),
        () => '',
      ),
      [0, 0, 0, 0, 1, 1, 1, 0],
    ],
    [
      'int8 by column',
      pair(
        (emit) => emit.floats(Float32Array.of(0.1, 0.001, 0.1, 0.01), [4]),
        (emit) => int8(emit, [4], new Int8Array(4)),
        { axis: 1 },
      ),
      [1, 0, 1, 1, 1, 0, 1, 0],
    ],
  ])('of %s pass what they do not clip', async (_name, build, expected) => {
    expect(await passes(build)).toEqual(expected);
  });
});

describe('operators without a rule', () => {
  const dynamic = (emit: Emitter): readonly string[] =>
    emit.node('DynamicQuantizeLinear', ['x'], {}, { outputs: 3 });
  const image = float32(randomFloats(3, 2 * 3 * 4 * 4), [2, 3, 4, 4]);
  const patches: Build = (emit) => {
    const [codes = '', scale = '', zero = ''] = dynamic(emit);
    const weight = int8(emit, [5, 3, 2, 2], new Int8Array(60).fill(3));
    const sums = emit.op('ConvInteger', [codes, weight, zero], { strides: [2, 2] });
    return emit.mul(emit.cast(sums, DataType.float32), scale);
  };
  const named = (operator: string): RegExp =>
    new RegExp(`node .*\\(${operator}\\): the gradient has to pass`);

  it('may stand in front of what is differentiated', async () => {
    const { gradients } = await vectorJacobian(
      (emit) => {
        emit.graph.add(nodeOf('Neg', [patches(emit)], ['patches']));
        return emit.neg('patches');
      },
      { x: image },
      [2, 5, 2, 2],
      { withRespectTo: ['patches'] },
    );
    expect(gradients.patches).toEqual(randomFloats(99, 40).map((value) => -value));
  });

  it.each<[string, Build, typeof x]>([
    ['ConvInteger', patches, image],
    [
      'MatMulInteger',
      (emit) => {
        const [activations = '', , zero = ''] = dynamic(emit);
        const sums = emit.op('MatMulInteger', [activations, int8(emit, [INNER, OUTER], codes), zero]);
        return emit.cast(sums, DataType.float32);
      },
      x,
    ],
    [
      'com.microsoft.QAttention',
      (emit) => emit.node('QAttention', dynamic(emit), {}, { domain: 'com.microsoft' })[0] ?? '',
      x,
    ],
    ['QLinearMatMul', (emit) => emit.op('QLinearMatMul', dynamic(emit)), x],
  ])('are refused by name: %s', async (operator, build, input) => {
    await expect(vectorJacobian(build, { x: input }, dims)).rejects.toThrow(named(operator));
  });
});
