import { describe, expect, it } from '@jest/globals';
import { differentiate } from '../differentiate.js';
import { UnsupportedOperatorError } from '../errors.js';
import { attributes, type AttributeValue, type Emitter } from '../graph/emitter.js';
import { Graph } from '../graph/graph.js';
import { elementCount } from '../graph/tensor-data.js';
import { DataType, type Attribute } from '../graph/types.js';
import { float32, floatsOf } from '../session/tensor-value.js';
import {
  buildGraph,
  buildModel,
  distance,
  evaluate,
  floatInput,
  nodeOf,
  tensorOf,
} from '../testing/models.js';
import { randomFloats } from '../testing/random.js';
import { normalise } from './index.js';

const dims = [2, 1, 3, 4];
const feeds = { x: float32(randomFloats(1, elementCount(dims)), dims) };

/** Runs a graph of an old operator set as it is and raised to 17; returns the raised graph. */
async function expectSameRaised(opset: number, build: (emit: Emitter) => string): Promise<Graph> {
  const bytes = buildModel((emit) => {
    floatInput(emit, 'x', 'batch', 1, 3, 'width');
    emit.output('y', build(emit));
  }, opset);
  const [old, raised] = [Graph.read(bytes), Graph.read(bytes)];
  normalise(raised);
  expect([old.opset, raised.opset]).toEqual([opset, Math.max(opset, 17)]);
  const [before, after] = [await evaluate(old, feeds), await evaluate(raised, feeds)];
  expect(after.y?.dims).toEqual(before.y?.dims);
  expect(distance(after.y, before.y)).toBeLessThan(1e-6);
  return raised;
}

const oldForms: readonly (readonly [string, (emit: Emitter) => string])[] = (
  [
    ['Squeeze', { axes: [1] }],
    ['Squeeze', {}],
    ['Unsqueeze', { axes: [0, -1] }],
    ['ReduceSum', { axes: [2, 3], keepdims: 0 }],
    ['ReduceSum', { keepdims: 1 }],
    ['ReduceMean', { axes: [-1], keepdims: 0 }],
    ['Softmax', { axis: 3 }],
    ['Softmax', { axis: -1 }],
    ['Softmax', { axis: 2 }],
    ['Softmax', { axis: -2 }],
    ['Softmax', {}],
    ['Softmax', { axis: 0 }],
    ['LogSoftmax', { axis: 1 }],
    ['LogSoftmax', { axis: 3 }],
    ['Hardmax', { axis: 1 }],
  ] as readonly (readonly [string, Readonly<Record<string, AttributeValue>>])[]
).map(([operator, values]) => [
  `${operator} ${JSON.stringify(values)}`,
  (emit) => emit.op(operator, ['x'], values),
]);

describe.each([11, 12])('operator set %i raised to 17', (opset) => {
  it.each(oldForms)('computes the same for %s', async (_name, build) => {
    await expectSameRaised(opset, build);
  });

  it('computes the same for Split', async () => {
    await expectSameRaised(opset, (emit) => {
      const parts = emit.node('Split', ['x'], { axis: -1, split: [1, 3] }, { outputs: 2 });
      const values = { axis: 2, split: [1, 2] };
      const [first = '', second = ''] = emit.node('Split', [parts[1] ?? ''], values, { outputs: 2 });
      return emit.op('Concat', [second, first], { axis: 2 });
    });
  });

  it('writes softmax over the last axis as one node', async () => {
    const graph = await expectSameRaised(opset, (emit) => emit.op('Softmax', ['x'], { axis: 3 }));
    expect([...graph.nodes].map((node) => node.opType).sort()).toEqual(['Identity', 'Softmax']);
  });
});

it.each([13, 14, 17, 18, 21])('leaves softmax of operator set %i alone', async (opset) => {
  const graph = await expectSameRaised(opset, (emit) => emit.op('Softmax', ['x'], { axis: 1 }));
  expect([...graph.nodes].map((node) => node.opType).sort()).toEqual(['Identity', 'Softmax']);
});

it('refuses operator set 10, naming it', () => {
  const graph = buildGraph((emit) => {
    emit.output('y', emit.neg(floatInput(emit, 'x', 1)));
  }, 10);
  expect(() => {
    normalise(graph);
  }).toThrow(UnsupportedOperatorError);
  expect(() => {
    normalise(graph);
  }).toThrow('operator set 10 is older than 11');
});

