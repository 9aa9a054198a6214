import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import type { Readable } from 'node:stream';

import { DataError } from '@dynaprompt/core';

import { packageName } from '../package-name.js';
import { inBatches } from './batches.js';
import { readLines, type TextLine } from './lines.js';

/** Where the lines come from. */
export interface LineSource {
  /** For messages. */
  readonly name: string;
  /** Whether somebody types them. */
  readonly isTerminal: boolean;
  /** @throws DataError when reading fails. */
  batches(size: number): AsyncIterable<readonly TextLine[]>;
  /** Reads no further. */
  close(): void;
}

/** Milliseconds without a new line after which the lines that are there are answered. */
const pause = 50;

/**
 * A file, or standard input where none is named or its name is `-`.
 *
 * @param item what a line is, e.g. `text`.
 * @throws DataError when the file is missing or no file.
 */
export async function openLines(file: string | undefined, item: string): Promise<LineSource> {
  if (file === undefined || file === '-') return sourceOf('standard input', item, process.stdin, pause);
  const found = await stat(file).catch((cause: unknown) => {
    throw unreadable(file, item, cause);
  });
  if (found.isDirectory()) {
    const remedy = `Name a file with one ${item} a line`;
    throw new DataError({ packageName, subject: file, problem: 'it is a folder', remedy });
  }
  // Pipes and terminals pause, files do not.
  return sourceOf(file, item, createReadStream(file), found.isFile() ? undefined : pause);
}

/** Texts as they are, each a line. */
export function givenLines(texts: readonly string[]): LineSource {
  const lines = texts.map((text, index): TextLine => ({ number: index + 1, text }));
  // eslint-disable-next-line @typescript-eslint/require-await -- an async generator of what is there already
  async function* all(): AsyncGenerator<readonly TextLine[]> {
    yield lines;
  }
  return {
    name: 'arguments',
    isTerminal: false,
    batches: (size) => inBatches(all(), size),
    close: () => undefined,
  };
}

function sourceOf(name: string, item: string, stream: Readable, wait: number | undefined): LineSource {
  return {
    name,
    isTerminal: 'isTTY' in stream && stream.isTTY === true,
    batches: (size) => inBatches(readLines(chunksOf(name, item, stream)), size, wait),
    close: () => {
      stream.destroy();
    },
  };
}

async function* chunksOf(name: string, item: string, stream: Readable): AsyncGenerator<Uint8Array> {
  try {
    yield* stream as AsyncIterable<Uint8Array>;
  } catch (cause) {
    throw unreadable(name, item, cause);
  }
}

function unreadable(name: string, item: string, cause: unknown): DataError {
  const { code, message } = cause as NodeJS.ErrnoException;
  return new DataError({
    packageName,
    subject: name,
    problem: code === 'ENOENT' ? 'there is no such file' : `it cannot be read (${message})`,
    remedy: `Name a file with one ${item} a line, or write the ${item}s to standard input`,
    cause,
  });
}
