import { readdir, readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { ConfigurationError } from '@dynaprompt/core';
import { z } from 'zod';
import { packageName } from '../package-name.js';
import { imageFault, leftOut } from './faults.js';
import type { ImageCollection, LabelledImage } from './types.js';

/** What has to be said wherever OpenMoji pictures are shown. */
export const openMojiAttribution =
  'All emojis designed by OpenMoji – the open-source emoji and icon project (https://openmoji.org). ' +
  'License: CC BY-SA 4.0 (https://creativecommons.org/licenses/by-sa/4.0/)';

/** What the classes of OpenMoji are. */
export type OpenMojiClasses = 'groups' | 'subgroups' | 'concepts';

/** Fewest held-out pictures of a concept. */
const CONCEPT_TEST = 2;
/** Fewest other pictures of a concept: 16 shots to train on and 4 to validate on. */
const CONCEPT_TRAIN = 20;

/** Which pictures are for the test, and what their classes are. */
export interface OpenMojiOptions {
  /**
   * JSON list of the pictures that the backbone was not trained on, objects with `source` and `file`, e.g. that of mini-clip.
   * Its OpenMoji pictures are the test split, all others the training split.
   */
  readonly heldOut: string;
  /**
   * `groups`, the default (`animals-nature`), `subgroups` of them (`animals-nature/animal-bird`), or `concepts`: the subgroups with
   * at least 2 held-out pictures and 20 others, enough for few-shot protocols up to 16 shots.
   */
  readonly by?: OpenMojiClasses;
  /** Path or URL of the module that depends on the npm package `openmoji`; this package where absent. */
  readonly from?: string | URL;
}

const classWords: Readonly<Record<OpenMojiClasses, string>> = {
  groups: 'group',
  subgroups: 'subgroup',
  concepts: `subgroup, of those with ${CONCEPT_TEST} and more pictures to test on and ${CONCEPT_TRAIN} others`,
};

interface Picture {
  readonly file: string;
  readonly className: string;
}

const emojiSchema = z.array(
  z.object({
    hexcode: z.string(),
    group: z.string(),
    subgroups: z.string(),
    skintone: z.union([z.string(), z.number()]),
  }),
);
const heldOutSchema = z.array(z.object({ source: z.string(), file: z.string() }));

/**
 * Drawings of the npm package `openmoji`, by group. Skin-tone variants are left out, and so are pictures of a class that has none
 * to train on or none held out. Pictures are SVG files with a transparent background. Rejects with a `ConfigurationError`
 * where the package is not installed, and with a `DataError` for lists that cannot be used.
 */
export async function readOpenMoji({
  heldOut,
  by = 'groups',
  from = import.meta.url,
}: OpenMojiOptions): Promise<ImageCollection> {
  const folder = packageFolder(from);
  const emojis = await readJson(join(folder, 'data', 'openmoji.json'), emojiSchema);
  const { version } = await readJson(join(folder, 'package.json'), z.object({ version: z.string() }));
  const testFiles = await heldOutDrawings(heldOut);
  const faults: string[] = [];
  const drawings = join(folder, 'color', 'svg');
  const present = new Set(await readdir(drawings).catch((): string[] => []));
  const pictures: Picture[] = [];
  for (const { hexcode, group, subgroups, skintone } of emojis) {
    const file = `${hexcode}.svg`;
    if (skintone !== '') continue;
    if (present.has(file))
      pictures.push({ file, className: by === 'groups' ? group : `${group}/${subgroups}` });
    else faults.push(`${file}: it is not in the package`);
  }
  const [fewestTested, fewestTrained] = by === 'concepts' ? [CONCEPT_TEST, CONCEPT_TRAIN] : [1, 1];
  const tested = classesWith(
    fewestTested,
    pictures.filter(({ file }) => testFiles.has(file)),
  );
  const trained = classesWith(
    fewestTrained,
    pictures.filter(({ file }) => !testFiles.has(file)),
  );
  const classes = [...tested].filter((name) => trained.has(name)).sort();
  if (classes.length === 0) {
    throw imageFault(
      heldOut,
      `it names no picture of the npm package openmoji ${version}`,
      'Give a list of objects with "source": "openmoji" and "file": "1F408.svg"',
    );
  }
  const known = new Set(pictures.map(({ file }) => file));
  for (const file of testFiles)
    if (!known.has(file)) faults.push(`${file}: held out, but no picture of the package`);
  const split = { train: [] as LabelledImage[], test: [] as LabelledImage[] };
  for (const { file, className } of pictures) {
    const label = classes.indexOf(className);
    const path = join(drawings, file);
    const picture: LabelledImage = { id: file, label, image: { kind: 'file', path } };
    if (label >= 0) split[testFiles.has(file) ? 'test' : 'train'].push(picture);
    else
      faults.push(
        `${file}: class "${className}" has ${by === 'concepts' ? 'too few pictures' : 'no picture'} to ${tested.has(className) ? 'train on' : 'test on'}`,
      );
  }
  return {
    name: 'openmoji',
    description:
      `Drawings of emojis without skin-tone variants, by ${classWords[by]}. The test split is what the ` +
      'backbone was not trained on; the others it has seen, with the names of their classes, so scores on them flatter.',
    license: 'CC BY-SA 4.0',
    source: `npm package openmoji ${version}`,
    attribution: openMojiAttribution,
    classes,
    ...split,
    faults: leftOut(faults),
    pictures: (entries) => Promise.resolve(entries),
  };
}

/** Classes with so many pictures. */
function classesWith(fewest: number, pictures: readonly Picture[]): ReadonlySet<string> {
  const counts = new Map<string, number>();
  for (const { className } of pictures) counts.set(className, (counts.get(className) ?? 0) + 1);
  return new Set([...counts].filter(([, count]) => count >= fewest).map(([name]) => name));
}

/** Files of the OpenMoji pictures in a JSON list of held-out ones. Rejects with a `DataError` for what is no such list. */
export async function heldOutDrawings(path: string): Promise<ReadonlySet<string>> {
  const listed = await readJson(path, heldOutSchema);
  return new Set(listed.filter(({ source }) => source === 'openmoji').map(({ file }) => file));
}

/** Folder of the npm package `openmoji` as `from` finds it. Throws a `ConfigurationError` where it is not installed. */
export function packageFolder(from: string | URL): string {
  try {
    return dirname(createRequire(from).resolve('openmoji/package.json'));
  } catch (cause) {
    throw new ConfigurationError({
      packageName,
      subject: 'data set "openmoji"',
      problem: 'the npm package openmoji, which has its pictures, is not installed',
      remedy: 'Run npm install openmoji',
      cause,
    });
  }
}

async function readJson<T>(path: string, schema: z.ZodType<T>): Promise<T> {
  try {
    return schema.parse(JSON.parse(await readFile(path, 'utf8')));
  } catch (cause) {
    const [issue] = cause instanceof z.ZodError ? cause.issues : [];
    const reason =
      issue === undefined ? (cause as Error).message : `${issue.path.join('.')}: ${issue.message}`;
    throw imageFault(path, `it cannot be used (${reason})`, 'Name another file, or fetch it again', cause);
  }
}
