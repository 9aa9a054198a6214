import { type MetricName, metrics } from '../metrics/metrics.js';
import { bootstrapInterval } from '../statistics/bootstrap.js';
import { mcNemarTest } from '../statistics/mcnemar.js';
import { holm, pairedPermutationTest } from '../statistics/significance.js';
import { confidenceInterval, summarize } from '../statistics/summary.js';
import { answersOf, creditOf, isRight, type RunPredictions } from './predictions.js';
import type { Comparisons, MethodComparison, MethodResult, RunResults } from './schema.js';

/** The method that others are compared with where it took part; else the first one. */
const USUAL_REFERENCE = 'fixed';
/** Draws of the tests. */
const SEED = 1;
/** Predictions that a bootstrap looks at; fewer resamples are drawn of larger splits. */
const MOST_LOOKS = 1e7;
const MOST_RESAMPLES = 2000;
const FEWEST_RESAMPLES = 100;
/** Metrics that are the mean of what examples earn. */
const MEANS: readonly MetricName[] = ['accuracy', 'vqa-accuracy', 'exact-match'];

/** A comparison whose p-values are not corrected yet. */
type Uncorrected = Omit<MethodComparison, 'overSeeds' | 'overExamples'> & {
  readonly seedsP: number | null;
  readonly examples: Pick<
    NonNullable<MethodComparison['overExamples']>,
    'test' | 'examples' | 'pValue'
  > | null;
};

/**
 * Tests every method against the fixed prompt, or the first method where there is none, in pairs: scores of the same seeds, answers
 * to the same examples. p-values are corrected over the methods (Holm). Undefined for a single method.
 *
 * @param predictions of all runs; without them only the scores of the seeds are compared.
 */
export function compareMethods(
  methods: RunResults['methods'],
  predictions: readonly RunPredictions[] = [],
): Comparisons | undefined {
  const [first, ...others] = Object.keys(methods);
  if (first === undefined || others.length === 0) return undefined;
  const reference = USUAL_REFERENCE in methods ? USUAL_REFERENCE : first;
  const compared = Object.keys(methods)
    .filter((name) => name !== reference)
    .flatMap((name) => pairOf(name, reference, methods, predictions));
  const seedsAdjusted = adjusted(compared.map(({ seedsP }) => seedsP));
  const examplesAdjusted = adjusted(compared.map(({ examples }) => examples?.pValue ?? null));
  return {
    reference,
    correction: 'Holm',
    methods: compared.map(({ seedsP, examples, ...rest }, index) => ({
      ...rest,
      overSeeds:
        seedsP === null
          ? null
          : { test: 'paired permutation', pValue: seedsP, adjusted: seedsAdjusted[index] ?? seedsP },
      overExamples: examples && { ...examples, adjusted: examplesAdjusted[index] ?? examples.pValue },
    })),
  };
}

/** Nothing where the two have no seed in common. */
function pairOf(
  method: string,
  reference: string,
  methods: RunResults['methods'],
  predictions: readonly RunPredictions[],
): readonly Uncorrected[] {
  const [one, other] = [methods[method], methods[reference]];
  const seeds = one?.seeds.filter((seed) => other?.seeds.includes(seed)) ?? [];
  if (one === undefined || other === undefined || seeds.length === 0) return [];
  const ours = finalOf(one, seeds);
  const theirs = finalOf(other, seeds);
  const differences = ours.map((score, index) => score - (theirs[index] ?? NaN));
  const pairs = pairedRuns(method, reference, seeds, predictions);
  return [
    {
      method,
      difference: summarize(differences).mean,
      interval: confidenceInterval(differences),
      seeds,
      seedsP: seeds.length < 2 ? null : pairedPermutationTest(ours, theirs, { seed: SEED }).pValue,
      examples: testExamples(pairs, seeds.length),
      bootstrap: bootstrapOf(pairs),
    },
  ];
}

function finalOf({ seeds, final }: MethodResult, wanted: readonly number[]): readonly number[] {
  return wanted.map((seed) => final[seeds.indexOf(seed)] ?? NaN);
}

/** The predictions of both methods with one seed on one task. */
interface PairedRuns {
  readonly task: string | undefined;
  readonly ours: RunPredictions;
  readonly theirs: RunPredictions;
}

/** Empty where predictions of any seed are missing, or are not of the same examples. */
function pairedRuns(
  method: string,
  reference: string,
  seeds: readonly number[],
  predictions: readonly RunPredictions[],
): readonly PairedRuns[] {
  const pairs = predictions
    .filter((ours) => ours.method === method && seeds.includes(ours.seed))
    .flatMap((ours) => {
      const theirs = predictions.find(
        (each) => each.method === reference && each.seed === ours.seed && each.task === ours.task,
      );
      return theirs !== undefined && idsOf(theirs) === idsOf(ours) ? [{ task: ours.task, ours, theirs }] : [];
    });
  const tasks = new Set(pairs.map(({ task }) => task)).size;
  return pairs.length === seeds.length * tasks ? pairs : [];
}

