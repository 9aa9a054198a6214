import {
  compareMethods,
  type Inspection,
  methodResult,
  type RunPredictions,
  type RunResults,
} from '@dynaprompt/benchmarks';
import { stream } from '@dynaprompt/core';

/** A face on blue, 32 × 32. */
const PICTURE =
  'data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAACAAAAAgCAIAAAD8GO2jAAAAeUlEQVR42mOwyVtFU8QwagG1LPiwzwYNUccCTHNJtYmBQtMJ2sFAuen47WCgiul47GCglum47GCgoulY7SBggYacCARhGoRLakAtIN4U/FIkWEB5NIxaMMgsGICMNgQtoHlhR4/imh4VDj2qTHpU+vRotow2HelgAQASQTq72qVP6AAAAABJRU5ErkJggg==';
const STEPS = 400;
const EVALUATIONS = 16;
const EXAMPLES = 200;
const SLOTS = 10;
const LABELS = ['negative', 'neutral', 'positive'];

/** Made-up results with everything that a report can show, and examples of both kinds for its inspector. */
export function exampleRun(): { readonly results: RunResults; readonly inspections: readonly Inspection[] } {
  const accuracies = { frozen: 0.61, fixed: 0.68, dynamic: 0.79 };
  const predictions = Object.entries(accuracies).flatMap(([method, accuracy]) =>
    [1, 2, 3].map((seed) => predictionsOf(method, seed, accuracy)),
  );
  const methods = Object.fromEntries(
    Object.entries(accuracies).map(([method, accuracy]) => {
      const runs = [1, 2, 3].map((seed) => runOf(method, seed, accuracy, predictions));
      return [method, methodResult(runs, method === 'frozen' ? 514 : 21_000)];
    }),
  );
  const comparisons = compareMethods(methods, predictions);
  return {
    results: {
      app: 'example',
      task: 'made-up',
      backbone: 'mini-bert',
      metric: 'accuracy',
      data: {
        description: 'Made-up numbers, to look at a report.',
        license: 'CC0-1.0',
        source: 'this tool',
        labels: LABELS,
        train: 1200,
        validation: EXAMPLES,
      },
      majority: { label: 'neutral', score: 0.4 },
      backboneDetails: { family: 'bert', revision: 'abc123', dtype: 'fp32', parameters: 5_364_480 },
      methods,
      ...(comparisons && { comparisons }),
      versions: { node: '20.0.0' },
      config: { steps: STEPS },
      startedAt: '2026-01-02T03:04:05.000Z',
      seconds: 125,
    },
    inspections: [...textInspections(), ...pictureInspections()],
  };
}

function predictionsOf(method: string, seed: number, accuracy: number): RunPredictions {
  const random = stream(seed, `predictions of ${method}`);
  const examples = Array.from({ length: EXAMPLES }, (_, index) => {
    const label = index % LABELS.length;
    const prediction = random.uniform() < accuracy ? label : (label + 1) % LABELS.length;
    return { id: `example-${index}`, label, prediction, probabilities: LABELS.map(() => 1 / LABELS.length) };
  });
  return { method, seed, metric: 'accuracy', examples };
}

function runOf(
  method: string,
  seed: number,
  accuracy: number,
  predictions: readonly RunPredictions[],
): Parameters<typeof methodResult>[0][number] {
  const random = stream(seed, `curves of ${method}`);
  const own = predictions.find((each) => each.method === method && each.seed === seed)?.examples ?? [];
  const evaluations = Array.from({ length: EVALUATIONS }, (_, index) => ((index + 1) * STEPS) / EVALUATIONS);
  const final = own.filter(({ label, prediction }) => label === prediction).length / EXAMPLES;
  const confusion = LABELS.map((_, label) =>
    LABELS.map((__, said) => own.filter((each) => each.label === label && each.prediction === said).length),
  );
  const points = method === 'dynamic' ? evaluations.map((step) => usageAt(step)) : [];
  const last = points.at(-1);
  return {
    seed,
    seconds: 12.5,
    loss: Array.from({ length: STEPS }, (_, step) => ({
      step: step + 1,
      value: 1.1 * Math.exp(-step / 150) + 0.3 + 0.1 * random.uniform(),
    })),
    validation: evaluations.map((step) => ({
      step,
      value:
        step === STEPS
          ? final
          : 0.4 + (accuracy - 0.4) * (1 - Math.exp(-step / 90)) + 0.02 * random.uniform(),
    })),
    confusion,
    measures: { 'expected calibration error': 0.03 + 0.02 * random.uniform() },
    ...(last === undefined ? {} : { usage: [choicesOf(last)], usageOverTraining: points }),
  };
}

