import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from '@jest/globals';
import { appendLossGradient, differentiate } from '../differentiate.js';
import { InvalidInputError, RuntimeFailureError } from '../errors.js';
import { DataType } from '../graph/types.js';
import { countingGraph } from '../testing/counting.js';
import { inFolder } from '../testing/files.js';
import { buildGraph, buildModel, floatInput, integerInput } from '../testing/models.js';
import { randomFloats } from '../testing/random.js';
import { IsolatedRuntime } from './isolated-session.js';
import { openSession } from './session.js';
import { float32, floatsOf, int64, type TensorValue } from './tensor-value.js';

/** Longer than any sound step of these tests takes, shorter than a test may. */
const LIMIT = { timeoutMilliseconds: 3000 };
const forever: Record<string, TensorValue> = {
  count: { type: 'int64', dims: [], data: BigInt64Array.of(2n ** 60n) },
};
const countTo = (count: bigint): Record<string, TensorValue> => ({
  count: { type: 'int64', dims: [], data: BigInt64Array.of(count) },
});
const failureOf = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => undefined,
    (error: unknown) => error,
  );

describe('a session in a process of its own', () => {
  it('answers as one in this process does, with every element type and with large tensors', async () => {
    const graph = buildGraph((emit) => {
      const input = floatInput(emit, 'x', 'rows', 1000);
      emit.output('double', emit.add(input, input));
      for (const type of ['int64', 'int32', 'uint8', 'int8', 'bool', 'float64'] as const)
        emit.output(type, emit.cast(input, DataType[type]), DataType[type]);
    });
    const x = float32(randomFloats(1, 500_000, 0, 100), [500, 1000]);
    const [here, there] = [await openSession(graph), await openSession(graph, { isolated: true })];
    expect([there.inputs, there.outputs]).toEqual([here.inputs, here.outputs]);
    const [expected, actual] = [await here.run({ x }), await there.run({ x })];
    await here.release();
    await there.release();
    expect(Object.keys(actual)).toEqual(Object.keys(expected));
    for (const [name, value] of Object.entries(expected)) {
      expect(actual[name]?.type).toBe(value.type);
      expect(actual[name]?.dims).toEqual(value.dims);
      expect(actual[name]?.data).toBeInstanceOf(value.data.constructor);
      expect(Buffer.compare(bytesOf(actual[name]), bytesOf(value))).toBe(0);
    }
    expect(floatsOf(actual.double)[7]).toBe(2 * (x.data[7] as number));
  });

  it('refuses what one in this process refuses, by the same errors', async () => {
    const graph = buildGraph((emit) => {
      emit.output('y', emit.op('Gather', [floatInput(emit, 'x', 2, 2), integerInput(emit, 'ids', 'count')]));
    });
    const x = float32(Float32Array.of(1, 2, 3, 4), [2, 2]);
    const session = await openSession(graph, { isolated: true });
    const wrong = await failureOf(session.run({ x }));
    const outside = await failureOf(session.run({ x, ids: int64([9], [1]) }));
    const { y } = await session.run({ x, ids: int64([1], [1]) });
    await session.release();
    expect(wrong).toBeInstanceOf(InvalidInputError);
    expect(outside).toBeInstanceOf(RuntimeFailureError);
    expect(String(outside)).toContain('out of data bounds');
    expect([...floatsOf(y)]).toEqual([3, 4]);
    const unknown = buildGraph((emit) => {
      emit.output('y', emit.op('NoSuchOperator', [floatInput(emit, 'x', 1)]));
    });
    const refused = await failureOf(openSession(unknown, { isolated: true }));
    expect(refused).toBeInstanceOf(RuntimeFailureError);
    expect(String(refused)).toContain('onnxruntime does not load the graph');
    expect(String(refused)).toContain('NoSuchOperator');
  });

  it('finds shapes and differentiates there, with weights that lie in a file', async () => {
    await inFolder(async (folder) => {
      const file = join(folder, 'model.onnx');
      const weights = randomFloats(2, 10_000);
      const model = buildModel((emit) => {
        const product = emit.op('MatMul', [
          floatInput(emit, 'x', 'n', 100),
          emit.floats(weights, [100, 100]),
        ]);
        emit.output('y', product);
      });
      writeFileSync(file, model);
      const session = await differentiate(file, {
        withRespectTo: ['x'],
        objective: { kind: 'vector-jacobian', output: 'y' },
        isolated: LIMIT,
      });
      const upstream = float32(
        Float32Array.from({ length: 100 }, (_, index) => (index === 3 ? 1 : 0)),
        [1, 100],
      );
      const { gradients } = await session.run({ x: float32(new Float32Array(100), [1, 100]), upstream });
      await session.release();
      // dx = upstream Wᵀ: column 3 of W.
      expect([...floatsOf(gradients.x)]).toEqual(
        Array.from({ length: 100 }, (_, row) => weights[100 * row + 3]),
      );
    });
  });

  it('leaves the event loop free, and ends with the session', async () => {
    const session = await openSession(countingGraph(), { isolated: true });
    expect((await session.run(countTo(1000n))).y?.data).toEqual(BigInt64Array.of(1000n));
    const run = failureOf(session.run(forever));
    for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setTimeout(resolve, 10));
    await session.release();
    const failure = await run;
    expect(failure).toBeInstanceOf(RuntimeFailureError);
    expect(String(failure)).toContain('its session was released');
    expect(await failureOf(session.run(forever))).toBe(failure);
    await session.release();
  });

  it('takes runs one after the other', async () => {
    const session = await openSession(countingGraph(), { isolated: LIMIT });
    const counts = [20_000n, 3n, 0n];
    const results = await Promise.all(counts.map((count) => session.run(countTo(count))));
    await session.release();
    expect(results.map(({ y }) => y?.data)).toEqual(counts.map((count) => BigInt64Array.of(count)));
  });
});

