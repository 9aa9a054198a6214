import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { prepareGraph } from '../differentiate.js';
import { MalformedModelError, OnnxAutodiffError } from '../errors.js';
import { Graph } from '../graph/graph.js';
import { DataType, type Attribute } from '../graph/types.js';
import { inFolder } from '../testing/files.js';
import { buildModel, emptyModel, floatInput, integerInput, nodeOf, tensorOf } from '../testing/models.js';
import { mutate } from '../testing/mutations.js';
import { modelWithGraph, modelWithTensor } from '../testing/wire-models.js';
import { WireWriter } from './wire-writer.js';
import { writeModel } from './write-model.js';

/** A model with most things a file can hold. */
function sample(): Uint8Array {
  return buildModel((emit) => {
    const ids = integerInput(emit, 'input_ids', 'batch', 'sequence');
    const table = emit.floats(Float32Array.from({ length: 20 }, Math.sin), [5, 4]);
    const hidden = emit.op('Gather', [table, ids]);
    const bias = floatInput(emit, 'bias', 'batch', 1, 4);
    const sum = emit.add(hidden, bias);
    const gamma = emit.floats(Float32Array.of(1, 1, 1, 1), [4]);
    const normalised = emit.op('LayerNormalization', [sum, gamma], { epsilon: { float: 1e-5 }, axis: -1 });
    const sliced = emit.op('Slice', [normalised, emit.ints(0), emit.ints(2 ** 63), emit.ints(1)]);
    emit.output('y', emit.fusedMatMul(sliced, sliced, 0, 1, 0.5));
  });
}

function refusal(model: string | Uint8Array): MalformedModelError {
  try {
    Graph.read(model);
  } catch (error) {
    if (error instanceof MalformedModelError) return error;
    throw error;
  }
  throw new Error('the model was read');
}

describe('files that are no models', () => {
  it.each([
    ['an empty file', '', 'the file is empty'],
    [
      'a git-lfs pointer',
      'version https://git-lfs.github.com/spec/v1\noid sha256:12\nsize 1\n',
      'git-lfs pointer',
    ],
    ['a web page', '<!DOCTYPE html><html><body>Entry not found</body></html>', 'no ONNX model'],
    ['text', 'Repository not found', 'no ONNX model'],
    ['JSON', '{"model_type": "bert"}', 'no ONNX model'],
    ['zeros', '\0'.repeat(1000), 'no ONNX model'],
  ])('refuses %s, naming the file', async (_name, content, message) => {
    await inFolder((folder) => {
      const file = join(folder, 'model.onnx');
      writeFileSync(file, content);
      const error = refusal(file);
      expect(error.message).toContain(message);
      expect(error.message).toContain(file);
      expect(error.message).not.toContain('\n');
    });
  });

  it('refuses a missing file and a folder', async () => {
    await inFolder((folder) => {
      expect(refusal(join(folder, 'none.onnx')).problem).toBe('the model file cannot be opened');
      expect(refusal(folder).problem).toBe('this is not a file');
    });
  });

  it('refuses a model truncated anywhere, in memory and on disk', async () => {
    const bytes = sample();
    await inFolder((folder) => {
      const file = join(folder, 'model.onnx');
      for (let length = 0; length < bytes.length; length += 97) {
        const head = bytes.slice(0, length);
        writeFileSync(file, head);
        expect(refusal(file)).toBeInstanceOf(MalformedModelError);
        expect(refusal(head)).toBeInstanceOf(MalformedModelError);
      }
    });
  });

  it('loses no node to a truncation at any byte', () => {
    const bytes = sample();
    const nodes = [...Graph.read(bytes).nodes].length;
    let read = 0;
    for (let length = 0; length < bytes.length; length++) {
      try {
        expect([...Graph.read(bytes.subarray(0, length)).nodes]).toHaveLength(nodes);
        read++;
      } catch (error) {
        expect(error).toBeInstanceOf(MalformedModelError);
      }
    }
    // What is left whole is the model without its second operator-set entry.
    expect(read).toBe(1);
  });
});

