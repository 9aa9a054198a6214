import { readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from '@jest/globals';
import { prepareGraph } from '../differentiate.js';
import { InvalidInputError, MalformedModelError } from '../errors.js';
import { Graph } from '../graph/graph.js';
import { DataType, type LocalFunction, type Node } from '../graph/types.js';
import { defaultProbeInputs } from '../session/probe.js';
import { inFolder } from '../testing/files.js';
import { emptyModel, nodeOf } from '../testing/models.js';
import { randomStream } from '../testing/random.js';
import {
  functionBytes,
  modelWithGraph,
  modelWithTensor,
  tensorHeader,
  writeExternalData,
} from '../testing/wire-models.js';
import { writeModel } from './write-model.js';

const MEGABYTE = 1024;
const FIXTURES = fileURLToPath(new URL('../../fixtures', import.meta.url));
const LFS_POINTER = 'version https://git-lfs.github.com/spec/v1\noid sha256:4d7a2146\nsize 440473133\n';

/** The error of a model that is refused, with at most 256 MB more of resident memory than before. */
function refusal(model: string | Uint8Array): MalformedModelError {
  const before = process.resourceUsage().maxRSS;
  let failure: unknown;
  try {
    prepareGraph(model);
  } catch (error) {
    failure = error;
  }
  expect(process.resourceUsage().maxRSS - before).toBeLessThan(256 * MEGABYTE);
  expect(failure).toBeInstanceOf(MalformedModelError);
  return failure as MalformedModelError;
}

/** A model of nodes from x to y, with functions of one input `a` and one output `b`. */
function modelOf(
  nodes: readonly Node[],
  functions: readonly Pick<LocalFunction, 'name' | 'nodes'>[] = [],
): Uint8Array {
  const model = emptyModel();
  const defined = functions.map((parts) =>
    functionBytes({
      ...parts,
      domain: 'local',
      inputs: ['a'],
      outputs: ['b'],
      defaults: new Map(),
      opsets: model.opsets,
    }),
  );
  const graph = {
    ...model.graph,
    nodes,
    inputs: [{ name: 'x', dataType: DataType.float32, dims: [1] }],
    outputs: [{ name: 'y', dataType: DataType.float32, dims: undefined }],
  };
  return writeModel({ ...model, graph, functions: defined });
}

const call = (name: string, from: string, to: string): Node => ({
  ...nodeOf(name, [from], [to]),
  name: '',
  domain: 'local',
});

describe('local functions', () => {
  it('are refused where 3,000 of them nest, whatever the order of their definitions', () => {
    const chain = Array.from({ length: 3000 }, (_, index) => ({
      name: `F${index}`,
      nodes: [index === 2999 ? nodeOf('Neg', ['a'], ['b']) : call(`F${index + 1}`, 'a', 'b')],
    }));
    for (const functions of [chain, [...chain].reverse()])
      expect(refusal(modelOf([call('F0', 'x', 'y')], functions)).problem).toContain('calls deep');
  });

  it('are refused where 3,000 of them nest and each calls the next one three times', () => {
    const chain = Array.from({ length: 3000 }, (_, index) => ({
      name: `F${index}`,
      nodes: [
        call(`F${(index + 1) % 3000}`, 'a', 'one'),
        call(`F${(index + 1) % 3000}`, 'one', 'two'),
        call(`F${(index + 1) % 3000}`, 'two', 'b'),
      ],
    }));
    expect(refusal(modelOf([call('F0', 'x', 'y')], chain)).subject).toContain('function local.F');
  });

  it('are refused where calls of functions whose names have a megabyte multiply', () => {
    const nameOf = (index: number): string => `${index}`.padEnd(2 ** 20, 'x');
    const doubling = Array.from({ length: 13 }, (_, index) => ({
      name: nameOf(index),
      nodes:
        index === 12
          ? [nodeOf('Neg', ['a'], ['b'])]
          : [call(nameOf(index + 1), 'a', 'middle'), call(nameOf(index + 1), 'middle', 'b')],
    }));
    expect(refusal(modelOf([call(nameOf(0), 'x', 'y')], doubling)).problem).toContain('bytes');
  });

  it('do not repeat a name of a megabyte in every tensor of a call', () => {
    const name = 'x'.repeat(2 ** 20);
    const nodes = Array.from({ length: 5000 }, (_, index) =>
      nodeOf('Neg', [index === 0 ? 'a' : `t${index - 1}`], [index === 4999 ? 'b' : `t${index}`]),
    );
    const graph = Graph.read(modelOf([call(name, 'x', 'y')], [{ name, nodes }]));
    const lengths = [...graph.nodes].map(({ outputs: [output = ''] }) => output.length);
    expect(lengths).toHaveLength(5000);
    expect(lengths.reduce((most, length) => Math.max(most, length), 0)).toBeLessThan(200);
  });
});

it('an error about a name of a megabyte is no longer than a page', () => {
  const name = 'x'.repeat(2 ** 20);
  const failure = refusal(modelOf([nodeOf('Neg', [name], [name]), nodeOf('Neg', [name], ['y'])]));
  expect(failure.message.length).toBeLessThan(5000);
  expect(failure.message).toContain('cycle');
});

describe('cycles', () => {
  const chain = (length: number, first: string): Node[] =>
    Array.from({ length }, (_, index) =>
      nodeOf('Neg', [index === 0 ? first : `t${index - 1}`], [index === length - 1 ? 'y' : `t${index}`]),
    );

  it('of one node and of 50,000 are refused', () => {
    expect(refusal(modelOf([nodeOf('Add', ['x', 'y'], ['y'])])).problem).toContain('cycle');
    expect(refusal(modelOf(chain(50_000, 't49000'))).problem).toContain('cycle');
  });

  it('that no output reads are left out', () => {
    const dead = [nodeOf('Add', ['x', 'q'], ['p']), nodeOf('Neg', ['p'], ['q'])];
    const graph = prepareGraph(modelOf([...dead, nodeOf('Neg', ['x'], ['y'])]));
    expect(graph.toModel().graph.nodes.map(({ opType }) => opType)).toEqual(['Neg']);
  });

  it('through a branch are refused', () => {
    const branch = {
      kind: 'graph',
      value: {
        name: 'branch',
        nodes: [nodeOf('Neg', ['y'], ['inner'])],
        initializers: [],
        inputs: [],
        outputs: [{ name: 'inner', dataType: DataType.float32, dims: undefined }],
      },
    } as const;
    const node = nodeOf(
      'If',
      ['x'],
      ['y'],
      new Map([
        ['then_branch', branch],
        ['else_branch', branch],
      ]),
    );
    expect(refusal(modelOf([node])).problem).toContain('cycle');
  });
});

describe('files that did not arrive', () => {
  it('a git-lfs pointer as the model, or as its external data, is named', async () => {
    await inFolder((folder) => {
      const [file, weights] = [join(folder, 'model.onnx'), join(folder, 'model.onnx_data')];
      writeFileSync(file, LFS_POINTER);
      expect(refusal(file).message).toContain(`${file}: this is a git-lfs pointer`);
      writeFileSync(weights, LFS_POINTER);
      writeFileSync(
        file,
        modelWithTensor((tensor) => {
          tensorHeader(DataType.float32, 1000)(tensor);
          writeExternalData(tensor, { location: 'model.onnx_data' });
        }),
      );
      expect(refusal(file).message).toContain(
        'tensor w: its external data (model.onnx_data) is a git-lfs pointer',
      );
    });
  });

  it('every real model is refused when truncated, wherever', async () => {
    const names = readdirSync(FIXTURES, { withFileTypes: true }).filter((entry) => entry.isDirectory());
    const next = randomStream(1);
    await inFolder((folder) => {
      const file = join(folder, 'model.onnx');
      for (const { name } of names) {
        const bytes = readFileSync(join(FIXTURES, name, 'model.onnx'));
        // The last field is the operator set; without it, or within it, nothing is sound.
        for (const length of [
          ...Array.from({ length: 8 }, () => Math.floor(next() * bytes.length)),
          bytes.length - 1,
        ]) {
          writeFileSync(file, bytes);
          truncateSync(file, length);
          expect(() => Graph.read(file)).toThrow(MalformedModelError);
        }
      }
    });
  });
});

describe('shapes that nothing could hold', () => {
  const folded = (opType: string, ...inputs: readonly (readonly number[])[]): Uint8Array => {
    const model = emptyModel();
    const initializers = inputs.map((values, index) => ({
      name: `c${index}`,
      dataType: DataType.int64,
      dims: [values.length],
      data: { kind: 'bytes', bytes: new Uint8Array(BigInt64Array.from(values, BigInt).buffer) } as const,
    }));
    const node = nodeOf(
      opType,
      initializers.map(({ name }) => name),
      ['made'],
    );
    const graph = {
      ...model.graph,
      nodes: [node, nodeOf('Neg', ['made'], ['t']), nodeOf('Identity', ['t'], ['y'])],
      initializers,
      outputs: [{ name: 'y', dataType: DataType.int64, dims: undefined }],
    };
    return writeModel({ ...model, graph });
  };
  const many = Array.from({ length: 60_000 }, () => 1);
  const zeros = many.map(() => 0);

  it.each([
    ['of a fraction', folded('Reshape', [1, 2], [-1, 4])],
    ['of negative extents', folded('Reshape', [1, 2, 3, 4, 5, 6], [-2, -3])],
    ['of 60,000 axes', folded('Reshape', [7], many)],
    ['of 60,000 new axes', folded('Unsqueeze', [7], many)],
    ['of roots of whole numbers', folded('Sqrt', [2, 3])],
    ['of 60,000 slices of one axis', folded('Slice', many, zeros, many, zeros)],
  ])('%s are left as they are, and written', (_name, bytes) => {
    const graph = prepareGraph(bytes);
    expect(graph.producer('made')).toBeDefined();
    expect(graph.serialize().length).toBeGreaterThan(0);
  });

  it('of more than 64 axes are refused', () => {
    const deep = (count: number): Uint8Array =>
      modelWithTensor((tensor) => {
        tensorHeader(DataType.float32, ...many.slice(0, count))(tensor);
        tensor.bytes(9, new Uint8Array(4));
      });
    expect(refusal(deep(65)).message).toContain('65 axes');
    expect(Graph.read(deep(64)).initializers.get('w')?.dims).toHaveLength(64);
  });

  const declared = (...extents: readonly number[]): Uint8Array =>
    modelWithGraph((graph) => {
      graph.message(1, (node) => {
        node.string(1, 'x');
        node.string(2, 'y');
        node.string(4, 'Neg');
      });
      graph.message(11, (value) => {
        value.string(1, 'x');
        value.message(2, (type) => {
          type.message(1, (tensor) => {
            tensor.integer(1, DataType.float32);
            tensor.message(2, (shape) => {
              for (const extent of extents)
                shape.message(1, (dimension) => {
                  dimension.integer(1, extent);
                });
            });
          });
        });
      });
      graph.message(12, (output) => {
        output.string(1, 'y');
      });
    });

  it('are not made up to find others', () => {
    for (const extents of [[2 ** 40], [2 ** 14, 2 ** 14], new Array<number>(40).fill(2 ** 62)])
      expect(() => defaultProbeInputs(Graph.read(declared(...extents)))).toThrow(InvalidInputError);
    const [{ x }] = defaultProbeInputs(Graph.read(declared(2 ** 10, 2 ** 10)));
    expect(x?.data).toHaveLength(2 ** 20);
  });

  it('nor are negative ones, which stand for extents that vary', () => {
    const graph = Graph.read(declared(-1, 3));
    expect(graph.inputs.get('x')?.dims).toEqual([undefined, 3]);
    const [first, second] = defaultProbeInputs(graph);
    expect(first.x?.dims[0]).not.toBe(second.x?.dims[0]);
  });

  it('are not made of an axis far before the first', () => {
    const axis = { kind: 'int', value: -(2 ** 40) } as const;
    const node = nodeOf('RMSNormalization', ['x', 'x'], ['y'], new Map([['axis', axis]]));
    expect([...prepareGraph(modelOf([node])).nodes].map(({ opType }) => opType)).toEqual([
      'RMSNormalization',
    ]);
  });
});
