import { defaultDataSeed } from '@dynaprompt/runner';

import { defaultLearningRates } from '@dynaprompt/training';

import type { GlueOptions } from './options.js';

/** What `demo` runs: bundled data on a bundled backbone, in a few minutes on two cores. */
export const demonstration: GlueOptions = {
  tasks: ['spam-assassin'],
  data: [],
  columns: undefined,
  backbone: 'mini-bert',
  methods: ['frozen', 'fixed', 'dynamic'],
  seeds: [1, 2, 3],
  steps: 300,
  batch: 16,
  accumulation: 1,
  evaluateEvery: 60,
  limit: undefined,
  validationLimit: undefined,
  shots: undefined,
  dataSeed: defaultDataSeed,
  evaluation: 'validation',
  badRows: 'fail',
  training: { learningRates: defaultLearningRates },
  sampling: { kind: 'proportional' },
  slots: 10,
  maxLength: 32,
  head: 'linear',
  compute: 'float32',
};

/** The same way in a few steps, to see that everything works; its scores mean nothing. */
export const shortDemonstration: GlueOptions = {
  ...demonstration,
  seeds: [1, 2],
  steps: 10,
  evaluateEvery: 10,
  limit: 200,
  validationLimit: 100,
};
