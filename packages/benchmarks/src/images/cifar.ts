import { readdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { ImageSource } from '@dynaprompt/core';
import { readBytes, readLines } from '../datasets/formats/read-bytes.js';
import { ownLicense } from '../datasets/own-license.js';
import { imageFault, leftOut } from './faults.js';
import type { ImageCollection, LabelledImage } from './types.js';

/** Which of the two labels of a CIFAR-100 picture is its class: one of 100 things, or one of 20 kinds of things. */
export type CifarLabels = 'fine_label' | 'coarse_label';

/** Width and height, pixels. */
const SIDE = 32;
const PLANE = SIDE * SIDE;

/** How the files of a CIFAR data set lie. */
interface CifarLayout {
  readonly name: string;
  /** Folder that the archive unpacks to. */
  readonly folder: string;
  readonly train: readonly string[];
  readonly test: string;
  /** Bytes in front of the pixels, and which of them is the label. */
  readonly labelBytes: number;
  readonly labelAt: number;
  /** File with the names of the classes, a line each. */
  readonly names: string;
  readonly classes: number;
}

/** CIFAR-10 from `cifar-10-batches-bin`, the folder or the one above it. Rejects with a `DataError` that names the file. */
export async function readCifar10(folder: string): Promise<ImageCollection> {
  return readCifar(folder, {
    name: 'cifar-10',
    folder: 'cifar-10-batches-bin',
    train: [1, 2, 3, 4, 5].map((batch) => `data_batch_${batch}.bin`),
    test: 'test_batch.bin',
    labelBytes: 1,
    labelAt: 0,
    names: 'batches.meta.txt',
    classes: 10,
  });
}

/** CIFAR-100 from `cifar-100-binary`, the folder or the one above it. Rejects with a `DataError` that names the file. */
export async function readCifar100(
  folder: string,
  labels: CifarLabels = 'fine_label',
): Promise<ImageCollection> {
  return readCifar(folder, {
    name: 'cifar-100',
    folder: 'cifar-100-binary',
    train: ['train.bin'],
    test: 'test.bin',
    labelBytes: 2,
    ...(labels === 'fine_label'
      ? { labelAt: 1, names: 'fine_label_names.txt', classes: 100 }
      : { labelAt: 0, names: 'coarse_label_names.txt', classes: 20 }),
  });
}

async function readCifar(folder: string, layout: CifarLayout): Promise<ImageCollection> {
  const names = await readdir(folder).catch((): string[] => []);
  const place = names.includes(layout.folder) ? join(folder, layout.folder) : folder;
  const classes = await classNames(join(place, layout.names), layout);
  const train: LabelledImage[] = [];
  for (const file of layout.train)
    for (const one of await records(join(place, file), layout)) train.push(one);
  return {
    name: layout.name,
    description: `Photographs of ${classes.length} classes, 32 × 32 pixels (Krizhevsky 2009).`,
    license: ownLicense,
    source: place,
    classes,
    train,
    test: await records(join(place, layout.test), layout),
    faults: leftOut([]),
    pictures: (entries) => Promise.resolve(entries),
  };
}

async function classNames(path: string, { classes, name }: CifarLayout): Promise<readonly string[]> {
  const lines = (await readLines(path)).map(({ text = '' }) => text.trim()).filter((text) => text !== '');
  if (lines.length === classes) return lines;
  throw imageFault(
    path,
    `it names ${lines.length} classes instead of ${classes}`,
    `Unpack the binary archive of ${name} again`,
  );
}

/** Every record of a file: label bytes, then the red, the green and the blue plane. */
async function records(path: string, layout: CifarLayout): Promise<readonly LabelledImage[]> {
  const bytes = await readBytes(path);
  const size = layout.labelBytes + 3 * PLANE;
  if (bytes.length % size !== 0) {
    throw imageFault(
      path,
      `its ${bytes.length} bytes are not whole records of ${size}`,
      `The file is cut off or not of ${layout.name}; fetch it again`,
    );
  }
  return Array.from({ length: bytes.length / size }, (_, index) => {
    const label = bytes[index * size + layout.labelAt] ?? 0;
    if (label >= layout.classes) {
      throw imageFault(
        `${path} record ${index + 1}`,
        `its label is ${label}, and there are ${layout.classes} classes`,
        `Fetch the binary version of ${layout.name}`,
      );
    }
    const planes = bytes.subarray(index * size + layout.labelBytes, (index + 1) * size);
    return { id: `${basename(path)}:${index + 1}`, label, image: planarPicture(planes) };
  });
}

/** A picture that is put channels last, [32, 32, 3], when its pixels are asked for. */
function planarPicture(planes: Uint8Array): ImageSource {
  return {
    kind: 'pixels',
    width: SIDE,
    height: SIDE,
    channels: 3,
    get data() {
      const data = new Uint8Array(3 * PLANE);
      for (let at = 0; at < data.length; at += 1)
        data[at] = planes[(at % 3) * PLANE + Math.floor(at / 3)] ?? 0;
      return data;
    },
  };
}
