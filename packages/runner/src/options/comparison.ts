import type { EvaluationSplit } from '@dynaprompt/benchmarks';
import {
  type LearningRates,
  optimiserDefaults,
  type OptimiserKind,
  type TaskSampling,
  type TrainingSettings,
  type TrainingSettingsInput,
  type WarmUp,
} from '@dynaprompt/training';

/** How classes are read off the frozen model: `linear` is a layer that is trained; other heads of applications have no parameters. */
export type HeadKind = string;

/** How parameters are changed; what is absent has the default of the optimiser. */
export type OptimiserFlags = Pick<
  TrainingSettingsInput,
  'optimiser' | 'schedule' | 'weightDecay' | 'clipNorm' | 'clipScope'
> & { readonly learningRates: LearningRates };

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
  /** Split that scores are taken on. */
  readonly evaluation: EvaluationSplit;
  readonly training: OptimiserFlags;
  /** Which task a step belongs to, where there are several. */
  readonly sampling: TaskSampling;
  readonly slots: number;
  readonly head: HeadKind;
  /** Arithmetic of the backbone's large products. */
  readonly compute: 'float32' | 'int8';
}

/** Where the outcome goes. */
export interface OutputOptions {
  readonly output: string;
  /** Results as one JSON document on stdout. */
  readonly json: boolean;
  /** Write into a folder that holds other files. */
  readonly force: boolean;
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
  extends Omit<ComparisonOptions, 'tasks' | 'training' | 'sampling'>, OptimiserFlagValues {
  readonly task: readonly string[];
  readonly taskSampling: TaskSampling;
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
    evaluation: flags.evaluation,
    training: optimiserFlagsOf(flags),
    sampling: flags.taskSampling,
    slots: flags.slots,
    head: flags.head,
    compute: flags.compute,
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
