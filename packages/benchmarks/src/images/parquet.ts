import { readdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { nullThrows } from '@dynaprompt/core';
import { openParquet, parquetFiles, type ParquetFile } from '../datasets/formats/parquet.js';
import { ownLicense } from '../datasets/own-license.js';
import { type BadRowPolicy, badRows, type RowFault, skippedRows } from '../datasets/rows/faults.js';
import { shown } from '../datasets/rows/values.js';
import { imageFault, leftOut } from './faults.js';
import { type ImageColumns, imageColumns } from './parquet-features.js';
import type { ImageCollection, ImageEntry, LabelledImage } from './types.js';

/** How parquet files of pictures are read. */
export interface ImageParquetOptions {
  /** Column of the labels, where there are several: `fine_label` or `coarse_label` of CIFAR-100. */
  readonly label?: string;
  /** Whether rows with bad labels stop the reading (`fail`, the default) or are left out and counted in `faults`. */
  readonly badRows?: BadRowPolicy;
}

/** A row with a picture that has not been read. */
export interface ParquetPicture extends ImageEntry {
  readonly file: ParquetFile;
  /** Counted from 0 within the file. */
  readonly row: number;
  /** Column of the picture. */
  readonly column: string;
}

/** Names of the splits, as data sets on the Hub spell them. */
const splitNames = { train: ['train'], validation: ['validation', 'val', 'valid', 'dev'], test: ['test'] };

/**
 * A data set of pictures as the Hub publishes it: `train-00000-of-00001.parquet` … in `folder`, its `data/` or its only folder
 * with such files; the bytes of an encoded picture and a label in each row. Only the labels are read at first; `pictures` then
 * reads the rows that are asked for, one row group at a time, and keeps nothing else. Rejects with a `DataError` that names file
 * and row.
 */
export async function readImageParquet(
  folder: string,
  options: ImageParquetOptions = {},
): Promise<ImageCollection<ParquetPicture>> {
  const place = await placeOf(folder);
  const open = async (names: readonly string[]) => {
    for (const name of names) {
      const paths = await parquetFiles(join(place, name));
      if (paths.length > 0) return Promise.all(paths.map(openParquet));
    }
    return undefined;
  };
  const train = nullThrows(await open(splitNames.train), 'a place has training files');
  const columns = imageColumns(nullThrows(train[0], 'a split has a file'), options.label);
  const labelsOf = (files: readonly ParquetFile[]) =>
    Promise.all(files.map((file) => readLabels(file, columns)));
  const trainLabels = await labelsOf(train);
  const classes = columns.names ?? classesOf(trainLabels.flat());
  const faults: RowFault[] = [];
  const entries = (files: readonly ParquetFile[], labels: readonly (readonly Label[])[]) =>
    files.flatMap((file, index) => entriesOf(file, labels[index] ?? [], columns, classes, faults));
  const split = async (names: readonly string[]) => {
    const files = await open(names);
    return files === undefined ? undefined : entries(files, await labelsOf(files));
  };
  const trainEntries = entries(train, trainLabels);
  const validation = await split(splitNames.validation);
  const test = await split(splitNames.test);
  const [first, ...more] = faults;
  if (first !== undefined && options.badRows !== 'skip') throw badRows([first, ...more]);
  return {
    name: basename(folder),
    description: `Pictures of ${classes.length} classes, in parquet files.`,
    license: ownLicense,
    source: place,
    classes,
    train: trainEntries,
    ...(validation && { validation }),
    ...(test && { test }),
    faults: skippedRows(faults) ?? leftOut([]),
    pictures: readPictures,
  };
}

/** The folder with the files of the training split. */
async function placeOf(folder: string): Promise<string> {
  const inside = await readdir(folder, { withFileTypes: true }).catch((cause: unknown) => {
    throw imageFault(folder, 'the folder cannot be read', 'Name the folder with the parquet files', cause);
  });
  const folders = inside.filter((entry) => entry.isDirectory()).map(({ name }) => name);
  const direct = [folder, ...(folders.includes('data') ? [join(folder, 'data')] : [])];
  for (const place of direct) if ((await parquetFiles(join(place, 'train'))).length > 0) return place;
  const places: string[] = [];
  for (const name of folders.sort()) {
    if ((await parquetFiles(join(folder, name, 'train'))).length > 0) places.push(join(folder, name));
  }
  const [only, ...others] = places;
  if (only !== undefined && others.length === 0) return only;
  throw imageFault(
    folder,
    only === undefined
      ? 'there is no train.parquet and no train-00000-of-….parquet'
      : `several of its folders have training files: ${places.map((place) => basename(place)).join(', ')}`,
    'Name the folder that holds the parquet files of one data set',
  );
}

type Label = string | number | undefined;

/** Labels of all rows, without their pictures. */
async function readLabels(file: ParquetFile, { label }: ImageColumns): Promise<readonly Label[]> {
  if (!file.columns.includes(label)) {
    throw imageFault(file.path, `it has no column "${label}"`, 'Give files of the same data set');
  }
  return (await file.rows({ columns: [label] })).map((row) => {
    const value = row[label];
    if (typeof value === 'bigint') return Number(value);
    return typeof value === 'number' || typeof value === 'string' ? value : undefined;
  });
}

/** Classes of files that do not name them: the numbers up to the largest, or every text in the order of code units. */
function classesOf(labels: readonly Label[]): readonly string[] {
  if (labels.some((label) => typeof label === 'string')) {
    return [...new Set(labels.filter((label) => typeof label === 'string'))].sort();
  }
  const highest = labels.reduce<number>((most, label) => Math.max(most, Number(label ?? -1)), -1);
  return Array.from({ length: highest + 1 }, (_, label) => `${label}`);
}

function entriesOf(
  file: ParquetFile,
  labels: readonly Label[],
  { image, label: labelColumn }: ImageColumns,
  classes: readonly string[],
  faults: RowFault[],
): readonly ParquetPicture[] {
  const numbers = new Map(classes.map((name, number) => [name, number]));
  return labels.flatMap((value, row) => {
    const label = typeof value === 'string' ? numbers.get(value) : value;
    if (label !== undefined && Number.isInteger(label) && label >= 0 && label < classes.length) {
      return [{ id: `${basename(file.path)}:${row + 1}`, label, file, row, column: image }];
    }
    faults.push({
      path: file.path,
      unit: 'row',
      line: row + 1,
      problem:
        value === undefined
          ? `column "${labelColumn}" has no label`
          : `label ${shown(value)} is none of the ${classes.length} classes`,
      remedy: 'Correct it, or leave out bad rows; −1 says that the labels are hidden',
    });
    return [];
  });
}

/** Reads the pictures of some rows, file by file and row group by row group. */
export async function readPictures(entries: readonly ParquetPicture[]): Promise<readonly LabelledImage[]> {
  const bytes = new Map<ParquetPicture, Uint8Array>();
  const byFile = new Map<ParquetFile, ParquetPicture[]>();
  for (const entry of entries) {
    const rows = byFile.get(entry.file);
    if (rows) rows.push(entry);
    else byFile.set(entry.file, [entry]);
  }
  for (const [file, rows] of byFile) {
    let start = 0;
    for (const group of file.metadata.row_groups) {
      const end = start + Number(group.num_rows);
      const wanted = rows.filter(({ row }) => row >= start && row < end);
      if (wanted.length > 0) await readGroup(file, wanted, start, end, bytes);
      start = end;
    }
  }
  return entries.map((entry) => ({
    id: entry.id,
    label: entry.label,
    image: { kind: 'bytes', bytes: nullThrows(bytes.get(entry), 'every row lies in a row group') },
  }));
}

async function readGroup(
  file: ParquetFile,
  wanted: readonly ParquetPicture[],
  start: number,
  end: number,
  bytes: Map<ParquetPicture, Uint8Array>,
): Promise<void> {
  const columns = [...new Set(wanted.map(({ column }) => column))];
  const values = await file.rows({ columns, start, end });
  for (const entry of wanted) {
    const value = values[entry.row - start]?.[entry.column];
    const content = value instanceof Uint8Array ? value : (value as { bytes?: unknown } | undefined)?.bytes;
    if (!(content instanceof Uint8Array) || content.length === 0) {
      throw imageFault(
        `${file.path} row ${entry.row + 1}`,
        `column "${entry.column}" holds no bytes of a picture`,
        'Embed the pictures in the files, as datasets.push_to_hub does',
      );
    }
    // A copy: the library's arrays are views that would keep the whole row group alive.
    bytes.set(entry, Uint8Array.prototype.slice.call(content));
  }
}
