import { type LabelledExample, metrics } from '@dynaprompt/benchmarks';
import { selectBackend } from '@dynaprompt/core';
import type { TextExample } from '@dynaprompt/text';
import { FeatureCache, type TaskData, type TrainingExample, trainPrompt } from '@dynaprompt/training';

import { openBackbone } from '../backbone.js';
import { headOf } from '../comparison.js';
import { loadStudyTask, tuningSplit } from './data.js';

import type { StudyOptions } from './options.js';
import type { KeyedRun, Outcome, StudyRun } from './run-plan.js';

/** What the parent sends: first how to open tasks, then runs, one at a time. */
export type WorkerRequest =
  | { readonly type: 'open'; readonly options: StudyOptions; readonly dataRoot: string }
  | { readonly type: 'run'; readonly run: KeyedRun };

/** What comes back for each run. */
export interface WorkerAnswer {
  readonly key: string;
  readonly outcome: Outcome;
}

/** A task with one backbone and one feature cache for all its runs. */
interface OpenStudyTask extends Record<StudyRun['phase'], TaskData<TextExample>> {
  readonly name: string;
}

/** Trains in this process. */
class Trainer {
  private task: OpenStudyTask | undefined;

  constructor(
    private readonly options: StudyOptions,
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
    const result = await trainPrompt({
      ...task[phase],
      method: configuration === null ? (method as 'frozen') : { name: method, configuration },
      seed,
      steps,
      batch,
      learningRates: rates,
      evaluateEvery,
    });
    const { final, best, bestStep, trainableParameters, seconds, validation, evaluation } = result;
    const { positions = null, lengths = null } = evaluation.usage ?? {};
    const numbers = { final, best, bestStep, trainableParameters, seconds };
    return { ok: true, ...numbers, validation, positions, lengths };
  }

  private async open(name: string): Promise<OpenStudyTask> {
    if (this.task?.name === name) return this.task;
    await this.task?.final.backbone.release();
    this.task = undefined;
    await selectBackend();
    const { options, dataRoot } = this;
    const { slots, backbone: location, holdout } = options;
    const data = await loadStudyTask(name, options, dataRoot);
    const backbone = await openBackbone(location, {
      head: headOf(options.head, data),
      slots,
      maxLength: options.maxLength ?? undefined,
      threads: 1,
    });
    // The same objects in both phases, so that nothing is tokenised twice.
    const examples = new Map(data.train.map((example) => [example, trainingExample(example)]));
    const of = (split: readonly LabelledExample[]): readonly TrainingExample<TextExample>[] =>
      split.map((example) => examples.get(example) ?? trainingExample(example));
    const shared = { backbone, features: new FeatureCache(backbone), metric: metrics[data.metric].score };
    const tuning = tuningSplit(data, holdout);
    this.task = {
      name,
      tuning: { ...shared, train: of(tuning.train), validation: of(tuning.validation) },
      final: { ...shared, train: of(data.train), validation: of(data.validation) },
    };
    return this.task;
  }
}

function trainingExample(example: LabelledExample): TrainingExample<TextExample> {
  return { id: example.id, example, label: example.label };
}

let trainer: Trainer | undefined;

process.on('message', (request: WorkerRequest) => {
  if (request.type === 'open') {
    trainer = new Trainer(request.options, request.dataRoot);
    return;
  }
  const { key, run } = request.run;
  void trainer?.outcomeOf(run).then((outcome) => {
    process.send?.({ key, outcome } satisfies WorkerAnswer);
  });
});

// The parent decides what Ctrl-C means; without a parent there is nobody to work for.
process.on('SIGINT', () => undefined);
process.on('disconnect', () => process.exit());
