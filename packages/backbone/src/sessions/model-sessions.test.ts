import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ModelError } from '@dynaprompt/core';
import {
  DataType,
  Emitter,
  float32,
  floatsOf,
  Graph,
  prepareGraph,
  type SessionOptions,
  type TensorValue,
} from '@dynaprompt/onnx-autodiff';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ModelSessions } from './model-sessions.js';
import { SessionCache } from './session-cache.js';

const EXTENT = 64;
const folder = mkdtempSync(join(tmpdir(), 'dynaprompt-sessions-'));
const file = join(folder, 'model.onnx');
/** W of the model y = x W: W_ij = i − 2j, exact in float32, as all products below are. */
const weight = Float32Array.from(
  { length: EXTENT * EXTENT },
  (_, index) => Math.floor(index / EXTENT) - 2 * (index % EXTENT),
);
const x = Float32Array.from({ length: EXTENT }, (_, index) => (index % 5) - 2);
const feeds = { x: float32(x, [1, EXTENT]) };
const product = Array.from({ length: EXTENT }, (_, column) =>
  x.reduce((sum, value, row) => sum + value * (weight[row * EXTENT + column] ?? 0), 0),
);

beforeAll(() => {
  const empty = { name: 'test', nodes: [], initializers: [], inputs: [], outputs: [] };
  const opsets = new Map([['', 17]]);
  const graph = new Graph({ irVersion: 8, producer: 'test', opsets, functions: [], graph: empty }, 'test');
  const emit = new Emitter(graph);
  emit.input({ name: 'x', dataType: DataType.float32, dims: ['n', EXTENT] });
  emit.output('y', emit.op('MatMul', ['x', emit.floats(weight, [EXTENT, EXTENT])]));
  writeFileSync(file, graph.serialize());
});

afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

/** y = factor · x W */
function scaled(factor: number): Graph {
  const graph = prepareGraph(file);
  const [output = ''] = graph.outputs.keys();
  graph.outputs.clear();
  const emit = new Emitter(graph);
  emit.output('scaled', emit.mul(output, emit.floats(Float32Array.of(factor), [1])));
  return graph;
}

/** Sessions of the model, which counts as large where `large` is 0. */
function open(
  options: SessionOptions = {},
  large: number | undefined = 0,
): { sessions: ModelSessions; release: () => Promise<void> } {
  const cache = new SessionCache('test');
  // Weights that are not repacked stay mapped.
  const sessions = new ModelSessions(cache, { prepack: false, threads: 1, ...options }, large);
  const release = async (): Promise<void> => {
    await cache.release();
    await sessions.release();
  };
  return { sessions, release };
}

function valuesOf(results: Readonly<Record<string, TensorValue>>): number[] {
  return [...floatsOf(results.scaled)];
}

/** How often the model is mapped into this process. */
function mappings(): number {
  return readFileSync('/proc/self/maps', 'utf8')
    .split('\n')
    .filter((line) => line.endsWith(file)).length;
}

const onLinux = process.platform === 'linux';

const weightBytes = 4 * weight.length;

