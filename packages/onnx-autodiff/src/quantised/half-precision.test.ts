import { describe, expect, it } from '@jest/globals';
import { normalise } from '../canonicalise/index.js';
import { prepareGraph } from '../differentiate.js';
import { attributes, type Emitter } from '../graph/emitter.js';
import type { Graph } from '../graph/graph.js';
import { DataType } from '../graph/types.js';
import { openSession } from '../session/session.js';
import { float32, int64, type TensorValue } from '../session/tensor-value.js';
import {
  buildGraph,
  distance,
  evaluate,
  floatInput,
  integerInput,
  nodeOf,
  tensorOf,
} from '../testing/models.js';
import { addConstant, vectorJacobian } from '../testing/vector-jacobian.js';

/** Bits of 1 and of 2 in float16. */
const [ONE, TWO] = [0x3c00, 0x4000];
/** Extents of a matrix that is too large to be widened at once. */
const [ROWS, COLUMNS] = [300, 160];

function operators(graph: Graph): string[] {
  return graph.sortedNodes().map(({ opType }) => opType);
}

function half(emit: Emitter, bits: number, ...dims: readonly number[]): string {
  const count = dims.reduce((product, extent) => product * extent, 1);
  return addConstant(emit, DataType.float16, dims, new Uint16Array(count).fill(bits));
}

