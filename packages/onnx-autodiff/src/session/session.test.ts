import { describe, expect, it } from '@jest/globals';
import { InvalidInputError, RuntimeFailureError } from '../errors.js';
import type { Graph } from '../graph/graph.js';
import { DataType } from '../graph/types.js';
import { buildGraph, floatInput, integerInput, tensorOf } from '../testing/models.js';
import { openSession } from './session.js';
import { float32, floatsOf, int64, type TensorValue } from './tensor-value.js';

/** y = x[ids] with x [n, 2] */
function gatherGraph(): Graph {
  return buildGraph((emit) => {
    const x = floatInput(emit, 'x', 'rows', 2);
    emit.output('y', emit.op('Gather', [x, integerInput(emit, 'ids', 'count')]));
  });
}

const x = float32(Float32Array.of(1, 2, 3, 4), [2, 2]);
const ids = int64([1], [1]);

describe('a session', () => {
  it('names its inputs and outputs and runs', async () => {
    const session = await openSession(gatherGraph(), { threads: 1, prepack: false });
    expect([...session.inputs.keys()]).toEqual(['x', 'ids']);
    expect(session.outputs).toEqual(['y']);
    const { y } = await session.run({ x, ids });
    await session.release();
    expect(y?.dims).toEqual([1, 2]);
    expect([...floatsOf(y)]).toEqual([3, 4]);
  });

  const wrong: readonly (readonly [string, Record<string, TensorValue>, string])[] = [
    ['a missing input', { x }, 'input ids: it is missing'],
    ['an unknown input', { x, ids, z: x }, 'input z: the graph has no such input'],
    [
      'another element type',
      { x, ids: { ...ids, type: 'int32', data: Int32Array.of(1) } },
      'int32, not int64',
    ],
    ['another rank', { x, ids: int64([1], [1, 1]) }, 'shape [1, 1] does not fit'],
    ['another extent', { x: float32(new Float32Array(6), [2, 3]), ids }, 'shape [2, 3] does not fit'],
    ['too few values', { x: float32(new Float32Array(3), [2, 2]), ids }, '3 values for shape [2, 2]'],
  ];
  it.each(wrong)('refuses %s and says what it takes', async (_name, feeds, message) => {
    const session = await openSession(gatherGraph());
    const failure = await session.run(feeds).catch((error: unknown) => error);
    await session.release();
    expect(failure).toBeInstanceOf(InvalidInputError);
    expect(String(failure)).toContain(message);
    expect(String(failure)).toContain('x: float32[rows, 2], ids: int64[count]');
  });

  it('reports what onnxruntime says while running, on one line', async () => {
    const session = await openSession(gatherGraph());
    const failure = await session.run({ x, ids: int64([9], [1]) }).catch((error: unknown) => error);
    await session.release();
    expect(failure).toBeInstanceOf(RuntimeFailureError);
    expect(String(failure)).toContain('out of data bounds');
    expect(String(failure)).not.toContain('\n');
  });

  it('reports a graph that onnxruntime does not load', async () => {
    const unknown = buildGraph((emit) => {
      emit.output('y', emit.op('NoSuchOperator', [floatInput(emit, 'x', 1)]));
    });
    await expect(openSession(unknown)).rejects.toThrow(RuntimeFailureError);
    const dangling = buildGraph((emit) => {
      emit.output('y', emit.neg('nowhere'));
    });
    await expect(openSession(dangling)).rejects.toThrow('test model');
    const short = buildGraph((emit) => {
      emit.graph.initializers.set('w', tensorOf('w', DataType.float32, [3], Float32Array.of(1)));
      emit.output('y', emit.neg('w'));
    });
    await expect(openSession(short)).rejects.toThrow(RuntimeFailureError);
  });

  it('returns tensors of every element type', async () => {
    const graph = buildGraph((emit) => {
      const input = floatInput(emit, 'x', 2, 2);
      for (const type of ['int64', 'int32', 'uint8', 'int8', 'bool', 'float64'] as const)
        emit.output(type, emit.cast(input, DataType[type]), DataType[type]);
    });
    const session = await openSession(graph);
    const results = await session.run({ x });
    await session.release();
    for (const [type, value] of Object.entries(results)) {
      expect(value.type).toBe(type);
      expect(Array.from(value.data, Number)).toEqual(type === 'bool' ? [1, 1, 1, 1] : [1, 2, 3, 4]);
    }
    expect(() => floatsOf(results.int64)).toThrow(InvalidInputError);
  });
});
