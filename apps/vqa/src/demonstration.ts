import { defaultDataSeed } from '@dynaprompt/runner';

import { defaultLearningRates } from '@dynaprompt/training';

import type { VqaRunOptions } from './options.js';

/** What `demo` runs: scenes on mini-clip, scored on drawings that it has not seen. */
export const demonstration: VqaRunOptions = {
  tasks: ['scenes'],
  data: [],
  backbone: 'mini-clip',
  methods: ['linear-probe', 'fixed', 'dynamic'],
  seeds: [1, 2, 3],
  steps: 300,
  batch: 16,
  accumulation: 1,
  evaluateEvery: 60,
  limit: undefined,
  validationLimit: undefined,
  shots: undefined,
  dataSeed: defaultDataSeed,
  evaluation: 'test',
  badSamples: 'fail',
  dtype: 'fp32',
  training: { learningRates: defaultLearningRates },
  sampling: { kind: 'proportional' },
  slots: 10,
  head: 'linear',
  use: 'both',
  prompts: null,
  coupling: null,
  template: null,
  answers: 3129,
  scenes: 1200,
  compute: 'float32',
};

/** The same way in a few steps, to see that everything works; its scores mean nothing. */
export const shortDemonstration: VqaRunOptions = {
  ...demonstration,
  seeds: [1, 2],
  steps: 10,
  evaluateEvery: 10,
  validationLimit: 60,
  scenes: 200,
};