describe('the branches of If', () => {
  it.each([1, 0])('are raised too, condition %i', async (condition) => {
    const bytes = buildModel((emit) => {
      const { graph } = emit;
      floatInput(emit, 'x', ...dims);
      graph.initializers.set('c', tensorOf('c', DataType.bool, [], Uint8Array.of(condition)));
      const branch = (name: string, opType: string, axis: Attribute): Attribute => ({
        kind: 'graph',
        value: {
          name,
          nodes: [nodeOf(opType, ['x'], [name], new Map([[opType === 'Squeeze' ? 'axes' : 'axis', axis]]))],
          initializers: [],
          inputs: [],
          outputs: [{ name, dataType: 0, dims: undefined }],
        },
      });
      graph.add({
        opType: 'If',
        domain: '',
        inputs: ['c'],
        outputs: ['y'],
        attributes: new Map([
          ['then_branch', branch('then', 'Squeeze', { kind: 'ints', value: [1] })],
          ['else_branch', branch('else', 'Softmax', { kind: 'int', value: 1 })],
        ]),
      });
      emit.output('y');
    }, 11);
    const raised = Graph.read(bytes);
    normalise(raised);
    const [before, after] = [await evaluate(Graph.read(bytes), feeds), await evaluate(raised, feeds)];
    expect(distance(after.y, before.y)).toBeLessThan(1e-6);
  });
});

describe('constants', () => {
  it('become initialisers, of every attribute that can hold them', () => {
    const kinds: Readonly<Record<string, Attribute>> = {
      value: { kind: 'tensor', value: tensorOf('t', DataType.float32, [2], Float32Array.of(1, 2)) },
      value_float: { kind: 'float', value: 0.5 },
      value_int: { kind: 'int', value: 2 ** 63 },
      value_floats: { kind: 'floats', value: [0.5, 1] },
      value_ints: { kind: 'ints', value: [1, -(2 ** 63), 2 ** 63] },
    };
    const graph = buildGraph((emit) => {
      for (const [name, attribute] of Object.entries(kinds))
        emit.graph.add(nodeOf('Constant', [], [name], new Map([[name, attribute]])));
    });
    normalise(graph);
    expect([...graph.nodes]).toEqual([]);
    expect(graph.constantValues('value')).toEqual([1, 2]);
    for (const [name, attribute] of Object.entries(kinds))
      if (name !== 'value') expect(graph.constantValues(name)).toEqual([attribute.value].flat());
  });

  it('keep an Identity that makes a graph output', async () => {
    const graph = buildGraph((emit) => {
      const x = floatInput(emit, 'x', 1);
      emit.output('a', emit.op('Identity', [x]));
      emit.output('b', emit.neg(emit.op('Identity', [x])));
    });
    normalise(graph);
    const { a, b } = await evaluate(graph, { x: float32(Float32Array.of(3), [1]) });
    expect([floatsOf(a)[0], floatsOf(b)[0]]).toEqual([3, -3]);
  });
});

it('differentiates a model of operator set 11', async () => {
  const model = buildModel((emit) => {
    const x = floatInput(emit, 'x', 'batch', 3);
    const row = emit.op('Squeeze', [emit.op('Unsqueeze', [x], { axes: [1] })], { axes: [1] });
    const probabilities = emit.op('Softmax', [row], { axis: 1 });
    emit.graph.add(nodeOf('ReduceSum', [probabilities], ['y'], attributes({ axes: [1], keepdims: 0 })));
    emit.output('y');
  }, 11);
  const session = await differentiate(model, {
    withRespectTo: ['x'],
    objective: { kind: 'vector-jacobian', output: 'y' },
  });
  const { gradients, outputs } = await session.run({
    x: float32(Float32Array.of(1, 2, 3), [1, 3]),
    upstream: float32(Float32Array.of(1), [1]),
  });
  await session.release();
  expect(floatsOf(outputs.y)[0]).toBeCloseTo(1, 6);
  for (const slope of floatsOf(gradients.x)) expect(slope).toBeCloseTo(0, 6);
});
