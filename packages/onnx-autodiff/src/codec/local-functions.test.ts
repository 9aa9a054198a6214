import { describe, expect, it } from '@jest/globals';
import { MalformedModelError, UnsupportedOperatorError } from '../errors.js';
import { attributes } from '../graph/emitter.js';
import { Graph } from '../graph/graph.js';
import { DataType, type Attribute, type GraphProto, type LocalFunction, type Node } from '../graph/types.js';
import { float32, floatsOf } from '../session/tensor-value.js';
import { emptyModel, evaluate, nodeOf, tensorOf } from '../testing/models.js';
import { functionBytes } from '../testing/wire-models.js';
import { writeModel } from './write-model.js';

const DOMAIN = 'local';

interface FunctionParts extends Partial<LocalFunction> {
  readonly name: string;
  readonly nodes: readonly Node[];
}

const call = (
  opType: string,
  inputs: readonly string[],
  outputs: readonly string[],
  values: Node['attributes'] = new Map(),
): Node => ({ ...nodeOf(opType, inputs, outputs, values), domain: DOMAIN });

/** A model of one input x and one output y whose nodes may call functions. */
function model(nodes: readonly Node[], functions: readonly FunctionParts[], opset = 17): Uint8Array {
  const base = emptyModel(opset);
  const value = (name: string) => ({ name, dataType: DataType.float32, dims: ['n'] });
  return writeModel({
    ...base,
    opsets: new Map([...base.opsets, [DOMAIN, 1]]),
    graph: { ...base.graph, nodes, inputs: [value('x')], outputs: [value('y')] },
    functions: functions.map((parts) =>
      functionBytes({
        domain: DOMAIN,
        inputs: ['a'],
        outputs: ['b'],
        defaults: new Map(),
        opsets: new Map([
          ['', 17],
          [DOMAIN, 1],
        ]),
        ...parts,
      }),
    ),
  });
}

/** y for x = [1, −2], and by onnxruntime's own inlining. */
async function results(bytes: Uint8Array): Promise<number[]> {
  const graph = Graph.read(bytes);
  expect([...graph.nodes].map(({ domain }) => domain)).not.toContain(DOMAIN);
  const { y } = await evaluate(graph, { x: float32(Float32Array.of(1, -2), [2]) });
  return [...floatsOf(y)];
}

const reference = (value: string, type: number): Attribute => ({ kind: 'reference', value, type });
const half = tensorOf('', DataType.float32, [], Float32Array.of(0.5));
const halved: FunctionParts = {
  name: 'Halved',
  nodes: [
    nodeOf('Constant', [], ['c'], new Map([['value', { kind: 'tensor', value: half }]])),
    nodeOf('Mul', ['a', 'c'], ['b']),
  ],
};

describe('model-local functions', () => {
  it('are put in place of their calls, each with tensors of its own', async () => {
    const nodes = [call('Halved', ['x'], ['c']), call('Halved', ['c'], ['y'])];
    expect(await results(model(nodes, [halved]))).toEqual([0.25, -0.5]);
  });

  it('call each other', async () => {
    const quarter: FunctionParts = {
      name: 'Quarter',
      nodes: [call('Halved', ['a'], ['c']), call('Halved', ['c'], ['b'])],
    };
    expect(await results(model([call('Quarter', ['x'], ['y'])], [quarter, halved]))).toEqual([0.25, -0.5]);
  });

  it('take attributes of the call, their defaults, or none', async () => {
    const leak: FunctionParts = {
      name: 'Leak',
      nodes: [nodeOf('LeakyRelu', ['a'], ['b'], new Map([['alpha', reference('slope', 1)]]))],
    };
    const slope = (value: number): Node['attributes'] => attributes({ slope: { float: value } });
    const y = (values: Node['attributes'], parts: FunctionParts): Promise<number[]> =>
      results(model([call('Leak', ['x'], ['y'], values)], [parts]));
    expect(await y(slope(0.5), leak)).toEqual([1, -1]);
    expect(await y(new Map(), { ...leak, defaults: slope(0.25) })).toEqual([1, -0.5]);
    expect((await y(new Map(), leak))[1]).toBeCloseTo(-0.02, 6);
  });

  it('may leave out inputs and outputs', async () => {
    const clip: FunctionParts = {
      name: 'Clipped',
      inputs: ['a', 'low', 'high'],
      outputs: ['b', 'rest'],
      nodes: [nodeOf('Clip', ['a', 'low', 'high'], ['b']), nodeOf('Sub', ['a', 'b'], ['rest'])],
    };
    const nodes = [call('Clipped', ['x', '', 'x'], ['y'])];
    const scalars = [nodeOf('ReduceMax', ['x'], ['m'], attributes({ keepdims: 0 }))];
    expect(await results(model([...scalars, call('Clipped', ['x', '', 'm'], ['y'])], [clip]))).toEqual([
      1, -2,
    ]);
    expect(Graph.read(model(nodes, [clip])).producer('y')?.inputs).toEqual(['x', '', 'x']);
  });

  it('may hand out an input, or one tensor twice', async () => {
    const copies: FunctionParts = {
      name: 'Copies',
      outputs: ['a', 'b', 'b'],
      nodes: [nodeOf('Neg', ['a'], ['b'])],
    };
    const nodes = [call('Copies', ['x'], ['p', 'q', 'r']), nodeOf('Sum', ['p', 'q', 'r'], ['y'])];
    expect(await results(model(nodes, [copies]))).toEqual([-1, 2]);
  });

  it('are found in branches, and have branches', async () => {
    const branch = (node: Node): GraphProto => ({
      name: 'branch',
      nodes: [node],
      initializers: [],
      inputs: [],
      outputs: [{ name: node.outputs[0] ?? '', dataType: DataType.float32, dims: undefined }],
    });
    const chosen: FunctionParts = {
      name: 'Chosen',
      nodes: [
        nodeOf('Greater', ['a', 'a'], ['greater']),
        nodeOf('Cast', ['greater'], ['number'], attributes({ to: DataType.int32 })),
        nodeOf('ReduceMax', ['number'], ['most'], attributes({ keepdims: 0 })),
        nodeOf('Cast', ['most'], ['is'], attributes({ to: DataType.bool })),
        nodeOf(
          'If',
          ['is'],
          ['b'],
          new Map([
            ['then_branch', { kind: 'graph', value: branch(nodeOf('Neg', ['a'], ['then'])) }],
            ['else_branch', { kind: 'graph', value: branch(call('Halved', ['a'], ['else'])) }],
          ]),
        ),
      ],
    };
    expect(await results(model([call('Chosen', ['x'], ['y'])], [chosen, halved]))).toEqual([0.5, -1]);
  });
});

