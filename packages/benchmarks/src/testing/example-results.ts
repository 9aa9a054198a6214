import { methodResult, type SeedRun } from '../results/method-result.js';
import type { RunResults } from '../results/schema.js';

/** Made-up results of two methods with two seeds and one method with a single seed. */
export function exampleResults(): RunResults {
  return {
    app: 'example',
    task: 'toy',
    backbone: 'mini-bert',
    metric: 'accuracy',
    data: {
      description: 'Made-up numbers.',
      license: 'CC0-1.0',
      source: 'this test',
      labels: ['no', 'yes'],
      train: 1200,
      validation: 300,
    },
    majority: { label: 'no', score: 0.55 },
    backboneDetails: { family: 'bert', revision: 'abc123', dtype: 'fp32', parameters: 5_364_480 },
    methods: {
      frozen: methodResult([run(1, [0.6, 0.7]), run(2, [0.62, 0.72])], 514),
      dynamic: methodResult([run(1, [0.7, 0.84]), run(2, [0.88, 0.86])], 20_514),
      single: methodResult([run(1, [0.5])], 7),
    },
    versions: { node: '20.0.0' },
    config: { steps: 20 },
    startedAt: '2026-01-02T03:04:05Z',
    seconds: 125,
  };
}

function run(seed: number, scores: readonly number[]): SeedRun {
  return {
    seed,
    loss: Array.from({ length: 20 }, (_, step) => ({ step: step + 1, value: 1 / (step + seed) })),
    validation: scores.map((value, index) => ({ step: (index + 1) * 10, value })),
    seconds: 12.5,
  };
}

/** The same with what the prompts of `dynamic` chose. */
export function resultsWithUsage(): RunResults {
  const results = exampleResults();
  const usage = [
    {
      positions: [30, 0, 10],
      lengths: null,
      pool: { topShare: [0.5, 0.5], meanWeight: [0.625, 0.375] },
    },
    {
      positions: [0, 0, 40],
      lengths: null,
      pool: { topShare: [1, 0], meanWeight: [0.875, 0.125] },
    },
  ];
  const runs = [run(1, [0.7, 0.84]), run(2, [0.88, 0.86])].map((each, index) => {
    return { ...each, usage: usage.slice(index, index + 1) };
  });
  return { ...results, methods: { ...results.methods, dynamic: methodResult(runs, 20_514) } };
}

/** Two tasks with different metrics, one prompt. */
export function multitaskResults(): RunResults {
  const task = { description: 'Made up.', labels: ['no', 'yes'], train: 100, validation: 40 };
  const runs = [1, 2].map((seed) => {
    return { ...run(seed, [0.7]), tasks: { mail: 0.8 + seed / 100, film: 0.6 - seed / 100 } };
  });
  return {
    ...exampleResults(),
    task: 'mail, film',
    metric: 'mean',
    tasks: {
      mail: { ...task, metric: 'accuracy', majority: { label: 'no', score: 0.55 } },
      film: { ...task, metric: 'matthews', majority: { label: 'yes', score: 0 } },
    },
    methods: { dynamic: methodResult(runs, 20_514) },
  };
}
