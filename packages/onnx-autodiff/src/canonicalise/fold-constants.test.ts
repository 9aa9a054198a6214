import { describe, expect, it } from '@jest/globals';
import type { Emitter } from '../graph/emitter.js';
import { DataType } from '../graph/types.js';
import { buildGraph, evaluate, floatInput } from '../testing/models.js';
import { tensorValues } from '../graph/tensor-data.js';
import { foldConstants } from './fold-constants.js';

/** Folds a graph around a constant, and compares it with what onnxruntime computes. */
async function folded(build: (emit: Emitter) => string, dataType: number = DataType.int64): Promise<void> {
  let tensor = '';
  const graph = buildGraph((emit) => {
    tensor = build(emit);
    emit.output('y', emit.op('Identity', [tensor]), dataType);
  });
  const before = (await evaluate(graph, {})).y;
  expect(foldConstants(graph)).toBeGreaterThan(0);
  const constant = graph.initializers.get(tensor);
  expect(constant?.dims).toEqual(before?.dims);
  expect(constant?.dataType).toBe(dataType);
  expect(constant && Array.from(tensorValues(constant))).toEqual(Array.from(before?.data ?? [], Number));
}

const grid = (emit: Emitter): string => emit.reshape(emit.ints(0, 1, 2, 3, 4, 5), emit.ints(2, 3));
const { bool, float32, int32, int64 } = DataType;

