import { randomBytes } from 'node:crypto';
import { readFileSync, unlinkSync } from 'node:fs';
import { constants, copyFile, link, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join, resolve } from 'node:path';

import { DynaPromptError } from '@dynaprompt/core';

import { packageName } from '../package-name.js';

/** Who holds a folder; what stands in its lock file. */
export interface LockHolder {
  readonly pid: number;
  readonly host: string;
  /** When the lock was taken, ISO 8601. */
  readonly since: string;
  /** Which start of the machine; absent where the system does not say. */
  readonly boot?: string | undefined;
  /** When the process began, in ticks since the start of the machine; absent where the system does not say. */
  readonly began?: string | undefined;
  /** Tells one taking from another. */
  readonly token: string;
}

/** A folder that another run works in. */
export class FolderInUseError extends DynaPromptError {
  constructor(
    folder: string,
    /** Absent where the lock was taken away by hand. */
    readonly holder: LockHolder | undefined,
    problem: string,
    remedy: string,
  ) {
    super({ packageName, subject: folder, problem, remedy });
  }
}

/** A folder that is held by this run alone. */
export interface FolderLock {
  readonly folder: string;
  /** @throws FolderInUseError when the lock is no longer this run's, because somebody removed or replaced it. */
  assertHeld(): Promise<void>;
  /** Gives the folder back. */
  release(): Promise<void>;
}

const lockFile = 'run.lock';
/** Stale locks that are cleared before a taking gives up: each clearing means that somebody else died meanwhile. */
const mostAttempts = 5;
/** Lock files of this process, removed when it exits. */
const held = new Map<string, string>();

/**
 * Takes a folder, which is created where it is missing, for one run. The lock file appears whole, by a hard link; it is removed on
 * release and when the process exits. That of a process that is dead, on this machine, or of before its last start, is cleared.
 *
 * @throws FolderInUseError at once, naming the holder, when another run has it.
 */
export async function lockFolder(folder: string): Promise<FolderLock> {
  const target = resolve(folder);
  const path = join(target, lockFile);
  await mkdir(target, { recursive: true });
  const own: LockHolder = { ...thisProcess(), since: new Date().toISOString(), token: newToken() };
  for (let attempt = 0; attempt < mostAttempts; attempt++) {
    if (await create(path, own)) {
      await removeDrafts(target);
      return hold(target, path, own.token);
    }
    const found = await holderIn(path);
    if (found === undefined) continue;
    if (isAlive(found)) throw inUse(target, found);
    await clearStale(path, found);
  }
  throw inUse(target, await holderIn(path));
}

/** Whether the lock file was not there and now is. */
async function create(path: string, holder: LockHolder): Promise<boolean> {
  const draft = `${path}.${holder.token}`;
  await writeFile(draft, `${JSON.stringify(holder, null, 2)}\n`, { flag: 'wx' });
  try {
    await link(draft, path).catch(async (error: unknown) => {
      if (['EEXIST', 'ENOENT'].includes(codeOf(error) ?? '')) throw error;
      // A file system without hard links.
      await copyFile(draft, path, constants.COPYFILE_EXCL);
    });
    return true;
  } catch (error) {
    // ENOENT: whoever took the folder has cleared the draft.
    if (['EEXIST', 'ENOENT'].includes(codeOf(error) ?? '')) return false;
    throw error;
  } finally {
    await rm(draft, { force: true });
  }
}

/** Removes drafts that processes left when they died. */
async function removeDrafts(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    if (/^run\.lock\.[0-9a-f]{16}$/.test(name)) await rm(join(folder, name), { force: true });
  }
}

/** Moves a stale lock away; where that turns out to be a newer one, it is put back. */
export async function clearStale(path: string, stale: LockHolder): Promise<void> {
  const aside = `${path}.${newToken()}`;
  try {
    await rename(path, aside);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return;
    throw error;
  }
  try {
    if ((await holderIn(aside))?.token !== stale.token) await link(aside, path).catch(() => undefined);
  } finally {
    await rm(aside, { force: true });
  }
}

function hold(folder: string, path: string, token: string): FolderLock {
  if (held.size === 0) process.on('exit', releaseAll);
  held.set(path, token);
  return {
    folder,
    async assertHeld() {
      const found = await holderIn(path);
      if (found?.token !== token) {
        throw new FolderInUseError(
          folder,
          found,
          `its lock is no longer this run's (${found === undefined ? 'it was removed' : nameOf(found)})`,
          'Let one run at a time work in a folder',
        );
      }
    },
    async release() {
      if (!held.delete(path)) return;
      if (held.size === 0) process.off('exit', releaseAll);
      if ((await holderIn(path))?.token === token) await rm(path, { force: true });
    },
  };
}

function releaseAll(): void {
  for (const [path, token] of held) {
    try {
      if (parseHolder(readFileSync(path, 'utf8')).token === token) unlinkSync(path);
    } catch {
      // Removed by somebody else: nothing is left to release.
    }
  }
}

async function holderIn(path: string): Promise<LockHolder | undefined> {
  try {
    return parseHolder(await readFile(path, 'utf8'));
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/** A lock file that nobody wrote whole is that of a dead process. */
function parseHolder(text: string): LockHolder {
  const nobody: LockHolder = { pid: 0, host: hostname(), since: 'an unknown time', token: '' };
  try {
    return { ...nobody, ...(JSON.parse(text) as Partial<LockHolder>) };
  } catch {
    return nobody;
  }
}

/** Whether the process of a lock runs; one on another machine cannot be asked and counts as running. */
function isAlive({ pid, host, boot, began }: LockHolder): boolean {
  if (host !== hostname()) return true;
  if (pid <= 0) return false;
  const here = bootOf();
  if (boot !== undefined && here !== undefined && boot !== here) return false;
  try {
    process.kill(pid, 0);
  } catch (error) {
    // EPERM: there is such a process, of another user.
    if (codeOf(error) !== 'EPERM') return false;
  }
  const now = processOf(pid);
  // Another beginning: the number was given to another process. Z: dead, its parent has not asked yet.
  return now === undefined || (now.state !== 'Z' && (began === undefined || began === now.began));
}

function inUse(folder: string, holder: LockHolder | undefined): FolderInUseError {
  return new FolderInUseError(
    folder,
    holder,
    `another run works in it (${holder === undefined ? 'it takes and gives it back all the time' : nameOf(holder)})`,
    holder === undefined || holder.host === hostname()
      ? 'Wait until it has ended, or name another folder'
      : `Name another folder, or remove ${lockFile} if that process no longer runs`,
  );
}

function nameOf({ pid, host, since }: LockHolder): string {
  return `process ${pid} on ${host}, since ${since}`;
}

function thisProcess(): Omit<LockHolder, 'since' | 'token'> {
  return { pid: process.pid, host: hostname(), boot: bootOf(), began: processOf(process.pid)?.began };
}

/** Linux tells every start of the machine apart. */
function bootOf(): string | undefined {
  return systemFile('/proc/sys/kernel/random/boot_id')?.trim();
}

/** proc(5): after the name, which may hold spaces, come the state and, as the 20th field, the start time. */
function processOf(pid: number): { readonly state: string; readonly began: string } | undefined {
  const fields = systemFile(`/proc/${pid}/stat`)
    ?.replace(/^.*\) /s, '')
    .split(' ');
  return fields && { state: fields[0] ?? '', began: fields[19] ?? '' };
}

function systemFile(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

function newToken(): string {
  return randomBytes(8).toString('hex');
}

function codeOf(error: unknown): string | undefined {
  return (error as NodeJS.ErrnoException).code;
}
