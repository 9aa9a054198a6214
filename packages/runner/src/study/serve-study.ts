import { metrics } from '@dynaprompt/benchmarks';
import { selectBackend } from '@dynaprompt/core';
import { type TaskData, type TrainingMethod, trainPrompt } from '@dynaprompt/training';

import { featureHosts, type FeatureHost, releaseBackbones } from '../comparison/backbones.js';
import type { Domain, OpenTask } from '../domain.js';
import type { ComparisonOptions } from '../options/comparison.js';
import { serveRuns } from '../process/serve-runs.js';
import type { StudyOptions } from './options.js';
import type { KeyedRun, Outcome, StudyRun } from './run-plan.js';
import { finishedOf } from './finished.js';
import { tuningSplit } from './tuning-split.js';

/** First message to a process that trains: how to open tasks. */
export interface StudyOpening<Options extends StudyOptions> {
  readonly type: 'open';
  readonly options: Options;
  readonly dataRoot: string;
}

/** An open task with the examples of both phases. */
interface OpenStudyTask<Example> extends Record<
  StudyRun['phase'],
  Omit<TaskData<Example>, keyof FeatureHost<Example>>
> {
  readonly name: string;
  readonly opened: OpenTask<Example>;
  readonly hostFor: (method: TrainingMethod) => Promise<FeatureHost<Example>>;
}

/** What a process that trains needs of a domain. */
export type TaskLoader<Example, Options extends StudyOptions> = Pick<
  Domain<Example, ComparisonOptions, Options>,
  'loadStudyTask'
>;

/** Trains in this process. */
class Trainer<Example, Options extends StudyOptions> {
  private task: OpenStudyTask<Example> | undefined;

  constructor(
    private readonly domain: TaskLoader<Example, Options>,
    private readonly options: Options,
    private readonly dataRoot: string,
  ) {}

  async outcomeOf(run: StudyRun): Promise<Outcome> {
    try {
      return await this.train(run);
    } catch (error) {
      return { ok: false, message: error instanceof Error ? error.message : String(error) };
    }
  }

  private async train(run: StudyRun): Promise<Outcome> {
    const { method, configuration, seed, steps, batch, rates, evaluateEvery, phase } = run;
    const task = await this.open(run.task);
    const chosen = configuration === null ? (method as 'frozen') : { name: method, configuration };
    const host = await task.hostFor(chosen);
    const result = await trainPrompt({
      ...task[phase],
      ...host,
      method: chosen,
      seed,
      steps,
      batch,
      learningRates: rates,
      evaluateEvery,
    });
    return finishedOf(result, phase === 'final' ? { ...task.opened, ...host } : undefined);
  }

  private async open(name: string): Promise<OpenStudyTask<Example>> {
    if (this.task?.name === name) return this.task;
    if (this.task !== undefined) await releaseBackbones(this.task.opened);
    this.task = undefined;
    await selectBackend();
    const { domain, options, dataRoot } = this;
    const loaded = await domain.loadStudyTask(name, options, dataRoot);
    const { data } = loaded;
    const opened = { data, ...(await loaded.open()) };
    // Both phases have the same objects, so that no example is prepared twice.
    const shared = { metric: metrics[data.metric].score, augment: opened.augment };
    const { train, validation } = tuningSplit(data, options.holdout);
    this.task = {
      name,
      opened,
      hostFor: featureHosts(opened),
      tuning: { ...shared, train, validation },
      final: { ...shared, train: data.train, validation: data.validation },
    };
    return this.task;
  }
}

/** Trains what the parent process asks for; called once by the worker module of an application. */
export function serveStudy<Example, Options extends StudyOptions>(
  domain: TaskLoader<Example, Options>,
): void {
  serveRuns<{ opening: StudyOpening<Options>; run: KeyedRun; outcome: Outcome }>(({ options, dataRoot }) => {
    const trainer = new Trainer(domain, options, dataRoot);
    return ({ run }) => trainer.outcomeOf(run);
  });
}