describe('constants', () => {
  it.each<[string, (emit: Emitter) => string, number?]>([
    ['Gather', (emit) => emit.op('Gather', [grid(emit), emit.ints(2, -3)], { axis: 1 })],
    ['Gather of one', (emit) => emit.op('Gather', [grid(emit), emit.int(-1)])],
    ['Slice', (emit) => emit.op('Slice', [grid(emit), emit.ints(-2), emit.ints(2 ** 62), emit.ints(-1)])],
    [
      'Slice with steps',
      (emit) =>
        emit.op('Slice', [emit.ints(0, 1, 2, 3, 4), emit.ints(1), emit.ints(5), emit.ints(0), emit.ints(2)]),
    ],
    ['Slice of all axes', (emit) => emit.op('Slice', [grid(emit), emit.ints(0, 1), emit.ints(1, 3)])],
    ['Reshape', (emit) => emit.reshape(grid(emit), emit.ints(0, -1, 1))],
    ['Unsqueeze', (emit) => emit.unsqueeze(grid(emit), [-1, 0])],
    ['Squeeze', (emit) => emit.squeeze(emit.unsqueeze(grid(emit), [0, 3]), [-1])],
    ['Squeeze of all', (emit) => emit.op('Squeeze', [emit.unsqueeze(grid(emit), [0, 3])])],
    ['Transpose', (emit) => emit.transpose(emit.unsqueeze(grid(emit), [1]), [2, 0, 1])],
    ['Transpose backwards', (emit) => emit.op('Transpose', [grid(emit)])],
    ['Concat', (emit) => emit.concat([grid(emit), grid(emit)], -1)],
    ['Shape', (emit) => emit.op('Shape', [grid(emit)])],
    ['Shape in part', (emit) => emit.op('Shape', [emit.unsqueeze(grid(emit), [0])], { start: 1, end: -1 })],
    ['Size', (emit) => emit.op('Size', [grid(emit)])],
    ['Expand', (emit) => emit.op('Expand', [emit.ints(1, 2, 3), emit.ints(2, 1)])],
    ['Range', (emit) => emit.op('Range', [emit.int(7), emit.int(0), emit.int(-3)])],
    ['ConstantOfShape', (emit) => emit.op('ConstantOfShape', [emit.ints(1, 1)]), float32],
    ['Cast to truth', (emit) => emit.cast(grid(emit), bool), bool],
    ['Cast to numbers', (emit) => emit.cast(emit.ints(3), float32), float32],
    ['Cast to whole numbers', (emit) => emit.cast(emit.float(-2.7), int32), int32],
    ['Not', (emit) => emit.op('Not', [emit.cast(emit.ints(0, 1), bool)]), bool],
    [
      'And, Or, Xor',
      (emit) => {
        const [a, b] = [emit.cast(emit.ints(0, 0, 1, 1), bool), emit.cast(emit.ints(0, 1, 0, 1), bool)];
        return emit.op('Xor', [emit.op('And', [a, b]), emit.op('Or', [a, b])]);
      },
      bool,
    ],
    ...['Equal', 'Less', 'LessOrEqual', 'Greater', 'GreaterOrEqual'].map(
      (opType): [string, (emit: Emitter) => string, number] => [
        opType,
        (emit) => emit.op(opType, [grid(emit), emit.ints(0, 3, 2)]),
        bool,
      ],
    ),
    ...['Add', 'Sub', 'Mul', 'Div', 'Min', 'Max'].map((opType): [string, (emit: Emitter) => string] => [
      opType,
      (emit) => emit.op(opType, [emit.neg(grid(emit)), emit.ints(1, -2, 2)]),
    ]),
    [
      'Sqrt of a width',
      (emit) => emit.div(emit.float(1), emit.op('Sqrt', [emit.cast(emit.ints(7), float32)])),
      float32,
    ],
    [
      'Neg, Abs, Reciprocal',
      (emit) => emit.op('Reciprocal', [emit.neg(emit.op('Abs', [emit.float(-3)]))]),
      float32,
    ],
    [
      'Where',
      (emit) =>
        emit.op('Where', [emit.op('Less', [grid(emit), emit.int(3)]), grid(emit), emit.ints(9, 8, 7)]),
    ],
  ])('%s is computed as onnxruntime does', async (_name, build, dataType = int64) => {
    await folded(build, dataType);
  });

  it.each<[string, (emit: Emitter) => string]>([
    ['read an input', (emit) => emit.op('Shape', [floatInput(emit, 'x', 'B')])],
    ['are weights', (emit) => emit.transpose(emit.floats(new Float32Array(20), [4, 5]), [1, 0])],
    ['divide by zero', (emit) => emit.div(emit.ints(1), emit.ints(0))],
    ['are out of range', (emit) => emit.op('Gather', [emit.ints(1), emit.ints(1)])],
    ['do not fit', (emit) => emit.add(emit.ints(1, 2), emit.ints(1, 2, 3))],
    ['grow large', (emit) => emit.op('Expand', [emit.ints(1), emit.ints(1000, 1000)])],
    [
      'grow large by broadcasting',
      (emit) => {
        const line = emit.op('Range', [emit.int(0), emit.int(1000), emit.int(1)]);
        return emit.op('Mul', [emit.unsqueeze(line, [0]), emit.unsqueeze(line, [1])]);
      },
    ],
    ['have a negative shape', (emit) => emit.op('ConstantOfShape', [emit.ints(-1)])],
    ['are random', (emit) => emit.op('RandomNormalLike', [emit.float(1)])],
  ])('stay where they %s', (_name, build) => {
    let tensor = '';
    const graph = buildGraph((emit) => {
      tensor = build(emit);
      emit.output('y', emit.op('Identity', [tensor]));
    });
    foldConstants(graph);
    expect(graph.isConstant(tensor)).toBe(false);
  });

  it('stay where a gradient is asked for', () => {
    const graph = buildGraph((emit) => {
      emit.output('y', emit.neg(emit.mul(emit.float(2), emit.float(3))));
    });
    const [weight = ''] = graph.initializers.keys();
    expect(foldConstants(graph, new Set([weight]))).toBe(0);
    expect(foldConstants(graph)).toBe(2);
  });

  it('keep the nodes of outputs', () => {
    const graph = buildGraph((emit) => {
      emit.output('y', emit.unsqueeze(emit.ints(1), [0]), int64);
    });
    foldConstants(graph);
    expect(graph.producer('y')).toBeDefined();
  });

  it('take bounded time in a graph that repeats them', () => {
    const graph = buildGraph((emit) => {
      let long = emit.op('Range', [emit.int(0), emit.int(60000), emit.int(1)]);
      for (let index = 0; index < 5000; index++) long = emit.add(long, emit.int(1));
      emit.output('y', emit.neg(long), int64);
    });
    const start = Date.now();
    expect(foldConstants(graph)).toBeLessThan(1000);
    expect(Date.now() - start).toBeLessThan(10_000);
  });
});
