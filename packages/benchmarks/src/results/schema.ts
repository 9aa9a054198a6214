import { DataError } from '@dynaprompt/core';
import { z } from 'zod';
import { metricNames } from '../metrics/metrics.js';
import { packageName } from '../package-name.js';

const count = z.number().int().nonnegative();

const interval = z.strictObject({ level: z.number(), low: z.number(), high: z.number() });

/** A value at a training step. */
const point = z.strictObject({ step: count, value: z.number() });

/** How one run with one seed went. */
const curve = z.strictObject({
  seed: z.number().int(),
  /** Training loss, nats. */
  loss: z.array(point).readonly(),
  /** Score on the validation split. */
  validation: z.array(point).readonly(),
});

/** What a dynamic prompt chose on the validation split after the last step, one for each seed and task. */
const usage = z.strictObject({
  seed: z.number().int(),
  /** Absent where there is one task only. */
  task: z.string().optional(),
  /** Examples for which each position candidate was chosen; null where the position is not learned. */
  positions: z.array(count).readonly().nullable(),
  /** Examples for which each length, 0 … l, was chosen; null where the length is not learned. */
  lengths: z.array(count).readonly().nullable(),
  /** Use of each entry of a pool: share of the examples that it has the largest weight for, and its mean weight. */
  pool: z
    .strictObject({ topShare: z.array(z.number()).readonly(), meanWeight: z.array(z.number()).readonly() })
    .nullable(),
});

/** What answers without a model score, or the most that any could. */
const baseline = z.strictObject({
  score: z.number(),
  /** The same measures as those of methods, by name. */
  measures: z.record(z.string(), z.number()),
});

/** The same after an evaluation in the course of training. */
const usagePoint = usage.extend({ step: count });

/** A step without an update, because something in it was not finite. */
const skippedStep = z.strictObject({
  seed: z.number().int(),
  step: count,
  /** `the loss` or `the gradient of …` */
  quantity: z.string(),
  exampleIds: z.array(z.string()).readonly(),
});

/** One task's part in the scores of a method that was trained on several. */
const taskScores = z.strictObject({
  final: z.array(z.number()).min(1).readonly(),
  mean: z.number(),
  std: z.number().nonnegative().nullable(),
});

/** A task of a run on several. */
const taskDetails = z.strictObject({
  metric: z.enum(metricNames),
  description: z.string(),
  labels: z.array(z.string()).readonly(),
  train: count,
  validation: count,
  majority: z.strictObject({ label: z.string(), score: z.number() }),
});

const method = z.strictObject({
  seeds: z.array(z.number().int()).min(1).readonly(),
  /** Validation score after the last step, one for each seed. */
  final: z.array(z.number()).min(1).readonly(),
  /** Best validation score of the run, one for each seed. It is picked on the validation split, so it flatters. */
  best: z.array(z.number()).min(1).readonly(),
  /** Mean of `final`. */
  mean: z.number(),
  /** Sample standard deviation (n − 1) of `final`; null for one seed. */
  std: z.number().nonnegative().nullable(),
  /** Student's interval for the mean of `final`; null for one seed. */
  confidence: interval.nullable(),
  trainableParameters: count,
  /** Wall-clock seconds, one for each seed. */
  seconds: z.array(z.number().nonnegative()).readonly(),
  curves: z.array(curve).readonly(),
  /** Absent where nothing is chosen. */
  usage: z.array(usage).readonly().optional(),
  /** After every evaluation, in the order of the steps; absent where nothing is chosen or it was not recorded. */
  usageOverTraining: z.array(usagePoint).readonly().optional(),
  /** Absent where every step was taken. */
  skipped: z.array(skippedStep).readonly().optional(),
  /** [true class][predicted class], counts on the validation split after the last step, summed over the seeds. */
  confusion: z.array(z.array(count).readonly()).readonly().optional(),
  /** Share of each class's examples that are right, over all seeds; null for a class without examples. */
  perClass: z.array(z.number().nullable()).readonly().optional(),
  /** Measures beside the score after the last step, each with a value for each seed. */
  measures: z.record(z.string(), z.array(z.number()).readonly()).optional(),
  /** By task, where there are several; the scores above are then means over the tasks. */
  tasks: z.record(z.string(), taskScores).optional(),
});

const probability = z.number().min(0).max(1);

