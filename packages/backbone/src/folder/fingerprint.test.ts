import { createHash } from 'node:crypto';
import {
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DataType, Emitter, Graph, type GraphProto, type Tensor } from '@dynaprompt/onnx-autodiff';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { storageOf } from '../inspection/storage.js';
import { fingerprint } from './fingerprint.js';

const MB = 1 << 20;
const WIDTH = 32;
const BYTES = 4 * WIDTH;
let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'dynaprompt-fingerprint-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

/** A tensor that lies in a file of weights. */
const tensor = (name: string, file: string, offset = 0): Tensor => ({
  name,
  dims: [WIDTH],
  dataType: DataType.float32,
  data: { kind: 'file', file, offset, length: BYTES },
});

/** Writes y = x + w, w being what a choice between two branches gives where `inBranch`. */
function writeModel(file: string, weights: Tensor, inBranch = false): string {
  const empty = { name: 'test', nodes: [], initializers: [], inputs: [], outputs: [] };
  const opsets = new Map([['', 17]]);
  const graph = new Graph({ irVersion: 8, producer: 'test', opsets, functions: [], graph: empty }, 'test');
  const emit = new Emitter(graph);
  emit.input({ name: 'x', dataType: DataType.float32, dims: [WIDTH] });
  let added = weights.name;
  if (inBranch) {
    emit.input({ name: 'choice', dataType: DataType.bool, dims: [] });
    const output = { name: weights.name, dataType: DataType.float32, dims: [WIDTH] };
    const branch: GraphProto = { ...empty, initializers: [weights], outputs: [output] };
    const value = { kind: 'graph', value: branch } as const;
    graph.add({
      name: 'if',
      opType: 'If',
      domain: '',
      inputs: ['choice'],
      outputs: ['chosen'],
      attributes: new Map([
        ['then_branch', value],
        ['else_branch', value],
      ]),
    });
    added = 'chosen';
  } else graph.initializers.set(weights.name, weights);
  emit.output('y', emit.op('Add', ['x', added]));
  writeFileSync(file, graph.serialize());
  return file;
}

it('is the start of SHA-256 of size and bytes where a model is one file', () => {
  const weights = join(folder, 'w');
  writeFileSync(weights, new Uint8Array(BYTES));
  const bytes = { ...tensor('w', weights), data: { kind: 'bytes', bytes: new Uint8Array(BYTES) } } as const;
  const model = writeModel(join(folder, 'model.onnx'), bytes);
  const content = readFileSync(model);
  const expected = createHash('sha256').update(String(content.length)).update(content).digest('hex');
  expect(fingerprint(model)).toBe(expected.slice(0, 16));
});

it.each([false, true])('tells models apart by weights beside them, in a branch: %s', (inBranch) => {
  const prints = [0, 0, 1].map((last, index) => {
    const inner = join(folder, `${index}`);
    mkdirSync(inner);
    const weights = join(inner, 'model.onnx_data');
    writeFileSync(weights, new Uint8Array(BYTES).fill(last, BYTES - 1));
    const model = writeModel(join(inner, 'model.onnx'), tensor('w', weights), inBranch);
    return { print: fingerprint(model), bytes: readFileSync(model) };
  });
  const [one, same, other] = prints;
  expect(one?.bytes.equals(other?.bytes ?? new Uint8Array())).toBe(true);
  expect(same?.print).toBe(one?.print);
  expect(other?.print).not.toBe(one?.print);
});

it('follows links, as in the cache of the Hub', () => {
  const weights = join(folder, 'blob-1');
  writeFileSync(weights, new Uint8Array(BYTES));
  symlinkSync(weights, join(folder, 'model.onnx_data'));
  const model = writeModel(join(folder, 'blob-2'), tensor('w', join(folder, 'model.onnx_data')));
  const link = join(folder, 'model.onnx');
  symlinkSync(model, link);
  expect(fingerprint(link)).toBe(fingerprint(model));
  // The model itself is no external data, by whatever name it goes.
  expect(storageOf(Graph.read(link), link).externalData).toEqual([weights]);
});

it('sees the smallest tensor of a file that is too large to be read as a whole', () => {
  const weights = join(folder, 'model.onnx_data');
  writeFileSync(weights, '');
  truncateSync(weights, 400 * MB);
  // 512 samples begin 800 kB apart, and are 64 kB long: none of them has this place.
  const offset = 200 * MB + 500_000;
  const model = writeModel(join(folder, 'model.onnx'), tensor('w', weights, offset));
  const before = fingerprint(model);
  const descriptor = openSync(weights, 'r+');
  writeSync(descriptor, Uint8Array.of(1), 0, 1, offset + BYTES - 1);
  closeSync(descriptor);
  expect(fingerprint(model)).not.toBe(before);
});

it('takes several models together, in order', () => {
  const write = (name: string, value: number): string => {
    const data = { kind: 'bytes', bytes: new Uint8Array(BYTES).fill(value) } as const;
    return writeModel(join(folder, name), { ...tensor('w', ''), data });
  };
  const [one, two] = [write('one', 1), write('two', 2)];
  expect(fingerprint(one, two)).not.toBe(fingerprint(two, one));
  expect(fingerprint(one, two)).not.toBe(fingerprint(one));
  expect(fingerprint(one)).not.toBe(fingerprint(two));
});
