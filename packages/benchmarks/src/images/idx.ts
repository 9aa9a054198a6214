import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { readBytes } from '../datasets/formats/read-bytes.js';
import { ownLicense } from '../datasets/own-license.js';
import { imageFault, leftOut } from './faults.js';
import type { ImageCollection, LabelledImage } from './types.js';

/** What an IDX data set is called and what its labels mean. */
export interface IdxFacts {
  readonly name: string;
  readonly description: string;
  readonly license: string;
  /** Names of the labels 0, 1, …; the numbers themselves where absent. */
  readonly classes?: readonly string[];
}

/** An array as an IDX file holds it. */
export interface IdxArray {
  /** Sizes, slowest first. */
  readonly sizes: readonly number[];
  /** Row-major. */
  readonly data: Uint8Array;
}

const plainFacts: IdxFacts = {
  name: 'idx',
  description: 'Grey pictures in the IDX format of MNIST.',
  license: ownLicense,
};

/**
 * A data set of grey pictures as MNIST is published: `train-images-idx3-ubyte` and `train-labels-idx1-ubyte`, the same with `t10k`
 * for the test split, packed (`.gz`) or not. Pictures are views into the one buffer of their file. Rejects with a `DataError`
 * for files that are missing, cut off, of another type, or do not fit each other.
 */
export async function readIdx(folder: string, facts: IdxFacts = plainFacts): Promise<ImageCollection> {
  const train = await readSplit(folder, 'train', facts);
  const test = await readSplit(folder, 't10k', facts);
  const highest = [...train, ...test].reduce((most, { label }) => Math.max(most, label), 0);
  return {
    ...facts,
    source: folder,
    classes: facts.classes ?? Array.from({ length: highest + 1 }, (_, label) => `${label}`),
    train,
    test,
    faults: leftOut([]),
    pictures: (entries) => Promise.resolve(entries),
  };
}

async function readSplit(folder: string, split: string, facts: IdxFacts): Promise<readonly LabelledImage[]> {
  const imagePath = await pathOf(folder, `${split}-images`, 3);
  const labelPath = await pathOf(folder, `${split}-labels`, 1);
  const images = await readIdxArray(imagePath, 3);
  const labels = await readIdxArray(labelPath, 1);
  const [count = 0, height = 0, width = 0] = images.sizes;
  if (labels.data.length !== count) {
    throw imageFault(
      labelPath,
      `it has ${labels.data.length} labels for the ${count} pictures of ${imagePath}`,
      'Fetch both files of the same split again',
    );
  }
  const size = width * height;
  const file = `${split}-images`;
  return Array.from(labels.data, (label, index) => {
    if (facts.classes !== undefined && label >= facts.classes.length) {
      throw imageFault(
        labelPath,
        `label ${index + 1} is ${label}, and there are ${facts.classes.length} classes`,
        `Fetch the files of ${facts.name}, or name another data set`,
      );
    }
    const data = images.data.subarray(index * size, (index + 1) * size);
    return { id: `${file}:${index + 1}`, label, image: { kind: 'pixels', width, height, channels: 1, data } };
  });
}

/** Finds `STEM-idxN-ubyte` or `STEM.idxN-ubyte`, packed or not. */
async function pathOf(folder: string, stem: string, rank: number): Promise<string> {
  const names = await readdir(folder).catch((cause: unknown) => {
    throw imageFault(folder, 'the folder cannot be read', 'Name the folder that holds the IDX files', cause);
  });
  const wanted = [`${stem}-idx${rank}-ubyte`, `${stem}.idx${rank}-ubyte`].flatMap((name) => [
    name,
    `${name}.gz`,
  ]);
  const name = wanted.find((candidate) => names.includes(candidate));
  if (name !== undefined) return join(folder, name);
  throw imageFault(
    join(folder, wanted[0] ?? stem),
    'the file does not exist, nor is it there packed (.gz)',
    'Put all four files of the data set into one folder',
  );
}

/**
 * Reads an IDX file of unsigned bytes, unpacked where it ends in `.gz`: two bytes 0, the type 0x08, the rank, each size as a
 * big-endian 32-bit number, the values. Rejects with a `DataError` unless it is whole and of that rank.
 */
export async function readIdxArray(path: string, rank: number): Promise<IdxArray> {
  const packed = await readBytes(path);
  const bytes = path.endsWith('.gz') ? await unpack(path, packed) : packed;
  const head = 4 + 4 * rank;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const magic = bytes.length < 4 ? undefined : view.getUint32(0);
  if (magic !== 0x0800 + rank || bytes.length < head) {
    const found = magic === undefined ? `${bytes.length} bytes` : `0x${magic.toString(16).padStart(8, '0')}`;
    throw imageFault(
      path,
      magic === 0x0800 + rank
        ? `it is cut off within its header of ${head} bytes`
        : `it begins with ${found}, not with 0x${(0x0800 + rank).toString(16).padStart(8, '0')} as unsigned bytes of rank ${rank} do`,
      'Fetch it again, and do not mix up pictures and labels',
    );
  }
  const sizes = Array.from({ length: rank }, (_, axis) => view.getUint32(4 + 4 * axis));
  const expected = sizes.reduce((product, size) => product * size, 1);
  if (expected === 0 || bytes.length - head !== expected) {
    throw imageFault(
      path,
      `its header says ${sizes.join(' × ')} values and ${bytes.length - head} follow`,
      'The file is cut off or damaged; fetch it again',
    );
  }
  return { sizes, data: bytes.subarray(head) };
}

async function unpack(path: string, packed: Uint8Array): Promise<Uint8Array> {
  return promisify(gunzip)(packed).catch((cause: unknown) => {
    throw imageFault(path, `it cannot be unpacked (${(cause as Error).message})`, 'Fetch it again', cause);
  });
}