/** One method against the reference, on the same seeds and the same examples. */
const comparison = z.strictObject({
  method: z.string(),
  /** Mean over the seeds of the method's last score − that of the reference. */
  difference: z.number(),
  /** Student's interval for it, of the differences of the seeds; null for one seed. */
  interval: interval.nullable(),
  /** Seeds that both have. */
  seeds: z.array(z.number().int()).readonly(),
  /** Whether other seeds would show the same; null for one seed. */
  overSeeds: z
    .strictObject({ test: z.literal('paired permutation'), pValue: probability, adjusted: probability })
    .nullable(),
  /** Whether other examples would show the same; null without predictions, or where the answers are numbers. */
  overExamples: z
    .strictObject({
      /** Mid-p of the predictions of one seed; of several seeds, or where answers earn shares, the permutation test on what seeds earn. */
      test: z.enum(['McNemar mid-p', 'paired permutation']),
      examples: count,
      pValue: probability,
      adjusted: probability,
    })
    .nullable(),
  /** Percentile bootstrap over the examples of the difference; null without predictions, or of several tasks. */
  bootstrap: interval.extend({ resamples: count }).nullable(),
});

/** Paired tests of every method against one, two-sided; `adjusted` is Holm's correction over the methods. */
const comparisons = z.strictObject({
  reference: z.string(),
  correction: z.literal('Holm'),
  methods: z.array(comparison).readonly(),
});

/** Shape of `results.json`. */
export const runResultsSchema = z.strictObject({
  app: z.string(),
  task: z.string(),
  /** Folder name or hub id of the frozen model. */
  backbone: z.string(),
  /** `mean`: several tasks that have different metrics. */
  metric: z.enum([...metricNames, 'mean']),
  data: z.strictObject({
    description: z.string(),
    license: z.string(),
    source: z.string(),
    /** What has to be said wherever the data are shown; absent where nothing has to be. */
    attribution: z.string().optional(),
    labels: z.array(z.string()).readonly(),
    train: count,
    validation: count,
    /** Bad rows of the files that were left out, the first few by name; absent where there were none. */
    skipped: z.strictObject({ count, first: z.array(z.string()).readonly() }).optional(),
  }),
  /** Always saying the most frequent training class. */
  majority: z.strictObject({ label: z.string(), score: z.number() }),
  /** Answers to compare with, by what they are; tables show them in place of `majority`, which is one of them. Absent where there are none. */
  baselines: z.record(z.string(), baseline).optional(),
  backboneDetails: z.strictObject({
    family: z.string(),
    /** Content hash of the model's files. */
    revision: z.string(),
    /** Commit of the Hugging Face repository; absent for a local folder. */
    commit: z.string().optional(),
    dtype: z.string(),
    parameters: count,
  }),
  /** By name, where there are several; `data` and `majority` then sum them up. */
  tasks: z.record(z.string(), taskDetails).optional(),
  methods: z.record(z.string(), method),
  /** Absent for a single method. */
  comparisons: comparisons.optional(),
  /** Versions of what took part, e.g. `node`, `onnxruntime-node`. */
  versions: z.record(z.string(), z.string()),
  /** The resolved configuration of the run. */
  config: z.record(z.string(), z.unknown()),
  /** ISO 8601, when the run began. */
  startedAt: z.iso.datetime(),
  /** Wall-clock seconds of the whole run. */
  seconds: z.number().nonnegative(),
});

/** What `results.json` holds. */
export type RunResults = Readonly<z.infer<typeof runResultsSchema>>;

/** Answers that methods are compared with, by what they are. */
export type Baselines = NonNullable<RunResults['baselines']>;

/** One method's part of {@link RunResults}. */
export type MethodResult = Readonly<z.infer<typeof method>>;

/** Name of a metric, or `mean` of several. */
export type ScoreName = RunResults['metric'];

/** What the prompts of a method chose, in a {@link MethodResult}. */
export type UsageResult = Readonly<z.infer<typeof usage>>;

/** The same in the course of training. */
export type UsagePoint = Readonly<z.infer<typeof usagePoint>>;

/** A step that was left out, in a {@link MethodResult}. */
export type SkippedStepResult = Readonly<z.infer<typeof skippedStep>>;

/** Paired tests of the methods of {@link RunResults}. */
export type Comparisons = Readonly<z.infer<typeof comparisons>>;

/** One method's part of {@link Comparisons}. */
export type MethodComparison = Readonly<z.infer<typeof comparison>>;

/** One seed's learning curve in a {@link MethodResult}. */
export type LearningCurve = Readonly<z.infer<typeof curve>>;

/** A value at a training step. */
export type CurvePoint = Readonly<z.infer<typeof point>>;

/** Checks that a value has the shape of `results.json`; throws a `DataError` that names `subject` and the field at fault. */
export function parseResults(value: unknown, subject: string): RunResults {
  const parsed = runResultsSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const field = issue === undefined || issue.path.length === 0 ? 'the whole' : issue.path.join('.');
  throw new DataError({
    packageName,
    subject,
    problem: `${field}: ${issue?.message ?? 'does not fit'}`,
    remedy: 'Compare it with the schema in the README of @dynaprompt/benchmarks',
    cause: parsed.error,
  });
}
