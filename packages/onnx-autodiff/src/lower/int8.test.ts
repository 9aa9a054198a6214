import { fileURLToPath } from 'node:url';
import { describe, expect, it } from '@jest/globals';
import { appendLossGradient, differentiate, prepareGraph } from '../differentiate.js';
import { InvalidInputError } from '../errors.js';
import { Emitter } from '../graph/emitter.js';
import { DataType } from '../graph/types.js';
import { float32, floatsOf, int64, type TensorValue } from '../session/tensor-value.js';
import { findTokenEmbedding } from '../surgery/prompts.js';
import { buildGraph, evaluate, floatInput, relativeError } from '../testing/models.js';
import { randomFloats } from '../testing/random.js';
import { addConstant, cosine, vectorJacobian } from '../testing/vector-jacobian.js';
import { lowerToInt8 } from './int8.js';

const [ROWS, INNER, OUTER] = [5, 16, 24];
const x = float32(randomFloats(1, 2 * ROWS * INNER), [2, ROWS, INNER]);
const dims = [2, ROWS, OUTER];
const options = { compute: 'int8', int8: { minimumExtent: 16 } } as const;

describe('products in int8', () => {
  const weight = (emit: Emitter, rows = INNER, columns = OUTER): string =>
    emit.floats(randomFloats(2, rows * columns), [rows, columns]);
  it.each<[string, (emit: Emitter) => string]>([
    ['MatMul', (emit) => emit.op('MatMul', ['x', weight(emit)])],
    ['FusedMatMul, transposed', (emit) => emit.fusedMatMul('x', weight(emit, OUTER, INNER), 0, 1, 0.5)],
    [
      'MatMul with a bias',
      (emit) =>
        emit.add(emit.floats(randomFloats(3, OUTER), [OUTER]), emit.op('MatMul', ['x', weight(emit)])),
    ],
    [
      'Gemm',
      (emit) => {
        const flat = emit.reshape('x', emit.ints(-1, INNER));
        const bias = emit.floats(randomFloats(3, OUTER), [OUTER]);
        const values = { transB: 1, alpha: { float: 2 }, beta: { float: -1 } };
        return emit.reshape(
          emit.op('Gemm', [flat, weight(emit, OUTER, INNER), bias], values),
          emit.ints(...dims),
        );
      },
    ],
  ])('%s has nearly the values and gradient of float32', async (_name, build) => {
    const [actual, exact] = [
      await vectorJacobian(build, { x }, dims, options),
      await vectorJacobian(build, { x }, dims),
    ];
    expect(cosine(actual.y, exact.y)).toBeGreaterThan(0.999);
    expect(cosine(actual.gradients.x ?? [], exact.gradients.x ?? [])).toBeGreaterThan(0.999);
    expect(actual.gradients.x).not.toEqual(exact.gradients.x);
  });

  it('scales each row of a gradient by itself', async () => {
    const sizes = float32(Float32Array.of(1, 1e-3, 1e-6, 1e-12, 0), [ROWS, 1]);
    const build = (emit: Emitter): string =>
      emit.mul(emit.op('MatMul', ['x', weight(emit)]), emit.floats(floatsOf(sizes), [ROWS, 1]));
    const [actual, exact] = [
      await vectorJacobian(build, { x }, dims, options),
      await vectorJacobian(build, { x }, dims),
    ];
    for (let row = 0; row < 2 * ROWS; row++) {
      const [own, expected] = [actual, exact].map(
        ({ gradients }) => gradients.x?.subarray(row * INNER, (row + 1) * INNER) ?? [],
      );
      expect(relativeError(own ?? [], expected ?? [])).toBeLessThan(0.03);
    }
  });

  it('lets the kernel add the bias', () => {
    const graph = buildGraph((emit) => {
      const input = floatInput(emit, 'x', 'B', INNER);
      const bias = emit.floats(randomFloats(3, OUTER), [OUTER]);
      emit.output('y', emit.add(emit.op('MatMul', [input, weight(emit)]), bias));
    });
    lowerToInt8(graph, undefined, { minimumExtent: 16 });
    const operators = graph.sortedNodes().map(({ opType }) => opType);
    expect(operators).toContain('MatMulIntegerToFloat');
    expect(operators).not.toContain('Add');
  });

  it('passes the scales of rows through an elementwise factor between two products', async () => {
    // Rows of the gradient between the products differ by orders of magnitude, and so do those of the factor.
    const sizes = Float32Array.of(1, 1e-3, 1e4, 1e-12, 0);
    const build = (emit: Emitter): string => {
      const inner = emit.op('MatMul', ['x', weight(emit)]);
      const factor = emit.floats(randomFloats(5, ROWS * OUTER, 0.5, 1.5), [ROWS, OUTER]);
      const outer = emit.op('MatMul', [emit.mul(inner, factor), weight(emit, OUTER, INNER)]);
      return emit.mul(outer, emit.floats(sizes, [ROWS, 1]));
    };
    const narrow = [2, ROWS, INNER];
    const [actual, exact] = [
      await vectorJacobian(build, { x }, narrow, options),
      await vectorJacobian(build, { x }, narrow),
    ];
    for (let row = 0; row < 2 * ROWS; row++) {
      const [own, expected] = [actual, exact].map(
        ({ gradients }) => gradients.x?.subarray(row * INNER, (row + 1) * INNER) ?? [],
      );
      expect(relativeError(own ?? [], expected ?? [])).toBeLessThan(0.03);
    }
  });

  it('leaves small weights, and products of activations, alone', () => {
    const graph = buildGraph((emit) => {
      const input = floatInput(emit, 'x', 'B', INNER);
      const product = emit.op('MatMul', [input, weight(emit)]);
      emit.output('y', emit.fusedMatMul(product, product, 0, 1));
    });
    expect(lowerToInt8(graph)).toBe(0);
    expect(lowerToInt8(graph, undefined, { minimumExtent: 16 })).toBe(1);
  });

  it('takes the codes of a quantised model for its gradient', async () => {
    const codes = Int8Array.from(randomFloats(4, INNER * OUTER, -127, 127));
    const build = (emit: Emitter): string => {
      const stored = addConstant(emit, DataType.int8, [INNER, OUTER], codes);
      const zeroPoint = addConstant(emit, DataType.int8, [], Int8Array.of(2));
      const inputs = ['x', stored, emit.float(0.01), zeroPoint];
      return emit.node('DynamicQuantizeMatMul', inputs, {}, { domain: 'com.microsoft' })[0] ?? '';
    };
    const [actual, exact] = [
      await vectorJacobian(build, { x }, dims, options),
      await vectorJacobian(build, { x }, dims),
    ];
    expect(cosine(actual.gradients.x ?? [], exact.gradients.x ?? [])).toBeGreaterThan(0.999);
    expect(actual.gradients.x).not.toEqual(exact.gradients.x);
    expect(actual.y).toEqual(exact.y);
  });
});

