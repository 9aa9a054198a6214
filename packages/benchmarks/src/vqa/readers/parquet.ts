import { readdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { nullThrows } from '@dynaprompt/core';
import { openParquet, parquetFiles, type ParquetFile } from '../../datasets/formats/parquet.js';
import { ownLicense } from '../../datasets/own-license.js';
import type { RowFault } from '../../datasets/rows/faults.js';
import { RowProblem } from '../../datasets/rows/faults.js';
import { textOf, type Values } from '../../datasets/rows/values.js';
import { imageFault } from '../../images/faults.js';
import { type ParquetPicture, readPictures } from '../../images/parquet.js';
import type { VqaCollection, VqaEntry, VqaSplit } from '../types.js';
import { gqaTypes } from './gqa.js';
import {
  answersOf,
  faultOf,
  idOf,
  interner,
  optionalText,
  present,
  settled,
  type VqaReadOptions,
} from './rows.js';

/** A question of a parquet file, whose picture has not been read. */
export interface ParquetQuestion extends VqaEntry {
  readonly picture: ParquetPicture;
}

/** Names of the splits, as data sets on the Hub spell them. */
const splitNames: Readonly<Record<VqaSplit, readonly string[]>> = {
  train: ['train'],
  validation: ['validation', 'val', 'val2014'],
  test: ['testdev', 'test'],
};

/** Names of columns, the most usual first. */
const columnNames = {
  questionId: ['question_id', 'id', 'questionId'],
  imageId: ['image_id', 'imageId'],
  answers: ['answers'],
  answer: ['multiple_choice_answer', 'answer'],
} as const;

/** Pictures in files of their own, by id; those of GQA are. */
type Gallery = ReadonlyMap<string, ParquetPicture>;

/** Files of a split. */
interface Files {
  readonly questions: readonly ParquetFile[];
  /** Absent where every question has its picture in its row. */
  readonly pictures?: readonly ParquetFile[];
}

/**
 * Questions as the Hub publishes them: `lmms-lab/VQAv2` and what has its columns (`data/validation-00000-of-….parquet`; `question`,
 * `image`, `answers` or `answer`, `question_id`, `image_id`, `question_type`, `answer_type`), or `lmms-lab/GQA`, whose folders
 * `train_balanced_instructions/` and `train_balanced_images/` belong together. Pictures are read when they are asked for, one row
 * group at a time. A data set with `answers` of several people is scored softly. Rejects with a `DataError` that names file and row.
 */
export async function readVqaParquet(
  folder: string,
  options: VqaReadOptions = {},
): Promise<VqaCollection<ParquetQuestion>> {
  const faults: RowFault[] = [];
  const splits: Partial<Record<VqaSplit, readonly ParquetQuestion[]>> = {};
  for (const [split, names] of Object.entries(splitNames) as [VqaSplit, readonly string[]][]) {
    const files = await filesOf(folder, names);
    if (files !== undefined) splits[split] = await readFiles(files, faults);
  }
  const [some] = Object.values(splits);
  if (some === undefined) {
    throw imageFault(
      folder,
      'there are no parquet files of a split',
      'Name the folder with train-00000-of-….parquet, validation-… or test-…, or the one above it',
    );
  }
  const people = Object.values(splits).flatMap((entries) =>
    entries.slice(0, 100).map(({ answers }) => answers.length),
  );
  return {
    name: basename(folder),
    description: 'Questions about pictures, in parquet files.',
    license: ownLicense,
    source: folder,
    measure: people.some((count) => count > 1) ? 'soft' : 'exact',
    faults: settled(faults, options),
    splits,
    examples: async (entries) => {
      const asked = [...new Set(entries.map(({ picture }) => picture))];
      const pictures = await readPictures(asked);
      const images = new Map(asked.map((picture, index) => [picture, pictures[index]?.image]));
      return entries.map(({ picture, ...entry }) => ({
        ...entry,
        image: nullThrows(images.get(picture), 'every picture was read'),
      }));
    },
  };
}

/** The first of some splits with files: in the folder or its `data/`, or in folders of GQA for questions and pictures. */
async function filesOf(folder: string, names: readonly string[]): Promise<Files | undefined> {
  const open = async (stem: string) => Promise.all((await parquetFiles(stem)).map(openParquet));
  for (const name of names) {
    for (const place of [folder, join(folder, 'data')]) {
      const questions = await open(join(place, name));
      if (questions.length > 0) return { questions };
    }
    const questions = await open(join(folder, `${name}_balanced_instructions`, name));
    if (questions.length === 0) continue;
    const place = join(folder, `${name}_balanced_images`);
    const pictures = await open(join(place, name));
    if (pictures.length > 0) return { questions, pictures };
    const there = await readdir(folder);
    throw imageFault(
      place,
      'the parquet files of the pictures are missing',
      `Fetch them; ${folder} has ${there.join(', ')}`,
    );
  }
  return undefined;
}

async function readFiles(files: Files, faults: RowFault[]): Promise<readonly ParquetQuestion[]> {
  const gallery = files.pictures && (await galleryOf(files.pictures));
  const same = interner();
  const entries: ParquetQuestion[] = [];
  for (const file of files.questions) {
    if (gallery === undefined) requireColumn(file, 'image');
    requireColumn(file, 'question');
    const columns = file.columns.filter((name) => name !== 'image');
    const rows = await file.rows({ columns });
    rows.forEach((values, row) => {
      try {
        entries.push(entryOf(values, file, row, gallery, same));
      } catch (cause) {
        faults.push(faultOf(cause, file.path, row + 1));
      }
    });
  }
  return entries;
}

function entryOf(
  values: Values,
  file: ParquetFile,
  row: number,
  gallery: Gallery | undefined,
  same: (text: string) => string,
): ParquetQuestion {
  const id = `${basename(file.path)}:${row + 1}`;
  const [answersColumn] = columnNames.answers;
  const answerColumn = columnNames.answer.find((name) => file.columns.includes(name));
  const answer = answerColumn === undefined ? undefined : optionalText(values, answerColumn);
  // Where the answers are hidden, columns of answers are empty in every row.
  const isHidden = isEmpty(values[answersColumn]) && answer === undefined;
  const own = isEmpty(values[answersColumn]) ? [answer ?? ''] : answersOf(values, answersColumn);
  const imageId = idOf(values, columnOf(file, columnNames.imageId));
  return {
    id,
    question: textOf(values, 'question'),
    questionId: idOf(values, columnOf(file, columnNames.questionId)),
    imageId,
    answers: isHidden ? [] : own.map(same),
    ...present({
      answer: answer === undefined ? undefined : same(answer),
      questionType: optionalText(values, 'question_type'),
      answerType: optionalText(values, 'answer_type'),
      ...gqaTypes(values),
    }),
    picture:
      gallery === undefined ? { id, label: 0, file, row, column: 'image' } : pictureOf(gallery, imageId),
  };
}

function columnOf(file: ParquetFile, names: readonly [string, ...string[]]): string {
  return names.find((name) => file.columns.includes(name)) ?? names[0];
}

function isEmpty(value: unknown): boolean {
  return value === undefined || value === null || (Array.isArray(value) && value.length === 0);
}

/** Where the picture of each id is. */
async function galleryOf(files: readonly ParquetFile[]): Promise<Gallery> {
  const gallery = new Map<string, ParquetPicture>();
  for (const file of files) {
    requireColumn(file, 'id');
    requireColumn(file, 'image');
    (await file.rows({ columns: ['id'] })).forEach((values, row) => {
      gallery.set(idOf(values, 'id'), {
        id: `${basename(file.path)}:${row + 1}`,
        label: 0,
        file,
        row,
        column: 'image',
      });
    });
  }
  return gallery;
}

function pictureOf(gallery: Gallery, imageId: string): ParquetPicture {
  const picture = gallery.get(imageId);
  if (picture !== undefined) return picture;
  throw new RowProblem(
    `picture ${imageId} is in no file of the pictures`,
    'Fetch all files of the pictures, or leave out bad rows',
  );
}

function requireColumn({ path, columns }: ParquetFile, name: string): void {
  if (columns.includes(name)) return;
  throw imageFault(
    path,
    `it has no column "${name}"; its columns are ${columns.join(', ')}`,
    'Give files of questions',
  );
}
