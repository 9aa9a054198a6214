import { metrics } from '@dynaprompt/benchmarks';
import { DataError, selectBackend } from '@dynaprompt/core';
import { type NamedTask, type TrainingMethod, trainPrompt } from '@dynaprompt/training';

import { featureHosts, type FeatureHost, releaseBackbones } from '../comparison/backbones.js';
import type { OpenTask } from '../domain.js';
import { packageName } from '../package-name.js';
import { serveRuns } from '../process/serve-runs.js';
import type { StudyOptions } from '../study/options.js';
import { finishedOf } from '../study/finished.js';
import type { Outcome } from '../study/run-plan.js';
import type { SweepJob } from './jobs.js';
import { canonical } from '../process/hash.js';
import { packagesOf } from '../process/machine.js';
import { loadingKey, type SweepDomain } from './plan.js';

/** First message to a process that does jobs. */
export interface SweepOpening {
  readonly type: 'open';
  readonly dataRoot: string;
}

/** A task that is open for all jobs on it. */
interface OpenPlace<Example> {
  readonly key: string;
  readonly opened: OpenTask<Example>;
  readonly hostFor: (method: TrainingMethod) => Promise<FeatureHost<Example>>;
  readonly task: Omit<NamedTask<Example>, keyof FeatureHost<Example>>;
  readonly data: string;
}

/** Does jobs in this process. */
export class JobTrainer<Example, Options extends StudyOptions> {
  private place: OpenPlace<Example> | undefined;

  constructor(
    private readonly domain: SweepDomain<Example, Options>,
    private readonly dataRoot: string,
  ) {}

  /** What the job gives; a failure is an outcome too. */
  async outcomeOf(job: SweepJob<Options>): Promise<Outcome> {
    try {
      return await this.train(job);
    } catch (error) {
      return { ok: false, message: error instanceof Error ? error.message : String(error) };
    }
  }

  private async train({ identity, loading }: SweepJob<Options>): Promise<Outcome> {
    const own = packagesOf(this.domain.application);
    requireSame('versions', canonical(identity.versions), canonical(own));
    const { opened, hostFor, task, data } = await this.open(identity.task, loading);
    requireSame(`data of ${identity.task}`, identity.data, data);
    requireSame(`backbone ${loading.backbone}`, identity.backbone, opened.backbone.description.revision);
    const { configuration, seed, steps, settings } = identity;
    const method =
      configuration === null ? (identity.method as 'frozen') : { name: identity.method, configuration };
    const host = await hostFor(method);
    const result = await trainPrompt({ ...settings, ...task, ...host, method, seed, steps });
    return finishedOf(result, { ...opened, ...host });
  }

  private async open(name: string, loading: Options): Promise<OpenPlace<Example>> {
    const key = loadingKey(loading);
    if (this.place?.key === key) return this.place;
    if (this.place !== undefined) await releaseBackbones(this.place.opened);
    this.place = undefined;
    await selectBackend();
    const loaded = await this.domain.loadStudyTask(name, loading, this.dataRoot);
    const fingerprint = await loaded.fingerprint();
    const opened = { data: loaded.data, ...(await loaded.open()) };
    const { train, validation, metric } = loaded.data;
    this.place = {
      key,
      opened,
      hostFor: featureHosts(opened),
      data: fingerprint,
      task: { name, train, validation, metric: metrics[metric].score, augment: opened.augment },
    };
    return this.place;
  }
}

/** Does the jobs that the parent process sends; called once by the worker module of an application. */
export function serveSweep<Example, Options extends StudyOptions>(
  domain: SweepDomain<Example, Options>,
): void {
  serveRuns<{ opening: SweepOpening; run: SweepJob<Options>; outcome: Outcome }>(({ dataRoot }) => {
    const trainer = new JobTrainer(domain, dataRoot);
    return (job) => trainer.outcomeOf(job);
  });
}

/** @throws DataError where a job was planned for something else than what this machine has. */
function requireSame(what: string, planned: string, found: string): void {
  if (planned === found) return;
  throw new DataError({
    packageName,
    subject: what,
    problem: `the job was planned with ${planned}, this machine has ${found}`,
    remedy: 'Give every machine of a sweep the same versions, data and models',
  });
}
