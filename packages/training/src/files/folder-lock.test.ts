import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';

import { clearStale, FolderInUseError, type LockHolder, lockFolder } from './folder-lock.js';

const program = fileURLToPath(new URL('../../dist/testing/locking.test.fixture.js', import.meta.url));
let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'dynaprompt-lock-'));
});

afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

async function holder(): Promise<LockHolder> {
  return JSON.parse(await readFile(join(folder, 'run.lock'), 'utf8')) as LockHolder;
}

/** Leaves a lock as somebody else's. */
async function leave(changes: Partial<LockHolder>): Promise<void> {
  const lock = await lockFolder(folder);
  const own = await holder();
  await lock.release();
  await writeFile(join(folder, 'run.lock'), JSON.stringify({ ...own, token: 'other', ...changes }));
}

/** A process that takes the folder and then does as it is told. */
async function locking(
  end: 'wait' | 'exit' | 'throw',
): Promise<{ pid: number; kill(): Promise<void>; ended: Promise<unknown> }> {
  const child = fork(program, [folder, end], { execArgv: [], stdio: ['ignore', 'ignore', 'ignore', 'ipc'] });
  const ended = once(child, 'close');
  await once(child, 'message');
  return {
    pid: child.pid ?? 0,
    ended,
    async kill() {
      child.kill('SIGKILL');
      await ended;
    },
  };
}

describe('a locked folder', () => {
  it('is created, says who holds it, and is free after release', async () => {
    const inner = join(folder, 'a', 'b');
    const lock = await lockFolder(inner);
    expect(lock.folder).toBe(inner);
    const text = await readFile(join(inner, 'run.lock'), 'utf8');
    expect(JSON.parse(text)).toMatchObject({ pid: process.pid, host: hostname() });
    await lock.release();
    await lock.release();
    expect(await readdir(inner)).toEqual([]);
    await (await lockFolder(inner)).release();
  });

  it('refuses a second run of the same process, naming the first', async () => {
    const lock = await lockFolder(folder);
    const refusal = await lockFolder(folder).catch((error: unknown) => error);
    expect(refusal).toBeInstanceOf(FolderInUseError);
    const { message, holder: named } = refusal as FolderInUseError;
    expect(named).toEqual(await holder());
    expect(message).toContain(`process ${process.pid} on ${hostname()}, since ${named?.since ?? ''}`);
    await lock.release();
  });

  it('refuses a run of another process, and is recovered once that is killed', async () => {
    const other = await locking('wait');
    await expect(lockFolder(folder)).rejects.toMatchObject({ holder: { pid: other.pid } });
    await other.kill();
    expect((await holder()).pid).toBe(other.pid);
    const lock = await lockFolder(folder);
    expect((await holder()).pid).toBe(process.pid);
    await lock.release();
    expect(await readdir(folder)).toEqual([]);
  });

  it.each(['exit', 'throw'] as const)('is free after the process has ended by %s', async (end) => {
    const other = await locking(end);
    await other.ended;
    expect(await readdir(folder)).toEqual([]);
  });

  it.each<[string, Partial<LockHolder>]>([
    ['of before the last start of the machine', { boot: 'another' }],
    ['of a process whose number was given to another', { began: '1' }],
    ['of nobody', { pid: 0 }],
  ])('is recovered from a lock %s', async (_, changes) => {
    await leave(changes);
    const lock = await lockFolder(folder);
    expect((await holder()).token).not.toBe('other');
    await lock.release();
  });

  it('is recovered from a lock that was not written whole', async () => {
    await writeFile(join(folder, 'run.lock'), '{"pid": 1');
    await (await lockFolder(folder)).release();
    expect(await readdir(folder)).toEqual([]);
  });

  it('is left to a process on another machine, which cannot be asked', async () => {
    await leave({ host: 'elsewhere', pid: 1, boot: 'another' });
    await expect(lockFolder(folder)).rejects.toThrow(/process 1 on elsewhere.*remove run\.lock/);
  });

  it('is noticed to be taken away', async () => {
    const lock = await lockFolder(folder);
    await lock.assertHeld();
    await rm(join(folder, 'run.lock'));
    await expect(lock.assertHeld()).rejects.toThrow('it was removed');
    await leave({});
    await expect(lock.assertHeld()).rejects.toThrow(FolderInUseError);
    await lock.release();
    // What is somebody else's stays.
    expect((await holder()).token).toBe('other');
  });

  it('stays with whoever has cleared a dead lock first', async () => {
    await leave({ pid: 0 });
    const dead = await holder();
    const lock = await lockFolder(folder);
    // Another one that has read the dead lock before, and clears it only now.
    await clearStale(join(folder, 'run.lock'), dead);
    await lock.assertHeld();
    await lock.release();
    await clearStale(join(folder, 'run.lock'), dead);
    expect(await readdir(folder)).toEqual([]);
  });

  it('goes to one of many that take a dead one at the same time', async () => {
    for (let round = 0; round < 20; round++) {
      await leave({ pid: 0 });
      const takings = await Promise.allSettled(Array.from({ length: 8 }, () => lockFolder(folder)));
      const locks = takings.flatMap((taking) => (taking.status === 'fulfilled' ? [taking.value] : []));
      expect(locks).toHaveLength(1);
      await locks[0]?.assertHeld();
      await locks[0]?.release();
      expect(await readdir(folder)).toEqual([]);
    }
  });
});