describe('malformed graphs', () => {
  const model = emptyModel();
  const graphOf = (nodes: readonly ReturnType<typeof nodeOf>[], initializers = model.graph.initializers) =>
    writeModel({
      ...model,
      graph: {
        ...model.graph,
        nodes,
        initializers,
        inputs: [{ name: 'x', dataType: DataType.float32, dims: [1] }],
        outputs: [{ name: 'y', dataType: DataType.float32, dims: undefined }],
      },
    });

  it('names the node of a cycle', () => {
    const bytes = graphOf([nodeOf('Add', ['x', 'y'], ['a']), nodeOf('Neg', ['a'], ['y'])]);
    expect(refusal(bytes).message).toMatch(/node (Add a|Neg y) .*cycle/);
  });

  it('names a tensor that is produced twice', () => {
    const twice = graphOf([nodeOf('Neg', ['x'], ['y']), nodeOf('Abs', ['x'], ['y'])]);
    expect(refusal(twice).subject).toContain('tensor y');
    const w = tensorOf('y', DataType.float32, [1], Float32Array.of(1));
    expect(refusal(graphOf([nodeOf('Neg', ['x'], ['y'])], [w])).subject).toContain('tensor y');
    expect(refusal(graphOf([nodeOf('Neg', ['y'], ['x'])])).subject).toContain('tensor x');
  });

  it('refuses graphs nested 200 deep', () => {
    let inner = graphOf([nodeOf('Neg', ['x'], ['y'])]);
    let attribute: Attribute = {
      kind: 'graph',
      value: { ...model.graph, nodes: [nodeOf('Neg', ['x'], ['y'])] },
    };
    for (let depth = 0; depth < 200; depth++) {
      const node = nodeOf('If', ['x'], ['y'], new Map([['then_branch', attribute]]));
      inner = graphOf([node]);
      attribute = { kind: 'graph', value: { ...model.graph, nodes: [node] } };
    }
    expect(refusal(inner).message).toContain('nested');
  });

  it('refuses negative extents, texts that are not UTF-8, and unknown attributes', () => {
    expect(
      refusal(
        modelWithTensor((tensor) => {
          tensor.integers(1, [2, -1]);
          tensor.integer(2, DataType.float32);
        }),
      ).message,
    ).toContain('negative extent');
    expect(
      refusal(
        modelWithGraph((graph) => {
          graph.bytes(2, Uint8Array.of(0xff, 0xfe));
        }),
      ).message,
    ).toContain('UTF-8');
    expect(
      refusal(
        modelWithGraph((graph) => {
          graph.message(1, (node) => {
            node.message(5, (attribute) => {
              attribute.string(1, 'odd');
              attribute.integer(20, 13);
            });
          });
        }),
      ).message,
    ).toContain('attribute odd of unknown type 13');
  });

  it('refuses lengths beyond the file, up to 2^64 − 1', () => {
    for (const length of [[0xff, 0x7f], [0xff, 0xff, 0xff, 0xff, 0x0f], new Array<number>(9).fill(0xff)]) {
      const writer = new WireWriter();
      writer.integer(1, 8);
      const bytes = Uint8Array.of(...writer.finish(), 0x3a, ...length, ...(length.length === 9 ? [1] : []));
      refusal(bytes);
    }
  });
});

describe('mutated models', () => {
  it('are read or refused by name, 2,000 of them, in bounded time', () => {
    const original = sample();
    const start = performance.now();
    let refused = 0;
    for (let seed = 0; seed < 2000; seed++) {
      const mutant = mutate(original, seed);
      try {
        Graph.read(mutant);
      } catch (error) {
        if (!(error instanceof MalformedModelError)) throw new Error(`seed ${seed}`, { cause: error });
        refused++;
      }
      try {
        prepareGraph(mutant);
      } catch (error) {
        if (!(error instanceof OnnxAutodiffError)) throw new Error(`seed ${seed}`, { cause: error });
      }
    }
    expect(refused).toBeGreaterThan(500);
    expect(refused).toBeLessThan(2000);
    expect(performance.now() - start).toBeLessThan(20_000);
  });
});
