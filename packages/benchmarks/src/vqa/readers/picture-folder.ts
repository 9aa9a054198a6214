import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { RowProblem } from '../../datasets/rows/faults.js';
import { imageFault } from '../../images/faults.js';

/** Pictures in one folder. */
export interface PictureFolder {
  /**
   * Path of the picture with this number, the last digits of its name. Throws a `RowProblem` where there is none, and a `DataError`
   * where several have it.
   */
  readonly numbered: (imageId: string) => string;
  /** Path of the picture with this name. Throws a `RowProblem` where there is none. */
  readonly named: (name: string) => string;
}

const endings = /\.(?:jpe?g|png|webp)$/i;

/**
 * Lists a folder of pictures. COCO's names end with the id in twelve digits (`COCO_val2014_000000000042.jpg`), and so may others.
 * Rejects with a `DataError` where the folder cannot be read.
 */
export async function pictureFolder(path: string): Promise<PictureFolder> {
  const names = await readdir(path).catch((cause: unknown) => {
    throw imageFault(path, 'the folder of the pictures cannot be read', 'Unpack the pictures there', cause);
  });
  const known = new Set(names);
  const numbers = new Map<string, string>();
  const clashes = new Map<string, string>();
  for (const name of names) {
    const digits = endings.test(name) ? /(\d+)\.[^.]+$/.exec(name)?.[1] : undefined;
    if (digits === undefined) continue;
    const number = plainNumber(digits);
    if (numbers.has(number)) clashes.set(number, name);
    else numbers.set(number, name);
  }
  return {
    numbered: (imageId) => {
      const number = plainNumber(imageId);
      const name = numbers.get(number);
      const other = clashes.get(number);
      if (other !== undefined) {
        const problem = `${name} and ${other} are both picture ${number}`;
        throw imageFault(path, problem, 'Keep the pictures of one split there');
      }
      if (name !== undefined) return join(path, name);
      throw missing(`picture ${imageId} is not in ${path}`);
    },
    named: (name) => {
      if (known.has(name)) return join(path, name);
      throw missing(`picture "${name}" is not in ${path}`);
    },
  };
}

/** The first of some folders that is there. Rejects with a `DataError` that lists them where none is. */
export async function firstFolder(candidates: readonly string[]): Promise<string> {
  for (const path of candidates) {
    const isThere = await stat(path).then(
      (found) => found.isDirectory(),
      () => false,
    );
    if (isThere) return path;
  }
  const [first = '', ...others] = candidates;
  throw imageFault(
    first,
    `there is no such folder${others.length > 0 ? `, and none of ${others.join(', ')}` : ''}`,
    'Unpack the pictures there',
  );
}

function plainNumber(digits: string): string {
  return digits.replace(/^0+(?=\d)/, '');
}

function missing(problem: string): RowProblem {
  return new RowProblem(problem, 'Fetch the pictures of this split, or leave out bad rows');
}
