import { randomUUID } from 'node:crypto';
import { mkdir, open, readFile, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { ConfigurationError, DataError } from '@dynaprompt/core';
import { packageName } from '../package-name.js';
import { renderReport } from '../report/report.js';
import { parseResults, type RunResults } from './schema.js';

/** Absolute paths of what {@link writeRun} wrote. */
export interface WrittenRun {
  readonly results: string;
  readonly report: string;
}

/**
 * Writes `results.json` and `report.html` into a folder. Both are written and synchronised in a folder beside it first: a
 * folder that is new appears complete or not at all, and in one that is there already each file is replaced in one move.
 */
export async function writeRun(folder: string, results: RunResults): Promise<WrittenRun> {
  const target = resolve(folder);
  const checked = parseResults(results, join(target, RESULTS));
  const files = new Map([
    [RESULTS, resultsText(checked)],
    [REPORT, renderReport(checked)],
  ]);
  const staging = join(dirname(target), `.${basename(target)}-${randomUUID()}`);
  try {
    await mkdir(staging, { recursive: true });
    for (const [name, text] of files) await writeDurably(join(staging, name), text);
    if (await exists(target)) {
      for (const name of files.keys()) await rename(join(staging, name), join(target, name));
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
  return { results: join(target, RESULTS), report: join(target, REPORT) };
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

const RESULTS = 'results.json';
const REPORT = 'report.html';

/** Indented JSON with each point of a curve on one line. */
function resultsText(results: RunResults): string {
  const point = /\{\s+"step": ([^\s,]+),\s+"value": (\S+)\s+\}/g;
  return `${JSON.stringify(results, null, 2).replace(point, '{ "step": $1, "value": $2 }')}\n`;
}

async function writeDurably(path: string, text: string): Promise<void> {
  const file = await open(path, 'wx', 0o644);
  try {
    await file.writeFile(text);
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
