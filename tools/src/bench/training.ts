import { selectBackend, type FrozenBackbone, type PresetName } from '@dynaprompt/core';
import type { TextExample } from '@dynaprompt/text';
import { methodNamed, trainPrompt, type TaskData } from '@dynaprompt/training';
import { openDemonstration } from './demonstration.js';
import { machine, round } from './measure.js';
import { StageClock, type StageTimes } from './stage-clock.js';

export interface TrainingOptions {
  /** Optimiser steps of every run. */
  readonly steps: number;
  /** Examples of a step; a run for each. */
  readonly batches: readonly number[];
  readonly slots: number;
  /** Most tokens of a text, prompt not counted. */
  readonly tokens: number;
  /** Training examples of the bundled task. */
  readonly examples: number;
}

/** Trained and timed. */
const METHODS = ['fixed', 'dynamic'] as const satisfies readonly PresetName[];
/** Steps that do not count: the first loads the session. */
const WARM_UP = 3;

/**
 * Trains the bundled backbone on the bundled task and says where the time of a step goes. `tokenising` is done before the first
 * step, each example once and then sorted by length into batches; it is divided among the steps.
 */
export async function benchTraining(options: TrainingOptions): Promise<unknown> {
  const { steps, batches, slots, tokens, examples } = options;
  const backend = await selectBackend();
  const runs = [];
  let loadingMilliseconds = 0;
  for (const batch of batches) {
    for (const method of METHODS) {
      // Opened anew: what one run has tokenised would be free for the next.
      const setting = { slots, maximumTokens: tokens, train: examples, validation: 128 };
      const demonstration = await openDemonstration(setting);
      loadingMilliseconds ||= demonstration.loadingMilliseconds;
      try {
        runs.push(await timedRun(demonstration.task, method, { steps, batch, slots }));
      } finally {
        await demonstration.release();
      }
    }
  }
  return {
    benchmark: 'training',
    backbone: 'mini-bert',
    task: 'spam-assassin',
    tfjs: backend.name,
    steps,
    slots,
    tokens,
    loadingMilliseconds: round(loadingMilliseconds, 1),
    runs,
    machine: machine(),
  };
}

async function timedRun(
  task: TaskData<TextExample>,
  method: PresetName,
  { steps, batch, slots }: { readonly steps: number; readonly batch: number; readonly slots: number },
): Promise<unknown> {
  const padding = new PaddingCount(task.backbone);
  const clock = new StageClock();
  const laps: StageTimes[] = [];
  let before: StageTimes | undefined;
  let evaluation: StageTimes | undefined;
  try {
    await trainPrompt({
      ...task,
      backbone: padding.backbone,
      method: methodNamed(method, { slots }),
      seed: 1,
      steps,
      batch,
      evaluateEvery: steps,
      events: ({ type }) => {
        // Features, where a method reads them, are computed once for all runs, and are no part of a step.
        if (type === 'features' || type === 'started') {
          const lap = clock.lap();
          before ??= lap;
        }
        if (type === 'step') laps.push(clock.lap());
        if (type === 'evaluated') evaluation = clock.lap();
      },
    });
  } finally {
    clock.stop();
  }
  const counted = laps.slice(Math.min(WARM_UP, laps.length - 1));
  const mean = (part: keyof StageTimes): number =>
    counted.reduce((sum, lap) => sum + lap[part], 0) / counted.length;
  const tokenising = (before?.data ?? 0) / steps;
  const total = mean('total') + tokenising;
  const milliseconds = {
    tokenising,
    batching: mean('data'),
    networks: mean('networks'),
    session: mean('session'),
    optimiser: mean('optimiser'),
    rest: mean('rest'),
  };
  return {
    method,
    batch,
    padding: round(padding.share),
    milliseconds: { step: round(total), ...mapped(milliseconds, (value) => value) },
    shares: {
      data: round((tokenising + milliseconds.batching) / total, 4),
      ...mapped(milliseconds, (value) => value / total),
    },
    evaluation: {
      examples: task.validation.length,
      milliseconds: mapped(evaluation ?? {}, (value) => value),
      dataShare: round((evaluation?.data ?? 0) / (evaluation?.total ?? 1), 4),
    },
  };
}

/** Counts padding tokens of the batches that a backbone differentiates. */
class PaddingCount {
  #own = 0;
  #padded = 0;
  readonly backbone: FrozenBackbone<TextExample>;

  constructor(backbone: FrozenBackbone<TextExample>) {
    this.backbone = {
      ...backbone,
      differentiate: (batch, ...rest) => {
        const lengths = batch.examples.map((example) => backbone.lengthOf(example));
        this.#own += lengths.reduce((sum, length) => sum + length, 0);
        this.#padded += Math.max(...lengths) * lengths.length;
        return backbone.differentiate(batch, ...rest);
      },
    };
  }

  /** Of the tokens that the model reads, prompts aside. */
  get share(): number {
    return 1 - this.#own / this.#padded;
  }
}

function mapped(
  values: Readonly<Record<string, number>>,
  of: (value: number) => number,
): Readonly<Record<string, number>> {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, round(of(value), 4)]));
}
