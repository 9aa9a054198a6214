import type {
  FeatureStatistics,
  GradientSet,
  LabelledBatch,
  ParameterSet,
  PlanChoices,
} from '@dynaprompt/core';

import type { LearningRates } from './options.js';

/** What a learner may know about the step at hand. */
export interface StepContext {
  /** Examples of one pass through the backbone. */
  readonly microBatch: number;
  /** 0 … steps − 1 */
  readonly step: number;
  readonly steps: number;
}

export interface LearnerStep {
  /** Mean cross-entropy over the batch, nats. */
  readonly loss: number;
  /** Gradients of the mean loss. */
  readonly gradients: GradientSet;
  /** Of the Gumbel-Softmax; absent where nothing was chosen. */
  readonly temperature: number | undefined;
}

export interface Prediction {
  /** [B, classes] */
  readonly logits: Float32Array;
  /** What a dynamic prompt decided; absent without one. */
  readonly choices: PlanChoices | undefined;
}

/** Something with parameters that the training loop can improve: a prompt with a head, or a head alone. */
export interface Learner<Example> {
  /** All trainable tensors; empty where there is nothing to train. */
  readonly parameters: ParameterSet;
  readonly promptParameters: ParameterSet;
  readonly headParameters: ParameterSet;
  /** Fixed standardisation of the features; part of what a tuned prompt is. */
  readonly featureStatistics: FeatureStatistics | undefined;
  rateOf(parameter: string): keyof LearningRates;
  step(batch: LabelledBatch<Example>, context: StepContext): Promise<LearnerStep>;
  predict(examples: readonly Example[]): Promise<Prediction>;
}
