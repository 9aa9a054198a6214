import { readFile } from 'node:fs/promises';
import { DataError } from '@dynaprompt/core';
import { z } from 'zod';
import { type MetricName, metrics } from '../metrics/metrics.js';
import { packageName } from '../package-name.js';

/** A line of a file of predictions. */
const line = z.strictObject({
  id: z.string(),
  /** Right class or candidate by index, or the right number. */
  label: z.number(),
  /** Other right candidates; absent where there are none. */
  alsoRight: z.array(z.number()).readonly().optional(),
  /** What the prediction earns, 0 … 1; absent where it is just right or wrong. */
  credit: z.number().min(0).max(1).optional(),
  prediction: z.number(),
  /** Of every class or candidate; null where the answer is a number. */
  probabilities: z.array(z.number()).readonly().nullable(),
});

/** What was said of one example, beside what is right. */
export type ExamplePrediction = Readonly<z.infer<typeof line>>;

/** Predictions of one run on the validation examples of one task, after the last step. */
export interface RunPredictions {
  readonly method: string;
  readonly seed: number;
  /** Absent where there is one task only. */
  readonly task?: string;
  readonly metric: MetricName;
  readonly examples: readonly ExamplePrediction[];
}

/** An example as it was asked for. */
export interface AskedExample {
  readonly id: string;
  readonly label: number;
  readonly alsoRight?: readonly number[] | undefined;
  /** What answers earn, 0 … 1, where they are not just right or wrong; those that are missing earn nothing. */
  readonly credits?: ReadonlyMap<number, number> | undefined;
  /** The answer where it is a number. */
  readonly target?: number | undefined;
}

/** What a model said of examples, in their order. */
export interface SaidOfExamples {
  /** [N, classes]; of a number, the number itself. */
  readonly logits: ArrayLike<number> & {
    /** The elements from `begin` to before `end`. */
    subarray(begin: number, end: number): ArrayLike<number>;
  };
  /** [N] class, candidate or number. */
  readonly predictions: ArrayLike<number>;
}

/** Logits at and below this belong to candidates that an example does not have. */
const ABSENT = -1e8;
/** Digits that a number in single precision has. */
const DIGITS = 7;

/** Puts examples and what was said of them together; probabilities are the softmax of the logits. */
export function examplePredictions(
  examples: readonly AskedExample[],
  { logits, predictions }: SaidOfExamples,
): readonly ExamplePrediction[] {
  const classes = logits.length / examples.length;
  return examples.map(({ id, label, alsoRight = [], credits, target }, index) => {
    const said = predictions[index] ?? NaN;
    if (target !== undefined) return { id, label: target, prediction: rounded(said), probabilities: null };
    const row = Array.from(logits.subarray(index * classes, (index + 1) * classes));
    return {
      id,
      label,
      ...(alsoRight.length === 0 ? {} : { alsoRight: [...alsoRight] }),
      ...(credits && { credit: rounded(credits.get(said) ?? 0) }),
      prediction: said,
      probabilities: softmax(row.filter((logit) => logit > ABSENT)).map(rounded),
    };
  });
}

/** What the metrics take: answers, with a right one that was given in the place of another right one, and what they earn. */
export function answersOf(examples: readonly ExamplePrediction[]): {
  readonly predicted: Float64Array;
  readonly expected: Float64Array;
  readonly credits: Float64Array;
} {
  return {
    predicted: Float64Array.from(examples, ({ prediction }) => prediction),
    expected: Float64Array.from(examples, (example) =>
      isRight(example) ? example.prediction : example.label,
    ),
    credits: Float64Array.from(examples, creditOf),
  };
}

/** Score of predictions, such as those that {@link readPredictions} has read. */
export function scorePredictions(examples: readonly ExamplePrediction[], metric: MetricName): number {
  const { predicted, expected, credits } = answersOf(examples);
  return metrics[metric].score(predicted, expected, credits);
}

/** Whether a prediction is the right answer, or one of them, or earns at least half of what it could. */
export function isRight({ label, alsoRight = [], credit, prediction }: ExamplePrediction): boolean {
  return credit === undefined ? prediction === label || alsoRight.includes(prediction) : credit >= 0.5;
}

/** What a prediction earns: all or nothing, unless its example says more. */
export function creditOf(example: ExamplePrediction): number {
  return example.credit ?? Number(isRight(example));
}

/** One JSON object a line. */
export function predictionLines(examples: readonly ExamplePrediction[]): string {
  return examples.map((example) => `${JSON.stringify(example)}\n`).join('');
}

/** Reads a file of predictions that a run has written. @throws DataError naming file, line and what is wrong. */
export async function readPredictions(path: string): Promise<readonly ExamplePrediction[]> {
  const fault = (subject: string, problem: string, cause: unknown): DataError =>
    new DataError({
      packageName,
      subject,
      problem,
      remedy: 'Name a file of predictions/ beside the results.json of a run',
      cause,
    });
  const text = await readFile(path, 'utf8').catch((cause: unknown) => {
    throw fault(path, 'it cannot be read', cause);
  });
  return text
    .split('\n')
    .filter((each) => each !== '')
    .map((each, index) => {
      try {
        return line.parse(JSON.parse(each));
      } catch (cause) {
        throw fault(`${path}:${index + 1}`, 'this is no prediction', cause);
      }
    });
}

function softmax(logits: readonly number[]): readonly number[] {
  const largest = Math.max(...logits);
  const powers = logits.map((logit) => Math.exp(logit - largest));
  const sum = powers.reduce((total, power) => total + power, 0);
  return powers.map((power) => power / sum);
}

function rounded(value: number): number {
  return Number(value.toPrecision(DIGITS));
}