describe('functions that are refused', () => {
  const failure = (nodes: readonly Node[], functions: readonly FunctionParts[]): string => {
    const start = Date.now();
    try {
      Graph.read(model(nodes, functions));
    } catch (error) {
      expect(error).toBeInstanceOf(MalformedModelError);
      expect(Date.now() - start).toBeLessThan(5000);
      return (error as Error).message;
    }
    throw new Error('no error');
  };

  it('call themselves', () => {
    const loop = (name: string, next: string): FunctionParts => ({ name, nodes: [call(next, ['a'], ['b'])] });
    const message = failure([call('A', ['x'], ['y'])], [loop('A', 'B'), loop('B', 'A')]);
    expect(message).toContain('function local.A: it calls itself');
  });

  it('nest 3,000 deep', () => {
    const chain = Array.from({ length: 3000 }, (_, index) => ({
      name: `F${index}`,
      nodes: [index === 2999 ? nodeOf('Neg', ['a'], ['b']) : call(`F${index + 1}`, ['a'], ['b'])],
    }));
    expect(failure([call('F0', ['x'], ['y'])], chain)).toContain('more than 64 calls deep');
  });

  it('double 40 times', () => {
    const doubling = Array.from({ length: 40 }, (_, index) => {
      const next = (from: string, to: string): Node =>
        index === 39 ? nodeOf('Neg', [from], [to]) : call(`F${index + 1}`, [from], [to]);
      return { name: `F${index}`, nodes: [next('a', 'middle'), next('middle', 'b')] };
    });
    expect(failure([call('F0', ['x'], ['y'])], doubling)).toContain('become more than 200000 nodes');
  });

  it('repeat a large constant', () => {
    const large = tensorOf('', DataType.float32, [1 << 20], new Float32Array(1 << 20));
    const constant: FunctionParts = {
      name: 'Large',
      nodes: [
        nodeOf('Constant', [], ['c'], new Map([['value', { kind: 'tensor', value: large }]])),
        nodeOf('Mul', ['a', 'c'], ['b']),
      ],
    };
    const calls = Array.from({ length: 100 }, (_, index) =>
      call('Large', ['x'], [index === 99 ? 'y' : `${index}`]),
    );
    expect(failure(calls, [constant])).toContain('bytes');
  });

  it('are defined twice', () => {
    expect(failure([call('Halved', ['x'], ['y'])], [halved, halved])).toContain('it is defined twice');
  });

  it('are written in another operator set', () => {
    const bytes = model([call('Halved', ['x'], ['y'])], [halved], 18);
    expect(() => Graph.read(bytes)).toThrow(UnsupportedOperatorError);
    expect(() => Graph.read(bytes)).toThrow('operator set 17 of ai.onnx, the model in 18');
  });
});