describe('a float16 graph', () => {
  it('computes in float32, with inputs and outputs in float32', async () => {
    const graph = buildGraph((emit) => {
      const x = emit.input({ name: 'x', dataType: DataType.float16, dims: ['B', 2] });
      emit.output(
        'y',
        emit.mul(emit.cast(emit.cast(x, DataType.float32), DataType.float16), half(emit, TWO, 2)),
        DataType.float16,
      );
    });
    normalise(graph);
    expect(graph.inputs.get('x')?.dataType).toBe(DataType.float32);
    expect(graph.outputs.get('y')?.dataType).toBe(DataType.float32);
    expect(operators(graph)).toEqual(['Mul', 'Identity']);
    const { y } = await evaluate(graph, { x: float32(Float32Array.of(1 / 3, 1e-7), [1, 2]) });
    expect(y?.data).toEqual(Float32Array.of(2 / 3, 2e-7));
  });

  it('keeps its large weights where they are, and widens small ones and vectors', () => {
    const graph = buildGraph((emit) => {
      const x = emit.input({ name: 'x', dataType: DataType.float16, dims: ['B', ROWS] });
      emit.graph.initializers.set(
        'w',
        tensorOf('w', DataType.float16, [ROWS, COLUMNS], new Uint16Array(ROWS * COLUMNS)),
      );
      emit.output('y', emit.add(emit.op('MatMul', [x, 'w']), half(emit, ONE, COLUMNS)), DataType.float16);
    });
    normalise(graph);
    expect(operators(graph)).toEqual(['Cast', 'MatMul', 'Add', 'Identity']);
    expect([...graph.initializers.values()].map(({ dataType }) => dataType).sort()).toEqual([
      DataType.float32,
      DataType.float16,
    ]);
    expect(graph.producer('w')?.opType).toBe('Cast');
  });

  it('widens looked-up rows alone, and the whole table where it is an output layer too', async () => {
    const table = Uint16Array.from({ length: ROWS * COLUMNS }, (_, index) => (index % 2 ? ONE : TWO));
    const graph = buildGraph((emit) => {
      emit.graph.initializers.set('t', tensorOf('t', DataType.float16, [ROWS, COLUMNS], table));
      const rows = emit.op('Gather', ['t', integerInput(emit, 'ids', 'B')]);
      emit.output('y', emit.op('MatMul', [rows, emit.transpose('t', [1, 0])]), DataType.float16);
    });
    normalise(graph);
    const [lookup] = graph.consumers('ids');
    expect(graph.initializers.get(lookup?.inputs[0] ?? '')?.dataType).toBe(DataType.float16);
    const { y } = await evaluate(graph, { ids: int64([5], [1]) });
    expect(y?.data[0]).toBe((COLUMNS / 2) * 5);
  });

  it('is widened in subgraphs and in constants, bfloat16 too', async () => {
    const graph = buildGraph((emit) => {
      const x = floatInput(emit, 'x', 1);
      const branch = (name: string, bits: number) => ({
        kind: 'graph' as const,
        value: {
          name,
          nodes: [
            nodeOf('Cast', ['x'], [`${name}.x`], attributes({ to: DataType.bfloat16 })),
            nodeOf('Mul', [`${name}.x`, `${name}.c`], [`${name}.y`]),
          ],
          initializers: [tensorOf(`${name}.c`, DataType.bfloat16, [1], Uint16Array.of(bits))],
          inputs: [],
          outputs: [{ name: `${name}.y`, dataType: DataType.bfloat16, dims: [1] }],
        },
      });
      const isPositive = emit.squeeze(emit.op('Greater', [x, emit.float(0)]), [0]);
      emit.graph.add({
        ...nodeOf('If', [isPositive], ['z']),
        attributes: new Map([
          ['then_branch', branch('then', 0x3f80)],
          ['else_branch', branch('else', 0x4000)],
        ]),
      });
      const zeros = tensorOf('', DataType.float16, [1], Uint16Array.of(TWO));
      emit.graph.add({
        ...nodeOf('ConstantOfShape', [emit.ints(1)], ['two']),
        attributes: new Map([['value', { kind: 'tensor', value: zeros }]]),
      });
      emit.output('y', emit.add(emit.cast('z', DataType.float16), 'two'), DataType.float16);
    });
    normalise(graph);
    const run = async (value: number): Promise<number | bigint | undefined> =>
      (await evaluate(graph, { x: float32(Float32Array.of(value), [1]) })).y?.data[0];
    expect([await run(3), await run(-3)]).toEqual([5, -4]);
  });

  it('has the gradient of what its weights stand for', async () => {
    const feeds = { x: float32(Float32Array.of(1e-4, 3e-5), [1, 2]) };
    // In float16 the gradient 1e-8 would be 0.
    const { gradients } = await vectorJacobian(
      (emit) => {
        const scaled = emit.mul(emit.cast('x', DataType.float16), half(emit, 0x0001, 2));
        return emit.cast(scaled, DataType.float32);
      },
      feeds,
      [1, 2],
    );
    const plain = await vectorJacobian((emit) => emit.scale('x', 2 ** -24), feeds, [1, 2]);
    expect(gradients.x).toEqual(plain.gradients.x);
  });
});

it('widens weights in each run on request, with the same results', async () => {
  const bits = Uint16Array.from({ length: ROWS * COLUMNS }, (_, index) => ONE + (index % 777));
  const graph = prepareGraph(
    buildGraph((emit) => {
      const weight = addConstant(emit, DataType.float16, [ROWS, COLUMNS], bits);
      const x = emit.input({ name: 'x', dataType: DataType.float16, dims: ['B', ROWS] });
      const hidden = emit.op('Tanh', [emit.op('MatMul', [x, weight])]);
      emit.output('y', emit.op('MatMul', [hidden, emit.transpose(weight, [1, 0])]), DataType.float16);
    }).serialize(),
  );
  const feeds = {
    x: float32(
      Float32Array.from({ length: 2 * ROWS }, (_, index) => Math.sin(index) / 100),
      [2, ROWS],
    ),
  };
  const results: (TensorValue | undefined)[] = [];
  for (const widenWeights of ['at-load', 'at-use'] as const) {
    const session = await openSession(graph, { widenWeights });
    results.push((await session.run(feeds)).y);
    await session.release();
  }
  expect(distance(results[0], results[1])).toBeLessThan(1e-6);
  expect(operators(graph).filter((operator) => operator === 'Cast')).toHaveLength(1);
});
