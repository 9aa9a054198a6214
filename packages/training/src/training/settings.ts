import { ConfigurationError, createSchedule, type Schedule, type ScheduleOptions } from '@dynaprompt/core';

import { packageName } from '../package-name.js';
import type { EarlyStopping } from './history.js';
import {
  createOptimiser,
  type LearningRates,
  optimiserDefaults,
  optimiserKinds,
  type OptimiserSettings,
} from './optimiser.js';

/** How long learning rates climb: a share of the steps, 0 ≤ share < 1, or a number of steps. */
export type WarmUp = number | { readonly steps: number };

/** Settings of a run, complete with defaults. Plain JSON. */
export interface TrainingSettings {
  /** Examples of one forward and backward pass. */
  readonly batch: number;
  /** Passes whose gradients make one optimiser step; a step sees batch × accumulation examples. */
  readonly accumulation: number;
  readonly optimiser: OptimiserSettings;
  readonly learningRates: LearningRates;
  readonly weightDecay: number;
  /** Largest norm of a gradient; `false`: gradients are taken as they are. */
  readonly clipNorm: number | false;
  /** Whose norm that is: each tensor's own, or that of all gradients together. */
  readonly clipScope: 'tensor' | 'all';
  /** Course of the learning rates; its length is that of the run. */
  readonly schedule: Pick<ScheduleOptions, 'kind' | 'final'> & { readonly warmUp: WarmUp };
  /** Steps between evaluations; the last step is always evaluated. */
  readonly evaluateEvery: number;
  /** Examples of one forward pass of an evaluation. */
  readonly evaluationBatch: number;
  /** Steps whose examples are sorted by length together before they are cut into batches; 1 turns that off. */
  readonly bucketWindow: number;
  /** Ends the run before its last step; absent: it takes all of them. */
  readonly earlyStopping?: EarlyStopping | undefined;
  /** What happens at a loss or gradient that is not finite: the run stops, or the step is left out. Never is there an update. */
  readonly nanPolicy: 'stop' | 'skip';
  /** Steps in a row that cannot be taken before `skip` gives up. */
  readonly nanLimit: number;
}

/** Settings as a caller gives them: whatever is left out has a default. */
export type TrainingSettingsInput = Partial<Omit<TrainingSettings, 'learningRates'>> & {
  /** Rates that are left out are the optimiser's defaults. */
  readonly learningRates?: Partial<LearningRates>;
};

/** The settings of a run, given ones before defaults. @throws ConfigurationError naming the setting that cannot be used. */
export function resolveSettings(
  options: TrainingSettingsInput & { readonly steps: number },
): TrainingSettings {
  const { steps } = options;
  requireCount('steps', steps);
  const optimiser = options.optimiser ?? { kind: 'adamw' };
  if (!optimiserKinds.includes(optimiser.kind)) {
    throw unusable('optimiser.kind', optimiser.kind, `Use one of ${optimiserKinds.join(', ')}`);
  }
  const defaults = optimiserDefaults[optimiser.kind];
  const settings: TrainingSettings = {
    batch: options.batch ?? 8,
    accumulation: options.accumulation ?? 1,
    optimiser,
    learningRates: { ...defaults.learningRates, ...options.learningRates },
    weightDecay: options.weightDecay ?? defaults.weightDecay,
    clipNorm: options.clipNorm ?? 1,
    clipScope: options.clipScope ?? 'tensor',
    schedule: options.schedule ?? { kind: 'linear', warmUp: 0.05 },
    evaluateEvery: options.evaluateEvery ?? Math.max(1, Math.ceil(steps / 5)),
    evaluationBatch: options.evaluationBatch ?? 32,
    bucketWindow: options.bucketWindow ?? 16,
    earlyStopping: options.earlyStopping,
    nanPolicy: options.nanPolicy ?? 'stop',
    nanLimit: options.nanLimit ?? 10,
  };
  for (const name of counts) requireCount(name, settings[name]);
  requireEarlyStopping(settings.earlyStopping);
  if (!['stop', 'skip'].includes(settings.nanPolicy)) {
    throw unusable('nanPolicy', settings.nanPolicy, 'Use stop or skip');
  }
  for (const [name, rate] of Object.entries(settings.learningRates) as [string, number][]) {
    if (!(Number.isFinite(rate) && rate >= 0))
      throw unusable(`learningRates.${name}`, rate, 'Give a number ≥ 0');
  }
  // Both complain of what they cannot use, before anything is computed.
  createOptimiser(optimiser, optimiserOptionsOf(settings));
  scheduleOf(settings, steps);
  return settings;
}

/** What all optimisers take of the settings; the base rate is that of heads. */
export function optimiserOptionsOf({
  learningRates,
  weightDecay,
  clipNorm,
  clipScope,
}: TrainingSettings): Parameters<typeof createOptimiser>[1] {
  return {
    learningRate: learningRates.head,
    weightDecay,
    clipNorm: clipNorm === false ? undefined : clipNorm,
    clipScope,
  };
}

/** Factor of the learning rates by step. @throws ConfigurationError when the warm-up does not fit into the run. */
export function scheduleOf({ schedule }: TrainingSettings, steps: number): Schedule {
  const { kind, warmUp } = schedule;
  if (typeof warmUp === 'number' && !(warmUp >= 0 && warmUp < 1))
    throw unusable('schedule.warmUp', warmUp, 'Give a share of the steps, 0 ≤ share < 1');
  const climb = typeof warmUp === 'number' ? Math.floor(warmUp * steps) : warmUp.steps;
  if (!(Number.isSafeInteger(climb) && climb >= 0 && climb < steps))
    throw unusable('schedule.warmUp.steps', climb, `Give a whole number below the ${steps} steps of the run`);
  return createSchedule({ kind, final: schedule.final, warmUp: climb, steps });
}

const counts = [
  'batch',
  'accumulation',
  'evaluateEvery',
  'evaluationBatch',
  'bucketWindow',
  'nanLimit',
] as const satisfies readonly (keyof TrainingSettings)[];

function requireEarlyStopping(earlyStopping: EarlyStopping | undefined): void {
  if (earlyStopping === undefined) return;
  const { patience, minimumGain = 0 } = earlyStopping;
  requireCount('earlyStopping.patience', patience);
  if (!(Number.isFinite(minimumGain) && minimumGain >= 0)) {
    throw unusable('earlyStopping.minimumGain', minimumGain, 'Give a number ≥ 0');
  }
}

function requireCount(name: string, value: number): void {
  if (!Number.isSafeInteger(value) || value < 1)
    throw unusable(name, value, 'Give a whole number of 1 or more');
}

function unusable(name: string, value: number | string, remedy: string): ConfigurationError {
  return new ConfigurationError({ packageName, subject: name, problem: `${value} cannot be used`, remedy });
}
