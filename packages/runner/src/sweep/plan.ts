import { Command } from 'commander';

import type { MetricName } from '@dynaprompt/benchmarks';
import { nullThrows } from '@dynaprompt/core';

import { releaseBackbones } from '../comparison/backbones.js';
import type { ComparisonOptions } from '../options/comparison.js';
import type { Domain } from '../domain.js';
import { packagesOf } from '../process/machine.js';
import { hashOf } from '../process/hash.js';
import type { StudyOptions } from '../study/options.js';
import { type OptionValue, settingsOfCases, variedOf } from './axes.js';
import { type SweepFile, unusable } from './file.js';
import { type JobDraft, jobOf, type OpenedPlace, type SweepJob } from './jobs.js';
import { resolveJob, type SweepApplication } from './options.js';

/** What planning and training jobs needs of a domain. */
export type SweepDomain<Example, Options extends StudyOptions> = Pick<
  Domain<Example, ComparisonOptions, Options>,
  'application' | 'loadStudyTask' | 'runDetails'
>;

/** Jobs that differ in their seeds only: a row of the summary. */
export interface SweepRow<Options extends StudyOptions = StudyOptions> {
  readonly task: string;
  readonly metric: MetricName;
  /** Where the backbone is, as the file names it. */
  readonly backbone: string;
  readonly method: string;
  /** Values of the options that have several. */
  readonly varied: Readonly<Record<string, OptionValue>>;
  /** In the order of the seeds. */
  readonly jobs: readonly SweepJob<Options>[];
}

/** A sweep with every job named. */
export interface SweepPlan<Options extends StudyOptions = StudyOptions> {
  readonly rows: readonly SweepRow<Options>[];
  /** Every job once, in the order of the rows. */
  readonly jobs: readonly SweepJob<Options>[];
  readonly seeds: readonly number[];
  /** The method that others are compared with. */
  readonly reference: string;
}

interface DraftedRow<Options extends StudyOptions> extends Omit<SweepRow<Options>, 'metric' | 'jobs'> {
  readonly drafts: readonly JobDraft<Options>[];
}

/**
 * Crosses what the file names, and opens every task and backbone once, so that what is wrong with them shows at once.
 *
 * @throws ConfigurationError naming the option, task, method or backbone that cannot be used.
 */
export async function planSweep<Example, Options extends StudyOptions>(
  domain: SweepDomain<Example, Options>,
  application: SweepApplication<Options>,
  file: SweepFile,
  dataRoot: string,
): Promise<SweepPlan<Options>> {
  const drafted = draftRows(application, file);
  const open = placeOpener(domain, dataRoot);
  const versions = packagesOf(domain.application);
  const rows: SweepRow<Options>[] = [];
  for (const { drafts, ...row } of drafted) {
    const jobs: SweepJob<Options>[] = [];
    let metric: MetricName | undefined;
    for (const draft of drafts) {
      const place = await open(draft);
      ({ metric } = place);
      jobs.push(jobOf(draft, place, { versions, details: domain.runDetails(draft.loading) }));
    }
    rows.push({ ...row, metric: nullThrows(metric, 'a sweep has a seed'), jobs });
  }
  const jobs = new Map<string, SweepJob<Options>>();
  // What several rows have in common is done with the first of them.
  for (const job of rows.flatMap((row) => row.jobs)) if (!jobs.has(job.key)) jobs.set(job.key, job);
  const { methods, seeds } = file;
  const fallback = methods.includes('fixed') ? 'fixed' : (methods[0] ?? '');
  return { rows, jobs: [...jobs.values()], seeds, reference: file.reference ?? fallback };
}

/** The rows of a sweep before anything was opened. */
export function draftRows<Options extends StudyOptions>(
  application: SweepApplication<Options>,
  file: SweepFile,
): readonly DraftedRow<Options>[] {
  const { tasks, methods, seeds, folders, reference } = file;
  for (const task of [...tasks, ...Object.keys(folders)]) application.requireTask(task);
  if (reference !== undefined && !methods.includes(reference)) {
    throw unusable(`reference ${reference}`, 'it is no method of the sweep', `Use ${methods.join(', ')}`);
  }
  const settings = settingsOfCases(file.options, file.cases);
  const varied = variedOf(settings);
  const own = new Command();
  application.addOwn(own);
  return tasks.flatMap((task) =>
    (file.backbones ?? [application.backbone]).flatMap((backbone) =>
      settings.flatMap((setting) =>
        methods.map((method) => ({
          task,
          backbone,
          method,
          varied: Object.fromEntries(varied.map((name) => [name, setting[name] ?? null])),
          drafts: seeds.map((seed) =>
            resolveJob(application, own, { task, backbone, method, seed }, setting, folders),
          ),
        })),
      ),
    ),
  );
}

/** Opens what rows are trained on, each data set with each backbone once. */
function placeOpener<Example, Options extends StudyOptions>(
  domain: SweepDomain<Example, Options>,
  dataRoot: string,
): (draft: JobDraft<Options>) => Promise<OpenedPlace> {
  const places = new Map<string, OpenedPlace>();
  return async ({ task, loading }) => {
    const key = loadingKey(loading);
    const known = places.get(key);
    if (known !== undefined) return known;
    const loaded = await domain.loadStudyTask(task, loading, dataRoot);
    const opened = await loaded.open();
    const { revision } = opened.backbone.description;
    await releaseBackbones(opened);
    const place = {
      data: await loaded.fingerprint(),
      backbone: revision,
      metric: loaded.data.metric,
    };
    places.set(key, place);
    return place;
  };
}

/** Name of an opened task: jobs that differ only in how they are trained have the same one. */
export function loadingKey(loading: StudyOptions): string {
  return hashOf({ ...loading, methods: null, seeds: null, steps: null, batch: null, evaluateEvery: null });
}
