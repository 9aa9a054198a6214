import type { ParameterSet } from '@dynaprompt/core';

import { FeatureCache } from '../features/features.js';
import type { TrainingMethod } from '../training/method.js';
import type { TrainingOptions } from '../training/options.js';
import type { ToyBackbone, ToyExample } from './toy-backbone.test.fixture.js';
import { accuracy, toyTask } from './toy-task.test.fixture.js';

export const train = toyTask(64, 1);
export const validation = toyTask(60, 2);
/** Overrides for a small prompt. */
export const small = { slots: 4 };

/** A run of 50 steps on the toy task. */
export function options(
  backbone: ToyBackbone,
  method: TrainingMethod,
  changes: Partial<TrainingOptions<ToyExample>> = {},
): TrainingOptions<ToyExample> {
  return {
    backbone,
    train,
    validation,
    method,
    metric: accuracy,
    seed: 1,
    steps: 50,
    learningRates: { prompt: 0.05, networks: 0.05, head: 0.05 },
    features: new FeatureCache(backbone, { folder: false }),
    ...changes,
  };
}

/** Values by name, to compare bit for bit. */
export function valuesOf(parameters: ParameterSet): Record<string, number[]> {
  return Object.fromEntries([...parameters].map(([name, { values }]) => [name, [...values]]));
}
