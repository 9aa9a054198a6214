import { describe, expect, it } from '@jest/globals';
import { prepareGraph } from '../differentiate.js';
import { InvalidInputError, UnsupportedOperatorError } from '../errors.js';
import type { Emitter } from '../graph/emitter.js';
import { DataType, type Attribute, type GraphProto, type Node } from '../graph/types.js';
import { float32, floatsOf } from '../session/tensor-value.js';
import { buildModel, evaluate, floatInput, nodeOf, tensorOf } from '../testing/models.js';

const branch = (nodes: readonly Node[], output: string): GraphProto => ({
  name: 'branch',
  nodes,
  initializers: [tensorOf('two', DataType.float32, [], Float32Array.of(2))],
  inputs: [],
  outputs: [{ name: output, dataType: DataType.float32, dims: undefined }],
});
// Both branches name a tensor `h`, as the graph around them does.
const doubled = branch([nodeOf('Mul', ['h', 'two'], ['inner']), nodeOf('Exp', ['inner'], ['y'])], 'y');
const summed = branch([nodeOf('Add', ['h', 'cache'], ['y'])], 'y');

/** y = condition ? exp 2h : h + cache, with h = −x. */
function model(
  branches: Readonly<Record<string, GraphProto>>,
  condition: (emit: Emitter) => string = () => 'condition',
): Uint8Array {
  return buildModel((emit) => {
    floatInput(emit, 'x', 'T');
    floatInput(emit, 'cache', 'T');
    floatInput(emit, 'other', 'T');
    emit.input({ name: 'condition', dataType: DataType.bool, dims: [1] });
    emit.alias(emit.neg('x'), 'h');
    const attributes = new Map<string, Attribute>(
      Object.entries(branches).map(([name, value]) => [name, { kind: 'graph', value }]),
    );
    emit.graph.add(nodeOf('If', [condition(emit)], ['y'], attributes));
    emit.output('y');
  });
}
const both = { then_branch: doubled, else_branch: summed };
const x = float32(Float32Array.of(1, -2), [2]);

describe('a condition that is fixed', () => {
  it.each([true, false])('leaves the branch that is taken: %s', async (value) => {
    const graph = prepareGraph(model(both), { condition: value });
    expect([...graph.nodes].map(({ opType }) => opType)).not.toContain('If');
    // What only the other branch read is no input any more; what nothing ever read stays.
    expect([...graph.inputs.keys()]).toEqual(value ? ['x', 'other'] : ['x', 'cache', 'other']);
    const cache = value ? {} : { cache: float32(Float32Array.of(10, 20), [2]) };
    const { y } = await evaluate(graph, { x, other: x, ...cache });
    const expected = value ? [Math.exp(-2), Math.exp(4)] : [9, 22];
    floatsOf(y).forEach((element, index) => {
      expect(element).toBeCloseTo(expected[index] ?? Number.NaN, 4);
    });
  });

  it('is found behind a squeeze', () => {
    const squeezed = model(both, (emit) => emit.squeeze('condition', [0]));
    const graph = prepareGraph(squeezed, { condition: true });
    expect([...graph.inputs.keys()]).toEqual(['x', 'other']);
  });

  it('renames what the graph around a branch has too', async () => {
    const clashing = branch([nodeOf('Exp', ['x'], ['h']), nodeOf('Neg', ['h'], ['y'])], 'y');
    const bytes = model({ then_branch: clashing, else_branch: clashing });
    const graph = prepareGraph(bytes, { condition: true });
    const { y } = await evaluate(graph, { x, other: x, cache: x });
    expect(floatsOf(y)[0]).toBeCloseTo(-Math.E, 4);
  });

  it('gives a result that the branch only passes on', async () => {
    const graph = prepareGraph(model({ ...both, then_branch: branch([], 'h') }), { condition: true });
    expect(Array.from(floatsOf((await evaluate(graph, { x, other: x })).y))).toEqual([-1, 2]);
  });

  it('is found behind a negation and a comparison', () => {
    const negated = model(both, (emit) => {
      const number = emit.cast(emit.op('Not', ['condition']), DataType.int64);
      return emit.op('Equal', [number, emit.int(1)]);
    });
    expect([...prepareGraph(negated, { condition: false }).inputs.keys()]).toEqual(['x', 'other']);
  });

  it('may follow from a cache that is empty', () => {
    const empty = model(both, (emit) => emit.op('Equal', [emit.extents('cache', 0), emit.ints(0)]));
    const graph = prepareGraph(empty, { cache: float32(new Float32Array(), [0]) });
    expect([...graph.nodes].map(({ opType }) => opType)).not.toContain('If');
    expect([...graph.inputs.keys()]).toEqual(['x', 'other', 'condition']);
  });

  it('may be read by others too', async () => {
    const used = buildModel((emit) => {
      emit.input({ name: 'condition', dataType: DataType.bool, dims: [1] });
      emit.output('y', emit.op('Not', ['condition']), DataType.bool);
    });
    const { y } = await evaluate(prepareGraph(used, { condition: true }), {});
    expect(y?.data).toEqual(Uint8Array.of(0));
  });

  it('has to be an input of its type, and every branch has to be there', () => {
    expect(() => prepareGraph(model(both), { use_cache_branch: false })).toThrow(InvalidInputError);
    expect(() => prepareGraph(model(both), { x: false })).toThrow('its elements are not bool');
    const half = model({ then_branch: doubled });
    expect(() => prepareGraph(half, { condition: false })).toThrow(UnsupportedOperatorError);
  });
});
