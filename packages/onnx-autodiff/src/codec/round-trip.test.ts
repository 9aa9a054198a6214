import { describe, expect, it } from '@jest/globals';
import { Graph } from '../graph/graph.js';
import { DataType, type Attribute, type GraphProto, type ModelProto } from '../graph/types.js';
import { float32, floatsOf } from '../session/tensor-value.js';
import { buildModel, emptyModel, evaluate, floatInput, nodeOf, tensorOf } from '../testing/models.js';
import { readModel } from './read-model.js';
import { writeModel } from './write-model.js';

const largest = 2 ** 63;

function subgraph(name: string, output: string): GraphProto {
  return {
    name,
    nodes: [nodeOf('Neg', ['x'], [output])],
    initializers: [],
    inputs: [],
    outputs: [{ name: output, dataType: DataType.float32, dims: undefined }],
  };
}

function modelOf(attributes: ReadonlyMap<string, Attribute>): ModelProto {
  const model = emptyModel();
  return { ...model, graph: { ...model.graph, nodes: [nodeOf('Anything', ['x'], ['y'], attributes)] } };
}

describe('writing and reading a model', () => {
  const kinds: readonly Attribute[] = [
    { kind: 'float', value: 0.5 },
    { kind: 'float', value: 0 },
    { kind: 'int', value: -1 },
    { kind: 'int', value: 0 },
    { kind: 'string', value: 'größer ≥ 中' },
    { kind: 'string', value: '' },
    { kind: 'floats', value: [0.25, -1.5] },
    { kind: 'floats', value: [] },
    { kind: 'ints', value: [0, -1, 127, 128, 2 ** 31, 2 ** 53 - 1, -(2 ** 53), largest, -largest] },
    { kind: 'ints', value: [] },
    { kind: 'strings', value: ['a', ''] },
    { kind: 'tensor', value: tensorOf('t', DataType.int64, [2], BigInt64Array.of(-1n, 2n ** 63n - 1n)) },
    { kind: 'graph', value: subgraph('then', 'z') },
    { kind: 'graphs', value: [subgraph('one', 'a'), subgraph('two', 'b')] },
  ];
  it.each(kinds.map((attribute, index) => [`${index}: ${attribute.kind}`, attribute] as const))(
    'keeps attribute %s',
    (_name, attribute) => {
      const model = modelOf(new Map([['attribute', attribute]]));
      const [node] = readModel(writeModel(model)).graph.nodes;
      expect(node?.attributes.get('attribute')).toEqual(attribute);
      expect(writeModel(readModel(writeModel(model)))).toEqual(writeModel(model));
    },
  );

  it('keeps names, domains, operator sets, functions and declared shapes', () => {
    const model: ModelProto = {
      ...emptyModel(),
      producer: 'dynaprompt',
      opsets: new Map([
        ['', 17],
        ['com.microsoft', 1],
      ]),
      functions: [Uint8Array.of(10, 1, 65)],
      graph: {
        name: 'graph',
        nodes: [{ ...nodeOf('Gelu', ['x', '', 'w'], ['y', '']), domain: 'com.microsoft' }],
        initializers: [
          tensorOf('w', DataType.float16, [2], Uint16Array.of(0x3c00, 0xc000)),
          {
            name: 's',
            dims: [1],
            dataType: DataType.string,
            data: { kind: 'strings', strings: [Uint8Array.of(255)] },
          },
        ],
        inputs: [{ name: 'x', dataType: DataType.float32, dims: ['batch', 3, undefined] }],
        outputs: [
          { name: 'y', dataType: DataType.float32, dims: [] },
          { name: 'z', dataType: DataType.float32, dims: undefined },
        ],
      },
    };
    expect(readModel(writeModel(model))).toEqual(model);
  });

  it('reads a Node Buffer that is part of a larger one', () => {
    const bytes = buildModel((emit) => {
      emit.output('y', emit.mul(floatInput(emit, 'x', 2), emit.floats(Float32Array.of(2, 3), [2])));
    });
    const pool = Buffer.concat([Buffer.from('xyz'), Buffer.from(bytes), Buffer.from('tail')]);
    const graph = Graph.read(pool.subarray(3, 3 + bytes.length));
    const [constant = ''] = graph.initializers.keys();
    pool.fill(0);
    expect(graph.constantValues(constant)).toEqual([2, 3]);
  });

  it('drops initialisers from the inputs, as files of IR version 3 list them', () => {
    const bytes = buildModel((emit) => {
      emit.graph.initializers.set('w', tensorOf('w', DataType.float32, [1], Float32Array.of(2)));
      emit.output('y', emit.mul(floatInput(emit, 'x', 1), 'w'));
    });
    const model = readModel(bytes);
    const listed = { name: 'w', dataType: DataType.float32, dims: [1] };
    const old = {
      ...model,
      irVersion: 3,
      graph: { ...model.graph, inputs: [...model.graph.inputs, listed] },
    };
    const graph = Graph.read(writeModel(old));
    expect([...graph.inputs.keys()]).toEqual(['x']);
    expect(graph.toModel().irVersion).toBe(8);
  });

  it.each([
    [1, 5],
    [0, -5],
  ])('runs If with condition %i after a round trip; its branches read the outer graph', async (flag, y) => {
    const model = emptyModel();
    const branch = (name: string, opType: string): Attribute => ({
      kind: 'graph',
      value: { ...subgraph(name, `${name}.y`), nodes: [nodeOf(opType, ['x'], [`${name}.y`])] },
    });
    const attributes = new Map([
      ['then_branch', branch('then', 'Identity')],
      ['else_branch', branch('else', 'Neg')],
    ]);
    const graph = Graph.read(
      writeModel({
        ...model,
        graph: {
          ...model.graph,
          nodes: [nodeOf('If', ['condition'], ['y'], attributes)],
          initializers: [tensorOf('condition', DataType.bool, [], Uint8Array.of(flag))],
          inputs: [{ name: 'x', dataType: DataType.float32, dims: [1] }],
          outputs: [{ name: 'y', dataType: DataType.float32, dims: undefined }],
        },
      }),
    );
    expect(graph.consumers('x').map((node) => node.opType)).toEqual(['If']);
    const results = await evaluate(graph, { x: float32(Float32Array.of(5), [1]) });
    expect([...floatsOf(results.y)]).toEqual([y]);
  });

  it('slices to the end with int64 extremes in every way of writing them', async () => {
    const ends = [largest, 2 ** 63 - 1];
    for (const end of ends) {
      const graph = Graph.read(
        buildModel((emit) => {
          const x = floatInput(emit, 'x', 3);
          emit.output('y', emit.op('Slice', [x, emit.ints(-2), emit.ints(end)]));
        }),
      );
      const { y } = await evaluate(graph, { x: float32(Float32Array.of(1, 2, 3), [3]) });
      expect([...floatsOf(y)]).toEqual([2, 3]);
    }
  });
});
