import type {
  FeatureStatistics,
  GradientSet,
  LabelledBatch,
  ParameterSet,
  PlanChoices,
  RandomStreamState,
} from '@dynaprompt/core';

import type { LearningRates } from './optimiser.js';

/** What a learner may know about the step at hand. */
export interface StepContext {
  /** Examples of one pass through the backbone. */
  readonly microBatch: number;
  /** 0 … steps − 1 */
  readonly step: number;
  readonly steps: number;
}

export interface LearnerStep {
  /** Mean over the batch: cross-entropy in nats, or squared error in units of the backbone's range. */
  readonly loss: number;
  /** What the objective adds to it: length penalty and balance of the pool. */
  readonly penalty: number;
  /** Gradients of loss + penalty. */
  readonly gradients: GradientSet;
  /** Of the Gumbel-Softmax; absent where nothing was chosen. */
  readonly temperature: number | undefined;
}

/** How much there is to choose from; undefined where a factor is not learned. */
export interface ChoiceSpace {
  /** C */
  readonly positions: number | undefined;
  /** l + 1: lengths 0 … l */
  readonly lengths: number | undefined;
  /** m */
  readonly pool: number | undefined;
}

export interface Prediction {
  /** [B, classes] */
  readonly logits: Float32Array;
  /** What a dynamic prompt decided; absent without one. */
  readonly choices: PlanChoices | undefined;
}

/** Something with parameters that the training loop can improve: a prompt with a head, a head alone, or a whole model. */
export interface Learner<Example> {
  /** All trainable tensors; empty where there is nothing to train. */
  readonly parameters: ParameterSet;
  readonly headParameters: ParameterSet;
  /** Fixed standardisation of the features; part of what a tuned prompt is. */
  readonly featureStatistics: FeatureStatistics | undefined;
  readonly choiceSpace: ChoiceSpace | undefined;
  /** What a parameter is for. */
  rateOf(parameter: string): keyof LearningRates;
  step(batch: LabelledBatch<Example>, context: StepContext): Promise<LearnerStep>;
  predict(examples: readonly Example[]): Promise<Prediction>;
  /** Where the streams stand that it draws from while it trains and predicts; absent where it draws nothing. */
  readonly streams?: readonly RandomStreamState[];
  /** Lets its streams go on from saved states, told apart by their keys. */
  restoreStreams?(states: readonly RandomStreamState[]): void;
  /** Frees what the learner has opened itself. */
  release?(): Promise<void>;
}
