import { randomUUID } from 'node:crypto';
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { cpus } from 'node:os';
import { dirname } from 'node:path';

import { majorityBaseline } from '@dynaprompt/benchmarks';
import { nullThrows } from '@dynaprompt/core';

import { openBackbone } from '../backbone.js';
import { headOf } from '../comparison.js';
import { versions } from '../versions.js';
import { studyCommand } from './command-text.js';
import { fingerprintOf, loadStudyTask, tuningSplit } from './data.js';
import { Journal } from './journal.js';
import { renderStudy } from './markdown.js';
import { readNotes } from './notes.js';
import type { StudyOptions, StudyPlaces } from './options.js';
import { runPool, StudyStoppedError } from './pool.js';
import { duration, Progress } from './progress.js';
import { type StudyResults, type StudyTask, tablesOf } from './results.js';
import { type Cell, type Outcome, pendingRuns, planStudy } from './run-plan.js';

/**
 * Tunes and trains what the journal does not know yet, then writes the Markdown file and the JSON file beside it. What can be
 * wrong with options, data, backbone and files is found before the first run.
 *
 * @throws StudyStoppedError when the signal ended it; the journal keeps what was finished.
 */
export async function runStudy(
  options: StudyOptions,
  places: StudyPlaces,
  signal: AbortSignal,
): Promise<void> {
  await readNotes(places.output);
  const scene = await sceneOf(options, places.dataRoot);
  const { node = '', ...packages } = versions();
  const machine = `node ${node}, ${cpus()[0]?.model.trim() ?? 'unknown'}, ${cpus().length} cores, ${process.platform} ${process.arch}`;
  const cells = planStudy(
    options,
    scene.tasks.map(({ name, fingerprint }) => {
      return {
        task: name,
        data: fingerprint,
        backbone: `${scene.backbone.revision ?? ''}`,
        versions: packages,
      };
    }),
  );
  const journal = await Journal.open(places.journal);
  const outcomes = new Map<string, Outcome>(
    [...journal.entries.values()]
      .filter(({ outcome }) => outcome.ok || !places.retryFailed)
      .map(({ key, outcome }) => [key, outcome]),
  );
  const progress = new Progress(cells, outcomes, places.workers);
  try {
    await runPool({
      workers: places.workers,
      options,
      dataRoot: places.dataRoot,
      signal,
      pending: () => pendingRuns(cells, outcomes),
      finished: (run, outcome) => {
        journal.append({ ...run, outcome, machine });
        outcomes.set(run.key, outcome);
        process.stdout.write(`${progress.line(run, outcome)}\n`);
      },
    });
  } catch (error) {
    throw signal.aborted ? new StudyStoppedError(places.journal, error) : error;
  }
  const results: StudyResults = {
    app: 'glue-study',
    command: studyCommand(process.argv.slice(2)),
    configuration: options,
    backbone: scene.backbone,
    versions: packages,
    machines: machinesOf(cells, journal),
    tasks: tablesOf(scene.tasks, cells, outcomes),
  };
  const json = places.output.replace(/md$/, 'json');
  await replace(json, `${JSON.stringify(results, null, 2)}\n`);
  await replace(places.output, renderStudy(results, await readNotes(places.output)));
  process.stdout.write(`tables   ${places.output}\nresults  ${json}\njournal  ${places.journal}\n`);
  const failed = results.tasks.flatMap(({ methods, penalties }) =>
    [...methods, ...penalties].flatMap(({ failures }) => failures),
  ).length;
  if (failed > 0) process.stdout.write(`${failed} runs failed; ${places.output} says why\n`);
  process.stdout.write(`done in ${duration(progress.elapsed)}\n`);
}

/** Tasks and frozen model; everything is opened once, so that what is wrong with it shows at once. */
async function sceneOf(
  options: StudyOptions,
  dataRoot: string,
): Promise<{ readonly tasks: readonly StudyTask[]; readonly backbone: StudyResults['backbone'] }> {
  const tasks: StudyTask[] = [];
  let description: StudyResults['backbone'] | undefined;
  for (const name of options.tasks) {
    const data = await loadStudyTask(name, options, dataRoot);
    tuningSplit(data, options.holdout);
    const backbone = await openBackbone(options.backbone, {
      head: headOf(options.head, data),
      slots: options.slots,
      maxLength: options.maxLength ?? undefined,
      threads: 1,
    });
    const { family, revision, dtype, parameters } = backbone.description;
    description = { name: backbone.description.name, family, revision, dtype, parameters };
    await backbone.release();
    const labels = [data.train, data.validation].map((split) => split.map(({ label }) => label));
    const [train = [], validation = []] = labels;
    tasks.push({
      name,
      description: data.description,
      metric: data.metric,
      labels: data.labels,
      train: train.length,
      validation: validation.length,
      majority: majorityBaseline(train, validation, data.metric).score,
      fingerprint: fingerprintOf(data),
    });
  }
  return { tasks, backbone: nullThrows(description, 'a study has a task') };
}

/** The machines whose runs the tables show. */
function machinesOf(cells: readonly Cell[], journal: Journal): readonly string[] {
  const keys = cells.flatMap(({ tuning, finals }) =>
    [...tuning.flat(), ...finals.flat()].map(({ key }) => key),
  );
  const machines = keys.flatMap((key) => journal.entries.get(key)?.machine ?? []);
  return [...new Set(machines)].sort();
}

/** Writes a file beside its place first, so that it is replaced whole or not at all. */
async function replace(path: string, text: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const draft = `${path}.${randomUUID()}`;
  try {
    await writeFile(draft, text);
    await rename(draft, path);
  } catch (error) {
    await rm(draft, { force: true });
    throw error;
  }
}