it('has a gradient at a cosine of 0.99 to that of float32 through a whole model', async () => {
  const model = fileURLToPath(new URL('../../fixtures/bert-opset14/model.onnx', import.meta.url));
  const prepared = prepareGraph(model);
  const { tensor } = findTokenEmbedding(prepared);
  const inputs = [...prepared.inputs.keys()];
  const ones = (rows: number): Record<string, TensorValue> =>
    Object.fromEntries(inputs.map((name) => [name, int64(new Int32Array(rows * 7).fill(1), [rows, 7])]));
  const feeds = {
    ...ones(2),
    input_ids: int64(
      Array.from({ length: 14 }, (_, index) => index + 3),
      [2, 7],
    ),
  };
  const gradient = async (compute: 'float32' | 'int8'): Promise<Float32Array> => {
    const session = await differentiate(model, {
      withRespectTo: [tensor],
      objective: { kind: 'cross-entropy', output: 'logits' },
      compute,
      int8: { minimumExtent: 16 },
    });
    const { gradients } = await session.run({ ...feeds, labels: int64([0, 1], [2]) });
    await session.release();
    return floatsOf(gradients[tensor]);
  };
  const [exact, approximate] = [await gradient('float32'), await gradient('int8')];
  expect(cosine(exact, approximate)).toBeGreaterThan(0.99);
  expect(approximate).not.toEqual(exact);
});

it('is refused together with weights that are widened in every run', async () => {
  const build = (emit: Emitter): string => emit.neg('x');
  const both = vectorJacobian(build, { x }, [2, ROWS, INNER], { ...options, widenWeights: 'at-use' });
  await expect(both).rejects.toThrow(InvalidInputError);
});

it('computes a graph without a gradient too', async () => {
  const graph = buildGraph((emit) => {
    const input = floatInput(emit, 'x', 'B', INNER);
    emit.output('y', emit.op('MatMul', [input, emit.floats(randomFloats(2, INNER * OUTER), [INNER, OUTER])]));
  });
  const feeds = { x: float32(randomFloats(6, 3 * INNER), [3, INNER]) };
  const exact = floatsOf((await evaluate(graph, feeds)).y);
  lowerToInt8(graph, undefined, { minimumExtent: 1 });
  expect(cosine(floatsOf((await evaluate(graph, feeds)).y), exact)).toBeGreaterThan(0.999);
  expect(graph.sortedNodes().map(({ opType }) => opType)).toContain('DynamicQuantizeLinear');
});

it('keeps the gradient under the names that it was appended with', async () => {
  const graph = buildGraph((emit) => {
    const input = floatInput(emit, 'x', 'B', INNER);
    emit.output('y', emit.op('MatMul', [input, emit.floats(randomFloats(2, INNER * OUTER), [INNER, OUTER])]));
  });
  const { gradients } = await appendLossGradient(graph, {
    withRespectTo: ['x'],
    objective: { kind: 'vector-jacobian', output: 'y' },
    ...options,
  });
  new Emitter(graph).output('gradient', gradients.get('x'));
  const feeds = {
    x: float32(randomFloats(6, 3 * INNER), [3, INNER]),
    upstream: float32(randomFloats(7, 3 * OUTER), [3, OUTER]),
  };
  expect((await evaluate(graph, feeds)).gradient?.dims).toEqual([3, INNER]);
});
