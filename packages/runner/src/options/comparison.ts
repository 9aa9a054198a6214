import type { EvaluationSplit } from '@dynaprompt/benchmarks';
import type { PromptConfigurationInput } from '@dynaprompt/core';
import {
  type LearningRates,
  optimiserDefaults,
  type OptimiserKind,
  type TaskSampling,
  type TrainingSettings,
  type TrainingSettingsInput,
  type WarmUp,
} from '@dynaprompt/training';

import type { ParallelOptions } from '../parallel/flags.js';

/** How classes are read off the frozen model: `linear` is a layer that is trained; other heads of applications have no parameters. */
export type HeadKind = string;

/** How parameters are changed; what is absent has the default of the optimiser. */
export type OptimiserFlags = Pick<
  TrainingSettingsInput,
  'optimiser' | 'schedule' | 'weightDecay' | 'clipNorm' | 'clipScope'
> & { readonly learningRates: LearningRates };

/** Draws examples where nothing says otherwise: the same ones for every seed, so that seeds can be compared. */
export const defaultDataSeed = 1;

/** Most tokens of a prompt where nothing says more. */
export const defaultSlots = 10;

/** What to compare, on what; applications add what only they know. */
export interface ComparisonOptions {
  /** Trained together where there are several: one prompt, a head for each. */
  readonly tasks: readonly string[];
  /** Folder, hub id, or name of a bundled model. */
  readonly backbone: string;
  readonly methods: readonly string[];
  readonly seeds: readonly number[];
  readonly steps: number;
  readonly batch: number;
  readonly accumulation: number;
  readonly evaluateEvery: number | undefined;
  /** Most training examples. */
  readonly limit: number | undefined;
  readonly validationLimit: number | undefined;
  /** Training examples of each class, with others to validate on. */
  readonly shots: number | undefined;
  /** Draws the examples that are kept, for all seeds of the runs. */
  readonly dataSeed: number;
  /** Split that scores are taken on. */
  readonly evaluation: EvaluationSplit;
  readonly training: OptimiserFlags;
  /** Which task a step belongs to, where there are several. */
  readonly sampling: TaskSampling;
  readonly slots: number;
  readonly head: HeadKind;
  /** Arithmetic of the backbone's large products. */
  readonly compute: 'float32' | 'int8';
  /** What is changed in the prompts of all methods that have one. */
  readonly prompt?: PromptConfigurationInput | undefined;
  /** What the prompts of all methods go on top of; default: nothing. */
  readonly basePrompt?: PromptConfigurationInput | undefined;
  /** What becomes of a step whose loss or gradient is not finite; default: it stops the run. */
  readonly nanPolicy?: NanPolicy | undefined;
  /** Default: every run takes all its steps. */
  readonly earlyStopping?: EarlyStoppingOptions | undefined;
}

/** Stop the run at a step that is not finite, or leave out its update. */
export const nanPolicies = ['stop', 'skip'] as const;

/** One of `nanPolicies`. */
export type NanPolicy = (typeof nanPolicies)[number];

/** When a run ends before its last step. */
export interface EarlyStoppingOptions {
  /** Evaluations in a row without a better score, 1 or more. */
  readonly patience: number;
  /** How much better a score has to be in order to count. */
  readonly minimumGain: number;
}

/** Where the outcome goes, and how the run is carried out. */
export interface OutputOptions {
  readonly output: string;
  /** Results as one JSON document on stdout. */
  readonly json: boolean;
  /** Write into a folder that holds other files, or over a run that was interrupted. */
  readonly force: boolean;
  /** Every event as a JSON object on a line of stdout. */
  readonly jsonEvents?: boolean | undefined;
  /** Go on from the checkpoints in the folder, where there are some. */
  readonly resume?: boolean | undefined;
  /** Optimiser steps from one checkpoint to the next. */
  readonly checkpointEvery?: number | undefined;
  /** Train in the process that shows how it goes, which shows nothing while the backbone works. */
  readonly inProcess?: boolean | undefined;
  /** Say what the runs would be and take; nothing is trained or written. */
  readonly dryRun?: boolean | undefined;
  /** Several processes that train each run together; absent: this one. */
  readonly parallel?: ParallelOptions;
}

/** The options of the outcome; `fallback` is the folder where none is named. */
export function outputOf(flags: Partial<OutputOptions>, fallback: string): OutputOptions {
  const { output = fallback, json = false, force = false } = flags;
  const { jsonEvents, resume, checkpointEvery, inProcess, dryRun } = flags;
  return { output, json, force, jsonEvents, resume, checkpointEvery, inProcess, dryRun };
}

/** Values of the optimiser's options, as commander hands them over. */
export interface OptimiserFlagValues {
  readonly optimizer: OptimiserKind;
  readonly schedule: TrainingSettings['schedule']['kind'];
  readonly warmUp: WarmUp;
  readonly weightDecay?: number;
  readonly clipNorm?: number | false;
  readonly clipScope?: TrainingSettings['clipScope'];
  readonly learningRate?: number;
  readonly networkLearningRate?: number;
  readonly headLearningRate?: number;
  readonly weightsLearningRate?: number;
}

/** Values of the options of `run` that every application has, as commander hands them over. */
export interface ComparisonFlags
  extends Omit<ComparisonOptions, 'tasks' | 'training' | 'sampling' | 'earlyStopping'>, OptimiserFlagValues {
  readonly task: readonly string[];
  readonly taskSampling: TaskSampling;
  readonly earlyStopping?: number | undefined;
  readonly minimumGain?: number | undefined;
}

/** Puts the flags of `run` together. */
export function comparisonOf(flags: ComparisonFlags): ComparisonOptions {
  return {
    tasks: flags.task,
    backbone: flags.backbone,
    methods: flags.methods,
    seeds: flags.seeds,
    steps: flags.steps,
    batch: flags.batch,
    accumulation: flags.accumulation,
    evaluateEvery: flags.evaluateEvery,
    limit: flags.limit,
    validationLimit: flags.validationLimit,
    shots: flags.shots,
    dataSeed: flags.dataSeed,
    evaluation: flags.evaluation,
    training: optimiserFlagsOf(flags),
    sampling: flags.taskSampling,
    slots: flags.slots,
    head: flags.head,
    compute: flags.compute,
    prompt: flags.prompt,
    nanPolicy: flags.nanPolicy,
    earlyStopping:
      flags.earlyStopping === undefined
        ? undefined
        : { patience: flags.earlyStopping, minimumGain: flags.minimumGain ?? 0 },
  };
}

function optimiserFlagsOf(flags: OptimiserFlagValues): OptimiserFlags {
  const { optimizer, schedule, warmUp, weightDecay, clipNorm, clipScope, learningRate } = flags;
  const defaults = optimiserDefaults[optimizer].learningRates;
  return {
    optimiser: { kind: optimizer },
    schedule: { kind: schedule, warmUp },
    learningRates: {
      prompt: learningRate ?? defaults.prompt,
      networks: flags.networkLearningRate ?? learningRate ?? defaults.networks,
      head: flags.headLearningRate ?? learningRate ?? defaults.head,
      weights: flags.weightsLearningRate ?? defaults.weights,
    },
    ...(weightDecay === undefined ? {} : { weightDecay }),
    ...(clipNorm === undefined ? {} : { clipNorm }),
    ...(clipScope === undefined ? {} : { clipScope }),
  };
}
