import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { DataError, type ImageSource } from '@dynaprompt/core';
import { PACKAGE_NAME } from '../package-name.js';
import { reasonOf } from './reason.js';

/**
 * The bytes of an encoded picture.
 * @throws DataError that names the picture and its file: missing, no regular file, empty, too large.
 */
export async function readPicture(
  source: Exclude<ImageSource, { kind: 'pixels' }>,
  id: string,
  maximumBytes: number,
): Promise<Uint8Array> {
  const bytes = source.kind === 'bytes' ? source.bytes : await readBounded(source.path, id, maximumBytes);
  if (bytes.length > maximumBytes) throw tooLarge(id, bytes.length, maximumBytes);
  if (bytes.length === 0) {
    const where = source.kind === 'bytes' ? 'it' : source.path;
    throw problemWith(id, `${where} is empty`, 'Replace it, or leave it out');
  }
  return bytes;
}

async function readBounded(path: string, id: string, maximumBytes: number): Promise<Uint8Array> {
  try {
    // Without waiting: to open a pipe nobody writes to would never return.
    const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      const stats = await file.stat();
      if (!stats.isFile()) throw problemWith(id, `${path} is not a file`, 'Give the path of a picture');
      if (stats.size > maximumBytes) throw tooLarge(id, stats.size, maximumBytes);
      return await file.readFile();
    } finally {
      await file.close();
    }
  } catch (cause) {
    if (cause instanceof DataError) throw cause;
    throw problemWith(id, `${path} cannot be read (${reasonOf(cause)})`, 'Check path and permissions', cause);
  }
}

function tooLarge(id: string, size: number, limit: number): DataError {
  const problem = `its file has ${size} bytes, more than the limit of ${limit}`;
  return problemWith(id, problem, 'Compress the picture, or raise maximumFileBytes');
}

function problemWith(id: string, problem: string, remedy: string, cause?: unknown): DataError {
  return new DataError({ packageName: PACKAGE_NAME, subject: `picture '${id}'`, problem, remedy, cause });
}
