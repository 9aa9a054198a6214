import type { FrozenBackbone, ParameterSet } from '@dynaprompt/core';

import type { Learner, LearnerStep, Prediction } from './learner.js';

/** The frozen backbone under a head without parameters: nothing to train, only to predict. */
export class ZeroShotLearner<Example> implements Learner<Example> {
  readonly parameters: ParameterSet = new Map();
  readonly headParameters = this.parameters;
  readonly featureStatistics = undefined;
  readonly choiceSpace = undefined;

  constructor(private readonly backbone: FrozenBackbone<Example>) {}

  rateOf(): 'head' {
    return 'head';
  }

  step(): Promise<LearnerStep> {
    return Promise.resolve({ loss: 0, penalty: 0, gradients: new Map(), temperature: undefined });
  }

  async predict(examples: readonly Example[]): Promise<Prediction> {
    return {
      logits: await this.backbone.predict(examples, undefined, this.headParameters),
      choices: undefined,
    };
  }
}
