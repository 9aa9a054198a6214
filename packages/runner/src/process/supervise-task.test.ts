import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

import type { Ending } from './crash.js';
import { superviseTask } from './supervise-task.js';

let folder: string;
const built = (name: string): string => new URL(`../../dist/process/${name}.js`, import.meta.url).href;

/** What a task does is said by what it is given. */
const worker = `
import { serveTask } from ${JSON.stringify(built('serve-task'))};
serveTask(async (opening, { tell, signal }) => {
  switch (opening.kind) {
    case 'add':
      console.log('adding');
      tell({ at: 1 });
      tell({ at: NaN });
      return opening.values[0] + opening.values[1];
    case 'refuse':
      throw Object.assign(new TypeError('no'), { problem: 'it is odd', remedy: 'Make it even' });
    case 'die':
      tell({ at: 0 });
      process.kill(process.pid, 'SIGKILL');
      return new Promise(() => undefined);
    case 'exit':
      process.stderr.write('words of farewell\\n');
      setTimeout(() => process.exit(3), 20);
      return new Promise(() => undefined);
    case 'wait':
      tell({ at: 0 });
      return new Promise((resolve) => {
        const timer = setInterval(() => undefined, 1000);
        signal.addEventListener('abort', () => { clearInterval(timer); resolve('in order'); });
      });
    case 'spin':
      tell({ at: process.pid });
      setImmediate(() => { for (;;); });
      return new Promise(() => undefined);
  }
});
`;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'dynaprompt-task-'));
  await writeFile(join(folder, 'worker.mjs'), worker);
});

afterAll(() => rm(folder, { recursive: true, force: true }));

interface Watched {
  readonly result: Promise<unknown>;
  readonly told: unknown[];
  readonly lines: string[];
  readonly stop: () => void;
  readonly endings: Ending[];
  readonly isTold: Promise<void>;
}

function watch(opening: unknown, mayFinish = true): Watched {
  const stopping = new AbortController();
  const [told, lines, endings]: [unknown[], string[], Ending[]] = [[], [], []];
  let result: Promise<unknown> = Promise.resolve();
  const isTold = new Promise<void>((resolve) => {
    result = superviseTask({
      module: pathToFileURL(join(folder, 'worker.mjs')),
      opening,
      signal: stopping.signal,
      started: () => undefined,
      told: (message) => {
        told.push(message);
        resolve();
      },
      wrote: (line) => lines.push(line),
      mayFinish: () => mayFinish,
      crashed: (ending) => {
        endings.push(ending);
        return Promise.resolve(new Error('crashed'));
      },
    });
    result.catch(() => undefined);
  });
  return {
    result,
    told,
    lines,
    endings,
    isTold,
    stop: () => {
      stopping.abort();
    },
  };
}

describe('superviseTask', () => {
  it('gives the result, messages and lines of a task', async () => {
    const { result, told, lines } = watch({ kind: 'add', values: new Float32Array([2, 3]) });
    expect(await result).toBe(5);
    expect(told).toEqual([{ at: 1 }, { at: NaN }]);
    expect(lines).toEqual(['adding']);
  });

  it('throws what the task has thrown, fields included', async () => {
    await expect(watch({ kind: 'refuse' }).result).rejects.toMatchObject({
      name: 'TypeError',
      message: 'no',
      problem: 'it is odd',
      remedy: 'Make it even',
    });
  });

  it('tells how a process ended in the middle', async () => {
    const killed = watch({ kind: 'die' });
    await expect(killed.result).rejects.toThrow('crashed');
    expect(killed.endings).toEqual([{ code: null, signal: 'SIGKILL', words: '' }]);
    expect(killed.told).toEqual([{ at: 0 }]);
    const left = watch({ kind: 'exit' });
    await expect(left.result).rejects.toThrow('crashed');
    expect(left.endings).toEqual([{ code: 3, signal: null, words: 'words of farewell\n' }]);
  });

  it('asks a task to stop, which may end in order', async () => {
    const { result, isTold, stop } = watch({ kind: 'wait' });
    await isTold;
    stop();
    expect(await result).toBe('in order');
  });

  it('ends at once what has nothing to put in order', async () => {
    const { result, isTold, stop, endings } = watch({ kind: 'spin' }, false);
    await isTold;
    stop();
    await expect(result).rejects.toThrow('stopped');
    expect(endings).toEqual([]);
  });

  it('leaves no child behind when its parent is killed, in the middle of a computation', async () => {
    const parent = `
      import { superviseTask } from ${JSON.stringify(built('supervise-task'))};
      superviseTask({
        module: new URL(${JSON.stringify(pathToFileURL(join(folder, 'worker.mjs')).href)}),
        opening: { kind: 'spin' }, signal: new AbortController().signal,
        started: () => undefined, told: ({ at }) => process.stdout.write(at + '\\n'), wrote: () => undefined,
        mayFinish: () => true, crashed: async () => new Error('crashed'),
      });`;
    await writeFile(join(folder, 'parent.mjs'), parent);
    const process_ = spawn(process.execPath, [join(folder, 'parent.mjs')], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [line] = (await once(createInterface({ input: process_.stdout }), 'line')) as [string];
    const wasRunning = isRunning(Number(line));
    process_.kill('SIGKILL');
    expect(wasRunning).toBe(true);
    while (isRunning(Number(line))) await setTimeout(50);
  });
});

/** Whether a process is there and no zombie, which waits for whoever has inherited it. */
function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  return !isZombie(pid);
}

function isZombie(pid: number): boolean {
  const status = `/proc/${pid}/stat`;
  return existsSync(status) && readFileSync(status, 'utf8').includes(' Z ');
}
