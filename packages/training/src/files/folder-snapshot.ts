import { createHash, randomBytes } from 'node:crypto';
import { mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';

import { synchroniseFolder } from './synchronise-folder.js';

/** Files by name, and what the manifest says besides their checksums; plain JSON. */
export interface Snapshot<About> {
  readonly about: About;
  readonly files: ReadonlyMap<string, Uint8Array>;
}

/** What stands in `manifest.json`. */
interface Manifest {
  readonly about: unknown;
  /** Hexadecimal SHA-256 of every file. */
  readonly files: Readonly<Record<string, string>>;
}

const manifestFile = 'manifest.json';
const pendingSuffix = '.tmp';
/** Most bytes that one system call reads. */
const longestRead = 2 ** 30;

/**
 * Writes a snapshot as the folder `<folder>/<name>`: all files and a manifest of their SHA-256 under a temporary name, each
 * synchronised, then the folder, then one rename. Whoever looks finds all of the snapshot or nothing of it, whenever the process
 * dies. Rejects with the error of the file system, also where the name is taken; nothing is left behind then.
 */
export async function writeSnapshot(
  folder: string,
  name: string,
  { about, files }: Snapshot<unknown>,
): Promise<void> {
  const pending = join(folder, `${name}.${process.pid}.${randomBytes(6).toString('hex')}${pendingSuffix}`);
  try {
    await mkdir(pending, { recursive: true });
    const digests: Record<string, string> = {};
    for (const [file, bytes] of files) {
      digests[file] = createHash('sha256').update(bytes).digest('hex');
      await writeDurably(join(pending, file), bytes);
    }
    const manifest = { about, files: digests } satisfies Manifest;
    await writeDurably(join(pending, manifestFile), `${JSON.stringify(manifest, null, 2)}\n`);
    await synchroniseFolder(pending);
    await rename(pending, join(folder, name));
    await synchroniseFolder(folder);
  } catch (error) {
    await rm(pending, { recursive: true, force: true }).catch(() => undefined);
    throw error;
  }
}

/** Reads a snapshot. @throws Error saying which file is missing, unreadable, or not the one that was written. */
export async function readSnapshot(folder: string, name: string): Promise<Snapshot<unknown>> {
  const place = join(folder, name);
  const { about, files } = await readManifest(folder, name);
  const contents = new Map<string, Uint8Array>();
  for (const [file, digest] of Object.entries(files)) {
    const bytes = await readWhole(join(place, file));
    if (createHash('sha256').update(bytes).digest('hex') !== digest) {
      throw new Error(`${file} is truncated or changed, its SHA-256 differs`);
    }
    contents.set(file, bytes);
  }
  return { about, files: contents };
}

/** What a manifest says besides checksums; the files themselves are not read. @throws Error where there is no sound manifest. */
export async function readAbout(folder: string, name: string): Promise<unknown> {
  return (await readManifest(folder, name)).about;
}

/** Takes a snapshot away in one move, so that no half of it is ever seen. */
export async function removeSnapshot(folder: string, name: string): Promise<void> {
  const doomed = join(folder, `${name}.${process.pid}.${randomBytes(6).toString('hex')}${pendingSuffix}`);
  await rename(join(folder, name), doomed);
  await rm(doomed, { recursive: true, force: true });
}

/** Removes what a process left when it died. Only for the one process that writes to the folder. */
export async function removePending(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    if (/\.\d+\.[0-9a-f]{12}\.tmp$/.test(name))
      await rm(join(folder, name), { recursive: true, force: true });
  }
}

async function readManifest(folder: string, name: string): Promise<Manifest> {
  const manifest = JSON.parse(await readFile(join(folder, name, manifestFile), 'utf8')) as unknown;
  if (!isManifest(manifest)) throw new Error(`${manifestFile} is not a manifest`);
  return manifest;
}

function isManifest(value: unknown): value is Manifest {
  if (typeof value !== 'object' || value === null || !('files' in value) || !('about' in value)) return false;
  const { files } = value;
  return (
    typeof files === 'object' &&
    files !== null &&
    Object.entries(files).every(([name, digest]) => /^[\w.-]+$/.test(name) && typeof digest === 'string')
  );
}

async function writeDurably(path: string, content: Uint8Array | string): Promise<void> {
  const file = await open(path, 'wx');
  try {
    await file.writeFile(content);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** All bytes of a file of any size. */
async function readWhole(path: string): Promise<Uint8Array> {
  const file = await open(path, 'r');
  try {
    const bytes = new Uint8Array((await file.stat()).size);
    let filled = 0;
    while (filled < bytes.length) {
      const wanted = Math.min(longestRead, bytes.length - filled);
      const { bytesRead } = await file.read(bytes, filled, wanted, filled);
      if (bytesRead === 0) throw new Error(`${path} became shorter while it was read`);
      filled += bytesRead;
    }
    return bytes;
  } finally {
    await file.close();
  }
}