function idsOf({ examples }: RunPredictions): string {
  return JSON.stringify(examples.map(({ id }) => id));
}

/** Of the examples of all tasks together. */
function testExamples(pairs: readonly PairedRuns[], seeds: number): Uncorrected['examples'] {
  const isClassified = ({ ours }: PairedRuns) =>
    ours.examples.every(({ probabilities }) => probabilities !== null);
  if (pairs.length === 0 || !pairs.every(isClassified)) return null;
  const isAllOrNothing = pairs.every(({ ours }) => ours.examples.every(({ credit }) => credit === undefined));
  if (seeds === 1 && isAllOrNothing) {
    const right = (side: 'ours' | 'theirs') => pairs.flatMap((pair) => pair[side].examples.map(isRight));
    const ours = right('ours');
    return { test: 'McNemar mid-p', examples: ours.length, pValue: mcNemarTest(ours, right('theirs')).midP };
  }
  const ours = summedCredits(pairs, 'ours');
  const { pValue } = pairedPermutationTest(ours, summedCredits(pairs, 'theirs'), { seed: SEED });
  return { test: 'paired permutation', examples: ours.length, pValue };
}

/** What all seeds together earn, for every example of every task: the number of those that are right where that is all. */
function summedCredits(pairs: readonly PairedRuns[], side: 'ours' | 'theirs'): readonly number[] {
  const tasks = [...new Set(pairs.map(({ task }) => task))];
  return tasks.flatMap((task) => {
    const runs = pairs.filter((pair) => pair.task === task).map((pair) => pair[side].examples.map(creditOf));
    return (runs[0] ?? []).map((_, index) => exact(runs.reduce((sum, run) => sum + (run[index] ?? 0), 0)));
  });
}

/** Without what was added by rounding: sums of the same credits are the same in any order. */
function exact(sum: number): number {
  return Number(sum.toFixed(6));
}

/** Of the mean over the seeds of the difference of the scores; of one task only. */
function bootstrapOf(pairs: readonly PairedRuns[]): MethodComparison['bootstrap'] {
  const [first] = pairs;
  if (first === undefined || pairs.some(({ task }) => task !== first.task)) return null;
  const count = first.ours.examples.length;
  const difference = MEANS.includes(first.ours.metric) ? meanDifference(pairs) : scoreDifference(pairs);
  const drawn = Math.min(
    MOST_RESAMPLES,
    Math.max(FEWEST_RESAMPLES, Math.floor(MOST_LOOKS / (count * difference.looks))),
  );
  return {
    ...bootstrapInterval(count, difference.at, { seed: SEED, resamples: drawn }),
    resamples: drawn,
  };
}

/** A difference of scores on the examples at some indices. */
interface Difference {
  readonly at: (indices: Int32Array) => number;
  /** Passes over the indices that it takes. */
  readonly looks: number;
}

/** Such a score is a mean over the examples, and so is its difference. */
function meanDifference(pairs: readonly PairedRuns[]): Difference {
  const [ours, theirs] = [summedCredits(pairs, 'ours'), summedCredits(pairs, 'theirs')];
  const differences = Float64Array.from(
    ours,
    (count, index) => (count - (theirs[index] ?? 0)) / pairs.length,
  );
  const at = (indices: Int32Array) => {
    let sum = 0;
    for (const index of indices) sum += differences[index] ?? 0;
    return sum / indices.length;
  };
  return { at, looks: 1 };
}

/** Any score, taken of every run. */
function scoreDifference(pairs: readonly PairedRuns[]): Difference {
  const metric = pairs[0]?.ours.metric ?? 'accuracy';
  const runs = pairs.map(
    ({ ours, theirs }) => [answersOf(ours.examples), answersOf(theirs.examples)] as const,
  );
  const count = pairs[0]?.ours.examples.length ?? 0;
  const predicted = new Float64Array(count);
  const expected = new Float64Array(count);
  const credits = new Float64Array(count);
  const scoreAt = (answers: ReturnType<typeof answersOf>, indices: Int32Array) => {
    for (let place = 0; place < count; place += 1) {
      const index = indices[place] ?? 0;
      predicted[place] = answers.predicted[index] ?? NaN;
      expected[place] = answers.expected[index] ?? NaN;
      credits[place] = answers.credits[index] ?? NaN;
    }
    return metrics[metric].score(predicted, expected, credits);
  };
  return {
    at: (indices) =>
      runs.reduce((sum, [ours, theirs]) => sum + scoreAt(ours, indices) - scoreAt(theirs, indices), 0) /
      runs.length,
    looks: 2 * runs.length,
  };
}

/** Holm's correction of those that are there. */
function adjusted(pValues: readonly (number | null)[]): readonly (number | null)[] {
  const corrected = holm(pValues.filter((value) => value !== null));
  let next = 0;
  return pValues.map((value) => (value === null ? null : (corrected[next++] ?? value)));
}
