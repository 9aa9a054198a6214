import { rmdir } from 'node:fs/promises';

import { nullThrows } from '@dynaprompt/core';

import { releaseBackbones } from '../comparison/backbones.js';
import { majorityOf } from '../comparison/summary.js';
import type { ComparisonOptions } from '../options/comparison.js';
import type { Domain } from '../domain.js';
import { claimFolder } from '../output/claim-folder.js';
import { replaceFile } from '../output/replace-file.js';
import { runPool } from '../process/pool.js';
import { machineOf, packagesOf } from '../process/machine.js';
import { StudyStoppedError } from '../process/stopped.js';
import { studyCommand } from './command-text.js';
import { Journal } from './journal.js';
import { renderStudy } from './markdown.js';
import { readNotes } from './notes.js';
import type { StudyOptions, StudyPlaces } from './options.js';
import { duration, Progress } from './progress.js';
import { type StudyResults, type StudyTask, tablesOf } from './results.js';
import { type Cell, type KeyedRun, type Outcome, pendingRuns, planStudy } from './run-plan.js';
import type { StudyOpening } from './serve-study.js';
import { tuningSplit } from './tuning-split.js';

/** What a study needs of a domain. */
export type StudyDomain<Example, Options extends StudyOptions> = Pick<
  Domain<Example, ComparisonOptions, Options>,
  'application' | 'loadStudyTask' | 'runDetails'
>;

/**
 * Tunes and trains what the journal does not know yet, then writes the Markdown file and the JSON file beside it. What can be
 * wrong with options, data, backbone and files is found before the first run.
 *
 * @param worker module that calls `serveStudy` with the same domain.
 * @throws StudyStoppedError when the signal ended it; the journal keeps what was finished.
 * @throws FolderInUseError at once, naming the holder, where another study writes the journal.
 */
export async function runStudy<Example, Options extends StudyOptions>(
  domain: StudyDomain<Example, Options>,
  worker: URL,
  options: Options,
  places: StudyPlaces,
  signal: AbortSignal,
): Promise<void> {
  await readNotes(places.output);
  const claim = await claimFolder(`${places.journal}.lock`);
  try {
    await carryOut(domain, worker, options, places, signal);
  } finally {
    await claim.release();
    // One that a killed study has left was there already.
    await rmdir(claim.folder).catch(() => undefined);
  }
}

async function carryOut<Example, Options extends StudyOptions>(
  domain: StudyDomain<Example, Options>,
  worker: URL,
  options: Options,
  places: StudyPlaces,
  signal: AbortSignal,
): Promise<void> {
  const scene = await sceneOf(domain, options, places.dataRoot);
  const { application } = domain;
  const packages = packagesOf(application);
  const machine = machineOf(application);
  const details = domain.runDetails(options);
  const cells = planStudy(
    options,
    scene.tasks.map(({ name, fingerprint }) => {
      return {
        task: name,
        data: fingerprint,
        backbone: `${scene.backbone.revision ?? ''}`,
        versions: packages,
        details,
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
    await runPool<KeyedRun, Outcome>({
      worker,
      workers: places.workers,
      opening: { type: 'open', options, dataRoot: places.dataRoot } satisfies StudyOpening<Options>,
      signal,
      groupOf: ({ run }) => run.task,
      failed: (message) => ({ ok: false, message }),
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
    app: `${application.name}-study`,
    command: studyCommand(application.command, process.argv.slice(2)),
    configuration: options,
    backbone: scene.backbone,
    versions: packages,
    machines: machinesOf(cells, journal),
    tasks: tablesOf(scene.tasks, cells, outcomes),
  };
  const json = places.output.replace(/md$/, 'json');
  await replaceFile(json, `${JSON.stringify(results, null, 2)}\n`);
  await replaceFile(places.output, renderStudy(results, await readNotes(places.output), application.input));
  process.stdout.write(`tables   ${places.output}\nresults  ${json}\njournal  ${places.journal}\n`);
  const failed = results.tasks.flatMap(({ methods, penalties }) =>
    [...methods, ...penalties].flatMap(({ failures }) => failures),
  ).length;
  if (failed > 0) process.stdout.write(`${failed} runs failed; ${places.output} says why\n`);
  process.stdout.write(`done in ${duration(progress.elapsed)}\n`);
}

/** Tasks and frozen model; everything is opened once, so that what is wrong with it shows at once. */
async function sceneOf<Example, Options extends StudyOptions>(
  domain: StudyDomain<Example, Options>,
  options: Options,
  dataRoot: string,
): Promise<{ readonly tasks: readonly StudyTask[]; readonly backbone: StudyResults['backbone'] }> {
  const tasks: StudyTask[] = [];
  let description: StudyResults['backbone'] | undefined;
  for (const name of options.tasks) {
    const loaded = await domain.loadStudyTask(name, options, dataRoot);
    const { data } = loaded;
    tuningSplit(data, options.holdout);
    const opened = await loaded.open();
    const { backbone } = opened;
    const { name: model, family, revision, commit, dtype, parameters } = backbone.description;
    const recorded = commit === undefined ? {} : { commit };
    description = { name: model, family, revision, ...recorded, dtype, parameters };
    await releaseBackbones(opened);
    tasks.push({
      name,
      description: data.description,
      metric: data.metric,
      labels: data.labels,
      train: data.train.length,
      validation: data.validation.length,
      majority: majorityOf(data).score,
      fingerprint: await loaded.fingerprint(),
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
