import { copyFileSync, mkdirSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { MalformedModelError } from '../errors.js';
import { Graph } from '../graph/graph.js';
import { tensorValues } from '../graph/tensor-data.js';
import { DataType, type Tensor } from '../graph/types.js';
import { float32, floatsOf } from '../session/tensor-value.js';
import { inFolder } from '../testing/files.js';
import { buildModel, evaluate, floatInput } from '../testing/models.js';
import { randomFloats } from '../testing/random.js';
import { modelWithTensor, tensorHeader, tensorIn, writeExternalData } from '../testing/wire-models.js';

describe('weights in files', () => {
  const weights = randomFloats(1, 40_000);
  const bytesOf = (values: Float32Array): Uint8Array => new Uint8Array(values.buffer);
  const large = (): Uint8Array =>
    buildModel((emit) => {
      const table = emit.floats(weights, [200, 200]);
      emit.output('y', emit.op('MatMul', [floatInput(emit, 'x', 1, 200), table]));
    });
  const x = float32(randomFloats(2, 200), [1, 200]);
  const external = (entries: Readonly<Record<string, string>>, ...dims: number[]): Uint8Array =>
    modelWithTensor((writer) => {
      tensorHeader(DataType.float32, ...dims)(writer);
      writeExternalData(writer, entries);
    });

  it('leaves large tensors of a file larger than the window where they are', async () => {
    await inFolder(async (folder) => {
      const file = join(folder, 'model.onnx');
      writeFileSync(file, large());
      const graph = Graph.read(file);
      const [tensor] = graph.initializers.values();
      expect(tensor?.data).toMatchObject({ kind: 'file', file, length: 160_000 });
      expect(tensor && [...tensorValues(tensor)]).toEqual([...weights]);
      expect(graph.serialize().length).toBeLessThan(1000);
      const [fromFile, fromMemory] = [
        await evaluate(graph, { x }),
        await evaluate(Graph.read(large()), { x }),
      ];
      expect(floatsOf(fromFile.y)).toEqual(floatsOf(fromMemory.y));
    });
  });

  it('follows the links of the Hugging Face cache, of the model and of its external data', async () => {
    await inFolder(async (folder) => {
      const [blobs, snapshot] = [join(folder, 'blobs'), join(folder, 'snapshots', 'x', 'onnx')];
      mkdirSync(blobs);
      mkdirSync(snapshot, { recursive: true });
      writeFileSync(join(blobs, 'aaa'), external({ location: 'model.onnx_data', offset: '4' }, 3));
      writeFileSync(join(blobs, 'bbb'), bytesOf(Float32Array.of(9, 1, 2, 3)));
      symlinkSync('../../../blobs/aaa', join(snapshot, 'model.onnx'));
      symlinkSync('../../../blobs/bbb', join(snapshot, 'model.onnx_data'));
      const graph = Graph.read(join(snapshot, 'model.onnx'));
      const { y } = await evaluate(graph, {});
      expect([...floatsOf(y)]).toEqual([1, 2, 3]);
    });
  });

  it('reads external data with offset and length, without either, and in a folder below', async () => {
    await inFolder(async (folder) => {
      mkdirSync(join(folder, 'weights'));
      writeFileSync(join(folder, 'weights', 'data'), bytesOf(Float32Array.of(1, 2, 3)));
      for (const [entries, dims, values] of [
        [{ location: 'weights/data', offset: '4', length: '8' }, [2], [2, 3]],
        [{ location: 'weights/data', offset: '8' }, [1, 1], [3]],
        [{ location: 'weights/data' }, [3], [1, 2, 3]],
      ] as const) {
        const file = join(folder, 'model.onnx');
        writeFileSync(file, external(entries, ...dims));
        expect([...tensorValues(tensorIn(file))]).toEqual(values);
        expect([...floatsOf((await evaluate(Graph.read(file), {})).y)]).toEqual(values);
      }
    });
  });

  it.each<[string, Readonly<Record<string, string>>, string]>([
    ['outside the folder', { location: '../secret' }, 'lies outside the folder'],
    ['outside by backslashes', { location: 'a\\..\\..\\secret' }, 'lies outside the folder'],
    ['at an absolute path', { location: '/etc/passwd' }, 'lies outside the folder'],
    ['nowhere', { offset: '0' }, 'no location'],
    ['in a missing file', { location: 'gone' }, 'is missing'],
    ['in a folder', { location: '.' }, 'is missing'],
    ['in a file of an impossible name', { location: 'a\0b' }, 'is missing'],
    ['beyond the end', { location: 'data', offset: '8' }, 'has only 12 bytes'],
    ['at no number', { location: 'data', offset: 'x' }, 'malformed offset or length'],
    ['at a negative offset', { location: 'data', offset: '-4' }, 'malformed offset or length'],
    ['of negative length', { location: 'data', length: '-4' }, 'malformed offset or length'],
    ['of huge length', { location: 'data', length: '1e300' }, 'malformed offset or length'],
  ])('refuses external data %s', async (_name, entries, message) => {
    await inFolder((folder) => {
      const file = join(folder, 'model.onnx');
      writeFileSync(join(folder, 'data'), bytesOf(Float32Array.of(1, 2, 3)));
      writeFileSync(file, external(entries, 3));
      expect(() => Graph.read(file)).toThrow(MalformedModelError);
      expect(() => Graph.read(file)).toThrow(message);
    });
  });

  it('refuses external data without length and of a huge shape', async () => {
    await inFolder((folder) => {
      const file = join(folder, 'model.onnx');
      writeFileSync(join(folder, 'data'), bytesOf(Float32Array.of(1, 2, 3)));
      for (const dims of [
        [2 ** 40, 2 ** 40],
        [2 ** 30, 2 ** 20],
      ]) {
        writeFileSync(file, external({ location: 'data' }, ...dims));
        expect(() => Graph.read(file)).toThrow(MalformedModelError);
      }
    });
  });

  it('refuses external data of a model given as bytes', () => {
    expect(() => Graph.read(external({ location: 'data' }, 3))).toThrow('cannot be found');
  });

  it('says so when a weight file shrinks or goes after reading', async () => {
    await inFolder((folder) => {
      const file = join(folder, 'model.onnx');
      writeFileSync(file, large());
      const [tensor] = Graph.read(file).initializers.values();
      if (!tensor) throw new Error('no tensor');
      truncateSync(file, 100_001);
      expect(() => tensorValues(tensor)).toThrow('the file ends before the tensor does');
      const gone = { ...tensor, data: { ...tensor.data, file: `${file}.gone` } } as Tensor;
      expect(() => tensorValues(gone)).toThrow(MalformedModelError);
    });
  });

  it('refuses to run weights that lie in two folders', async () => {
    await inFolder(async (folder) => {
      mkdirSync(join(folder, 'other'));
      const file = join(folder, 'model.onnx');
      writeFileSync(file, large());
      copyFileSync(file, join(folder, 'other', basename(file)));
      const graph = Graph.read(file);
      const [name = '', tensor] = [...graph.initializers][0] ?? [];
      if (tensor?.data.kind !== 'file') throw new Error('no tensor in a file');
      const data = { ...tensor.data, file: join(dirname(file), 'other', basename(file)) };
      graph.initializers.set('second', { ...tensor, name: 'second', data });
      graph.add({
        opType: 'MatMul',
        domain: '',
        inputs: [name, 'second'],
        outputs: ['z'],
        attributes: new Map(),
      });
      graph.outputs.set('z', { name: 'z', dataType: DataType.float32, dims: undefined });
      await expect(evaluate(graph, { x })).rejects.toThrow('several folders');
    });
  });
});
