import { open } from 'node:fs/promises';

import { unusableFile } from './fields.js';

/**
 * Reads a file of at most `limit` bytes.
 *
 * @throws DataError naming the file when it is missing, unreadable, no plain file, or longer; nothing is read of it then.
 */
export async function readBounded(path: string, limit: number): Promise<Buffer> {
  const file = await open(path, 'r').catch((cause: unknown) => {
    const isMissing = (cause as NodeJS.ErrnoException).code === 'ENOENT';
    const problem = isMissing ? 'there is no such file' : `it cannot be read (${(cause as Error).message})`;
    throw unusableFile(path, problem, 'Name the folder of a saved adapter', cause);
  });
  try {
    const found = await file.stat();
    if (!found.isFile()) throw unusableFile(path, 'it is not a file', 'Name the folder of a saved adapter');
    if (found.size > limit) {
      throw unusableFile(path, `it has ${found.size} bytes, adapters have at most ${limit}`);
    }
    const bytes = Buffer.alloc(found.size);
    let filled = 0;
    while (filled < bytes.length) {
      const { bytesRead } = await file.read(bytes, filled, bytes.length - filled, filled);
      if (bytesRead === 0) throw unusableFile(path, 'it became shorter while it was read');
      filled += bytesRead;
    }
    return bytes;
  } finally {
    await file.close();
  }
}

/** Reads a JSON file. @throws DataError naming the file when it is missing, too long or no JSON. */
export async function readJson(path: string): Promise<unknown> {
  const bytes = await readBounded(path, longestJson);
  try {
    return JSON.parse(bytes.toString('utf8')) as unknown;
  } catch (cause) {
    throw unusableFile(path, `it is no JSON (${(cause as Error).message})`, undefined, cause);
  }
}

/** Bytes of a description. */
const longestJson = 2 ** 24;

/** Bytes of the tensors of an adapter. */
export const longestTensors = 2 ** 30;