describe('sessions of one model', () => {
  it.each([
    ['large', 0],
    ['small', weightBytes + 1],
  ])(
    'compute the graph of their purpose, made once, whenever others came in between: %s',
    async (_, large) => {
      const { sessions, release } = open({}, large);
      const made: number[] = [];
      const run = async (factor: number): Promise<number[]> => {
        const make = (): Graph => {
          made.push(factor);
          return scaled(factor);
        };
        return valuesOf(await sessions.run(`times ${factor}`, make, feeds));
      };
      for (const factor of [1, 2, 1, 4, 2, 1])
        expect(await run(factor)).toEqual(product.map((value) => factor * value));
      const both = await Promise.all([run(4), run(8), run(2)]);
      expect(both).toEqual([4, 8, 2].map((factor) => product.map((value) => factor * value)));
      expect(made).toEqual([1, 2, 4, 8]);
      await release();
    },
  );

  it('have the weights in memory once, and leave nothing behind', async () => {
    const { sessions, release } = open();
    await sessions.run('one', () => scaled(1), feeds);
    const alone = onLinux ? mappings() : 0;
    await sessions.run('two', () => scaled(2), feeds);
    await sessions.run('three', () => scaled(3), feeds);
    expect(alone > 0).toBe(onLinux);
    expect(onLinux ? mappings() : 0).toBe(alone);
    await release();
    await release();
    expect(onLinux ? mappings() : 0).toBe(0);
    const late = sessions.run('one', () => scaled(1), feeds);
    await expect(late).rejects.toThrow(ModelError);
  });

  it('are apart where the model is small, and leave nothing behind either', async () => {
    for (const [large, times] of [
      [weightBytes, 1],
      [weightBytes + 1, 3],
    ] as const) {
      const { sessions, release } = open({}, large);
      await sessions.run('one', () => scaled(1), feeds);
      const alone = onLinux ? mappings() : 0;
      await sessions.run('two', () => scaled(2), feeds);
      await sessions.run('three', () => scaled(3), feeds);
      expect(onLinux ? mappings() : 0).toBe(times * alone);
      await release();
      expect(onLinux ? mappings() : 0).toBe(0);
      await expect(sessions.run('one', () => scaled(1), feeds)).rejects.toThrow(ModelError);
    }
  });

  it.each([0, Infinity])('work on where another cannot be made, which is tried again: %d', async (large) => {
    const { sessions, release } = open({}, large);
    let isBroken = true;
    const make = (): Promise<Graph> =>
      isBroken ? Promise.reject(new Error('no gradient')) : Promise.resolve(scaled(2));
    await sessions.run('one', () => scaled(1), feeds);
    await expect(sessions.run('two', make, feeds)).rejects.toThrow('no gradient');
    expect(valuesOf(await sessions.run('one', () => scaled(5), feeds))).toEqual(product);
    isBroken = false;
    expect(valuesOf(await sessions.run('two', make, feeds))).toEqual(product.map((value) => 2 * value));
    await release();
  });

  it.each([0, Infinity])(
    'work on where onnxruntime refuses another, together with them and alone: %d',
    async (large) => {
      const { sessions, release } = open({}, large);
      const refused = (): Graph => {
        const graph = scaled(1);
        new Emitter(graph).output('impossible', new Emitter(graph).op('NoSuchOperator', ['x']));
        return graph;
      };
      await sessions.run('one', () => scaled(1), feeds);
      await expect(sessions.run('bad', refused, feeds)).rejects.toThrow(
        'onnxruntime does not load the graph',
      );
      await expect(sessions.run('bad', refused, feeds)).rejects.toThrow(
        'onnxruntime does not load the graph',
      );
      expect(valuesOf(await sessions.run('one', () => scaled(5), feeds))).toEqual(product);
      await release();
    },
  );

  it('are apart where graphs cannot be joined', async () => {
    const { sessions, release } = open();
    const newer = (): Graph => {
      const graph = scaled(2);
      graph.opsets.set('', 18);
      return graph;
    };
    await sessions.run('one', () => scaled(1), feeds);
    const doubled = product.map((value) => 2 * value);
    for (let round = 0; round < 2; round++) {
      expect(valuesOf(await sessions.run('newer', newer, feeds))).toEqual(doubled);
      expect(valuesOf(await sessions.run('one', () => scaled(5), feeds))).toEqual(product);
    }
    await release();
    expect(onLinux ? mappings() : 0).toBe(0);
  });

  it.each([0, Infinity])('have a failed run behind them: %d', async (large) => {
    const { sessions, release } = open({}, large);
    const narrow = { x: float32(new Float32Array(2), [1, 2]) };
    await expect(sessions.run('one', () => scaled(1), narrow)).rejects.toThrow('input x: shape [1, 2]');
    expect(valuesOf(await sessions.run('one', () => scaled(1), feeds))).toEqual(product);
    await release();
  });

  it('are in processes of their own where they are isolated', async () => {
    const { sessions, release } = open({ isolated: true });
    const [one, two] = await Promise.all([
      sessions.run('one', () => scaled(1), feeds),
      sessions.run('two', () => scaled(2), feeds),
    ]);
    expect([valuesOf(one), valuesOf(two)]).toEqual([product, product.map((value) => 2 * value)]);
    expect(onLinux ? mappings() : 0).toBe(0);
    await release();
  });
});
