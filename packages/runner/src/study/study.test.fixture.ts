import type { StudyOptions } from './options.js';
import type { Finished, TaskIdentity } from './run-plan.js';

/** A small study: two settings, two tuning seeds, three seeds. */
export const exampleOptions: StudyOptions = {
  tasks: ['sst2'],
  methods: ['fixed'],
  seeds: [1, 2, 3],
  tuningSeeds: [101, 102],
  backbone: 'mini-bert',
  head: 'linear',
  steps: 5,
  batch: 16,
  slots: 4,
  limit: 64,
  validationLimit: null,
  dataSeed: 1,
  holdout: 0.25,
  evaluateEvery: 2,
  rates: {
    prompt: [0.005, 0.01],
    networks: [
      { prompt: 0.005, ratio: 1 },
      { prompt: 0.005, ratio: 0.1 },
    ],
    head: [0.01, 0.1],
    weights: [1e-4, 1e-3],
  },
  penalties: null,
  folders: {},
};

export const exampleTask: TaskIdentity = {
  task: 'sst2',
  data: 'data',
  backbone: 'model',
  versions: { tfjs: '4' },
  details: { maxLength: null },
};

/** A run that went well. */
export function finished(changes: Partial<Finished>): Finished {
  return {
    ok: true,
    final: 0.5,
    best: 0.6,
    bestStep: 4,
    trainableParameters: 1024,
    seconds: 2,
    validation: [],
    positions: null,
    lengths: null,
    ...changes,
  };
}
