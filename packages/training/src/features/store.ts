import { createHash } from 'node:crypto';
import { mkdir, open, readdir, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';

import { replaceFile } from '../files/replace-file.js';
import {
  decodeKeys,
  decodeSegment,
  encodeSegment,
  keyRegion,
  segmentHeaderBytes,
  type Segment,
} from './segment.js';

const segmentSuffix = '.segment';

interface Place {
  readonly name: string;
  readonly row: number;
}

/**
 * A folder of {@link Segment} files. Every file is written under a temporary name and renamed, and never changed after, so
 * any number of processes may read and add to one folder at the same time; the same vectors get the same file name.
 */
export class VectorStore {
  private readonly places = new Map<string, Place>();

  private constructor(
    private readonly folder: string,
    private readonly width: number,
  ) {}

  /** Lists what the folder holds; a folder that is not there yet is an empty store. Damaged files are left out. */
  static async open(folder: string, width: number): Promise<VectorStore> {
    const store = new VectorStore(folder, width);
    for (const name of await namesIn(folder)) {
      if (name.endsWith(segmentSuffix))
        store.remember((await readKeys(join(folder, name), width)) ?? [], name);
    }
    return store;
  }

  /** The stored vectors among `keys`. A file whose checksum does not hold is deleted, its vectors count as not stored. */
  async read(keys: Iterable<string>): Promise<Map<string, Float32Array>> {
    const wanted = new Map<string, string[]>();
    for (const key of keys) {
      const place = this.places.get(key);
      if (place === undefined) continue;
      const together = wanted.get(place.name) ?? [];
      together.push(key);
      wanted.set(place.name, together);
    }
    const found = new Map<string, Float32Array>();
    for (const [name, together] of wanted) {
      const segment = await this.load(name);
      for (const key of together) {
        const row = this.places.get(key)?.row;
        if (segment === undefined || row === undefined || segment.keys[row] !== key) this.places.delete(key);
        else found.set(key, segment.vectors.slice(row * this.width, (row + 1) * this.width));
      }
    }
    return found;
  }

  /** Adds vectors, [keys.length, width]. */
  async write(keys: readonly string[], vectors: Float32Array): Promise<void> {
    const bytes = encodeSegment({ width: this.width, keys, vectors });
    const name = createHash('sha256').update(bytes).digest('hex').slice(0, 32) + segmentSuffix;
    await mkdir(this.folder, { recursive: true });
    await replaceFile(join(this.folder, name), bytes);
    this.remember(keys, name);
  }

  private remember(keys: readonly string[], name: string): void {
    keys.forEach((key, row) => this.places.set(key, { name, row }));
  }

  private async load(name: string): Promise<Segment | undefined> {
    const path = join(this.folder, name);
    const bytes = await readFile(path).catch(() => undefined);
    const segment = bytes === undefined ? undefined : decodeSegment(bytes, this.width);
    if (segment === undefined) await rm(path, { force: true }).catch(() => undefined);
    return segment;
  }
}

async function namesIn(folder: string): Promise<readonly string[]> {
  try {
    return (await readdir(folder)).sort();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

async function readKeys(path: string, width: number): Promise<readonly string[] | undefined> {
  const file = await open(path, 'r').catch(() => undefined);
  if (file === undefined) return undefined;
  try {
    const { size } = await stat(path);
    const header = Buffer.alloc(segmentHeaderBytes);
    await file.read(header, 0, header.length, 0);
    const region = keyRegion(header, size, width);
    if (region === undefined) return undefined;
    const bytes = Buffer.alloc(region);
    await file.read(bytes, 0, region, 0);
    return decodeKeys(bytes, size, width);
  } finally {
    await file.close();
  }
}
