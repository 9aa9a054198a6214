import { defaultDataSeed } from '@dynaprompt/runner';

import { defaultLearningRates } from '@dynaprompt/training';

import { defaultChoice } from './clip/choice.js';
import type { ImageOptions } from './options.js';

/** What `demo` runs: groups of OpenMoji on mini-clip, scored on the pictures that it has not seen. */
export const demonstration: ImageOptions = {
  ...defaultChoice,
  tasks: ['openmoji'],
  data: [],
  backbone: 'mini-clip',
  methods: ['frozen', 'fixed', 'dynamic'],
  seeds: [1, 2, 3],
  steps: 100,
  batch: 16,
  accumulation: 1,
  evaluateEvery: 25,
  limit: undefined,
  validationLimit: undefined,
  shots: undefined,
  dataSeed: defaultDataSeed,
  split: 'full',
  evaluation: 'test',
  augment: 'none',
  badSamples: 'fail',
  labelColumn: undefined,
  metric: 'accuracy',
  classes: 'groups',
  dtype: 'fp32',
  training: { learningRates: defaultLearningRates },
  sampling: { kind: 'proportional' },
  slots: 10,
  head: 'linear',
  compute: 'float32',
};

/** The same way in a few steps, to see that everything works; its scores mean nothing. */
export const shortDemonstration: ImageOptions = {
  ...demonstration,
  seeds: [1, 2],
  steps: 10,
  evaluateEvery: 10,
  limit: 100,
  validationLimit: 60,
};