describe('a process that is lost', () => {
  it.each(['SIGSEGV', 'SIGABRT', 'SIGKILL'] as const)(
    'by %s is an error that says so, then and later',
    async (signal) => {
      const runtime = await IsolatedRuntime.load(
        countingGraph().serialize(),
        { logSeverityLevel: 4 },
        'some model',
        {},
      );
      const feeds = forever as unknown as Parameters<IsolatedRuntime['run']>[0];
      const [first, queued] = [failureOf(runtime.run(feeds)), failureOf(runtime.run(feeds))];
      await new Promise((resolve) => setTimeout(resolve, 50));
      process.kill(runtime.pid ?? 0, signal);
      const failure = await first;
      expect(failure).toBeInstanceOf(RuntimeFailureError);
      expect(String(failure)).toContain(`some model: the process of its session was killed by ${signal}`);
      expect(String(failure)).toContain(signal === 'SIGKILL' ? 'memory' : 'source you do not trust');
      expect(String(failure)).not.toContain('\n');
      expect(await queued).toBe(failure);
      expect(await failureOf(runtime.run(feeds))).toBe(failure);
      await runtime.release();
    },
  );

  it('while it does nothing is an error at the next run', async () => {
    const runtime = await IsolatedRuntime.load(countingGraph().serialize(), {}, 'some model', {});
    process.kill(runtime.pid ?? 0, 'SIGTERM');
    const failure = await failureOf(runtime.run({}));
    expect(String(failure)).toContain('killed by SIGTERM');
  });

  it('for its time is an error that names the limit, then and later', async () => {
    const session = await openSession(countingGraph(), { isolated: LIMIT });
    const failure = await failureOf(session.run(forever));
    expect(failure).toBeInstanceOf(RuntimeFailureError);
    expect(String(failure)).toContain('test model: running it took longer than 3000 ms');
    expect(String(failure)).toContain('isolated.timeoutMilliseconds');
    expect(await failureOf(session.run(countTo(1n)))).toBe(failure);
    await session.release();
  });

  it('for its time while loading or finding shapes is an error too', async () => {
    const isolated = { timeoutMilliseconds: 1 };
    expect(String(await failureOf(openSession(countingGraph(), { isolated })))).toContain(
      'loading it took longer',
    );
    const graph = buildGraph((emit) => {
      emit.output('y', emit.neg(floatInput(emit, 'x', 2)));
    });
    const objective = { kind: 'vector-jacobian', output: 'y' } as const;
    const failure = await failureOf(appendLossGradient(graph, { withRespectTo: ['x'], objective, isolated }));
    expect(failure).toBeInstanceOf(RuntimeFailureError);
  });

  it.each([0, -1, Number.NaN, Infinity, 2 ** 31])('is not started with a limit of %d ms', async (limit) => {
    const options = { isolated: { timeoutMilliseconds: limit } };
    await expect(openSession(countingGraph(), options)).rejects.toThrow(InvalidInputError);
  });
});

describe('the process of a session', () => {
  it('ends with a parent that is killed while it computes', async () => {
    await inFolder(async (folder) => {
      const model = join(folder, 'model.onnx');
      writeFileSync(model, countingGraph().serialize());
      // A parent that holds standard input open, starts an endless run, says so, and is killed. Its standard error is the child's
      // too: it is closed when both are gone.
      const child = fileURLToPath(new URL('../../child/session.js', import.meta.url));
      const script = `
        const { fork } = require('node:child_process');
        const stdio = ['pipe', 'ignore', 'inherit', 'ipc'];
        const child = fork(${JSON.stringify(child)}, [], { serialization: 'advanced', stdio, execArgv: [] });
        const count = { type: 'int64', dims: [], data: BigInt64Array.of(2n ** 60n) };
        child.once('message', () => child.send({ kind: 'run', feeds: { count } }, () => console.log('runs')));
        child.send({ kind: 'load', model: require('node:fs').readFileSync(${JSON.stringify(model)}), options: {} });`;
      const parent = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'pipe'] });
      const closed = new Promise((resolve) => {
        parent.once('close', (_code, signal) => {
          resolve(signal);
        });
      });
      await new Promise((resolve) => parent.stdout.once('data', resolve));
      await new Promise((resolve) => setTimeout(resolve, 50));
      parent.kill('SIGKILL');
      expect(await closed).toBe('SIGKILL');
    });
  });
});

function bytesOf(value: TensorValue | undefined): Uint8Array {
  const data = value?.data ?? new Uint8Array();
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}
