import { randomUUID } from 'node:crypto';
import { mkdir, open, readFile, rename, rm, rmdir, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { ConfigurationError, DataError } from '@dynaprompt/core';
import { packageName } from '../package-name.js';
import { parseInspections } from './inspections.js';
import { CARD_MARK } from './model-card.js';
import { CARD, pathsOfRun, REPORT, RESULTS, type RunRecord, runFiles, TABLE } from './run-files.js';
import { parseResults, type RunResults } from './schema.js';

/** Absolute paths of what {@link writeRun} wrote. */
export interface WrittenRun {
  readonly results: string;
  readonly report: string;
  /** A line for each method and seed. */
  readonly table: string;
  /** The model card. */
  readonly card: string;
}

/** Where the card goes in a folder that has a README of its own. */
const CARD_BESIDE = 'MODEL_CARD.md';

/**
 * Writes all files of a run into a folder: `results.json`, `report.html`, `results.csv`, the model card `README.md`, and what there
 * is to fill `predictions/`, `tensorboard/` and `inspections.json`. All are written and synchronised in a folder beside it first: a
 * folder that is new appears complete or not at all; in one that is there already each file is replaced in one move, files of an
 * earlier run that this one does not have are taken away, and others stay, a README that is no card of ours among them.
 */
export async function writeRun(
  folder: string,
  results: RunResults,
  record: RunRecord = {},
): Promise<WrittenRun> {
  const target = resolve(folder);
  const checked = parseResults(results, join(target, RESULTS));
  const inspections = parseInspections(record.inspections ?? [], join(target, 'inspections.json'));
  const files = new Map(runFiles(checked, { ...record, inspections }));
  const card = (await hasOtherReadme(target)) ? CARD_BESIDE : CARD;
  files.set(card, files.get(CARD) ?? '');
  if (card !== CARD) files.delete(CARD);
  const staging = join(dirname(target), `.${basename(target)}-${randomUUID()}`);
  try {
    for (const [name, content] of files) await writeDurably(join(staging, name), content);
    if (await exists(target)) {
      const earlier = await earlierPaths(target);
      for (const name of files.keys()) {
        await mkdir(dirname(join(target, name)), { recursive: true });
        await rename(join(staging, name), join(target, name));
      }
      await removeFiles(
        target,
        earlier.filter((name) => !files.has(name)),
      );
      await rm(staging, { recursive: true });
    } else {
      await rename(staging, target);
    }
  } catch (cause) {
    await rm(staging, { recursive: true, force: true });
    throw new ConfigurationError({
      packageName,
      subject: target,
      problem: `the results cannot be written (${(cause as Error).message})`,
      remedy: 'Name an output folder in a place that is writable and has space',
      cause,
    });
  }
  return {
    results: join(target, RESULTS),
    report: join(target, REPORT),
    table: join(target, TABLE),
    card: join(target, card),
  };
}

/** Reads a `results.json` and checks its shape. */
export async function readResults(path: string): Promise<RunResults> {
  let value: unknown;
  try {
    value = JSON.parse(await readFile(path, 'utf8'));
  } catch (cause) {
    throw new DataError({
      packageName,
      subject: path,
      problem: `it cannot be read as JSON (${(cause as Error).message})`,
      remedy: 'Name a results.json that a run has written',
      cause,
    });
  }
  return parseResults(value, path);
}

/** What the run that wrote the results in a folder has written; nothing where there are none that can be read. */
async function earlierPaths(target: string): Promise<readonly string[]> {
  return readResults(join(target, RESULTS)).then(pathsOfRun, () => []);
}

async function hasOtherReadme(target: string): Promise<boolean> {
  return readFile(join(target, CARD), 'utf8').then(
    (text) => !text.includes(CARD_MARK),
    () => false,
  );
}

/** Removes files, and folders that are empty then. */
async function removeFiles(target: string, names: readonly string[]): Promise<void> {
  for (const name of names) {
    await rm(join(target, name), { force: true });
    for (let folder = dirname(name); folder !== '.'; folder = dirname(folder)) {
      // Fails where something is left in it, or where it is gone already.
      await rmdir(join(target, folder)).catch(() => undefined);
    }
  }
}

async function writeDurably(path: string, content: string | Uint8Array): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const file = await open(path, 'wx', 0o644);
  try {
    await file.writeFile(content);
    await file.sync();
  } finally {
    await file.close();
  }
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