type UsagePoint = NonNullable<Parameters<typeof methodResult>[0][number]['usageOverTraining']>[number];

/** Choices that settle in the course of training. */
function usageAt(step: number): UsagePoint {
  const progress = step / STEPS;
  const bell = (count: number, centre: number, width: number): number[] => {
    const heights = Array.from({ length: count }, (_, place) => Math.exp(-(((place - centre) / width) ** 2)));
    const total = heights.reduce((sum, height) => sum + height, 0);
    return heights.map((height) => Math.round((EXAMPLES * height) / total));
  };
  return {
    step,
    positions: bell(SLOTS + 1, 5 + 4 * progress, 4 - 3 * progress),
    lengths: bell(SLOTS + 1, 10 - 4 * progress, 3 - 1.5 * progress),
    pool: { topShare: [0.5, 0.3, 0.15, 0.05], meanWeight: [0.4, 0.3, 0.2, 0.1] },
  };
}

function choicesOf({ positions, lengths, pool }: UsagePoint): Omit<UsagePoint, 'step'> {
  return { positions, lengths, pool };
}

function textInspections(): readonly Inspection[] {
  const texts = [
    'a fine film that takes its time',
    'nothing here is new, and little of it is good',
    'two people talk in a kitchen <b>for an hour</b> & a half',
  ];
  return texts.map((text, index): Inspection => {
    const front = 3 * index;
    const length = 7 - index;
    const token = (slot: number) => ({ prompt: slot + 1 });
    return {
      method: 'dynamic',
      seed: 1,
      id: `example-${index}`,
      label: LABELS[2 - index] ?? '',
      prediction: LABELS[index === 1 ? 0 : 2 - index] ?? '',
      isRight: index !== 1,
      probabilities: LABELS.map((name, place) => [name, [0.1, 0.2, 0.7][place] ?? 0]),
      input: { kind: 'text', text },
      prompt: {
        slots: SLOTS,
        length,
        layers: 1,
        position: { mode: 'split', candidates: SLOTS + 1, choice: front },
        weights: [0.62, 0.25, 0.1, 0.03],
      },
      sequence: [
        '[CLS]',
        ...Array.from({ length: Math.min(front, length) }, (_, slot) => token(slot)),
        ...text.split(' '),
        ...Array.from({ length: Math.max(0, length - front) }, (_, slot) => token(front + slot)),
        '[SEP]',
      ],
    };
  });
}

function pictureInspections(): readonly Inspection[] {
  return [0, 17, 49].map((before, index): Inspection => {
    const tokens = [1, 2, 3, 4].map((prompt) => ({ prompt }));
    const patches = (first: number, count: number) =>
      count === 0 ? [] : [{ patches: [first, count] as [number, number] }];
    return {
      method: 'dynamic',
      seed: 1,
      id: `smile-${index}.png`,
      label: 'positive',
      prediction: index === 2 ? 'neutral' : 'positive',
      isRight: index !== 2,
      probabilities: LABELS.map((name, place) => [name, [0.05, 0.35, 0.6][place] ?? 0]),
      input: { kind: 'picture', rows: 7, columns: 7, thumbnail: PICTURE },
      prompt: {
        slots: 4,
        length: 4,
        layers: 1,
        position: { mode: 'insert', candidates: 50, choice: before },
        weights: null,
      },
      sequence: ['[CLS]', ...patches(0, before), ...tokens, ...patches(before, 49 - before)],
    };
  });
}
