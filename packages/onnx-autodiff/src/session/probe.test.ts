import { describe, expect, it } from '@jest/globals';
import { InvalidInputError } from '../errors.js';
import { DataType } from '../graph/types.js';
import { buildGraph, floatInput, integerInput } from '../testing/models.js';
import { defaultProbeInputs, probeShapes, staticShape } from './probe.js';
import { ProbedShapes } from './probed-shapes.js';
import { float32 } from './tensor-value.js';

describe('probed shapes', () => {
  it('are static where two runs agree', async () => {
    const names: string[] = [];
    const graph = buildGraph((emit) => {
      const x = floatInput(emit, 'x', 'batch', 3, 'length');
      const like = floatInput(emit, 'like', 'batch', 'length');
      names.push(x, emit.transpose(x, [2, 0, 1]), emit.reduceSum(x, [2], 0), emit.unsqueeze(like, [1]));
      names.push(emit.op('ReduceSum', [x], { keepdims: 0 }), emit.shape(x));
      emit.output('y', emit.add(x, emit.unsqueeze(like, [1])));
    });
    const shapes = new ProbedShapes(graph, await probeShapes(graph, names));
    expect(names.map((name) => shapes.dims(name))).toEqual([
      [null, 3, null],
      [null, null, 3],
      [null, 3],
      [null, 1, null],
      [],
      [3],
    ]);
    expect(shapes.agree(names[0] ?? '', 2, names[1] ?? '', 0)).toBe(true);
    expect(shapes.agree(names[0] ?? '', 2, names[1] ?? '', 1)).toBe(false);
    expect([...graph.outputs.keys()]).toEqual(['y']);
  });

  it('need only the inputs that the tensors depend on', async () => {
    let hidden = '';
    const graph = buildGraph((emit) => {
      hidden = emit.neg(floatInput(emit, 'x', 'n'));
      emit.input({ name: 'other', dataType: DataType.float32, dims: undefined });
      emit.output('y', emit.add(hidden, 'other'));
    });
    const probe = (n: number): { x: ReturnType<typeof float32> } => ({
      x: float32(new Float32Array(n), [n]),
    });
    const shapes = await probeShapes(graph, [hidden], [probe(2), probe(5)]);
    expect(shapes).toEqual(new Map([[hidden, [[2], [5]]]]));
    expect([...shapes.values()].map(staticShape)).toEqual([[null]]);
    await expect(probeShapes(graph, ['y'])).rejects.toThrow(InvalidInputError);
  });

  it('give one symbol one extent, and different symbols different ones', () => {
    const graph = buildGraph((emit) => {
      floatInput(emit, 'x', 'batch', 'length');
      integerInput(emit, 'ids', 'batch', 'other');
    });
    const [first, second] = defaultProbeInputs(graph);
    expect(first.x?.dims[0]).toBe(first.ids?.dims[0]);
    expect(first.x?.dims[1]).not.toBe(first.ids?.dims[1]);
    for (const name of ['x', 'ids'])
      for (const axis of [0, 1]) expect(first[name]?.dims[axis]).not.toBe(second[name]?.dims[axis]);
  });

  it.each([
    ['no rank', DataType.float32, undefined, 'declares no rank'],
    ['an element type without a default', DataType.float16, [1], 'element type 10'],
  ])('ask for examples where an input has %s', (_name, dataType, dims, message) => {
    const graph = buildGraph((emit) => {
      emit.input({ name: 'odd', dataType, dims });
    });
    expect(() => defaultProbeInputs(graph)).toThrow(InvalidInputError);
    expect(() => defaultProbeInputs(graph)).toThrow(message);
    expect(() => defaultProbeInputs(graph)).toThrow('probeInputs');
  });
});
