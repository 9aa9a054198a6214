import {
  ConfigurationError,
  type FineTuning,
  type FrozenBackbone,
  type GradientSet,
  type LabelledBatch,
  ModelError,
  type ParameterSet,
} from '@dynaprompt/core';

import { batchRows } from '../data/batches.js';
import { packageName } from '../package-name.js';
import { GradientSum } from './gradient-sum.js';
import type { Learner, LearnerStep, Prediction, StepContext } from './learner.js';

/** All weights of the backbone and its head, trained together: the baseline that prompts are compared with. */
export class FineTuningLearner<Example> implements Learner<Example> {
  readonly featureStatistics = undefined;
  readonly choiceSpace = undefined;
  readonly parameters: ParameterSet;

  private constructor(
    private readonly model: FineTuning<Example>,
    private readonly weights: ParameterSet,
    readonly headParameters: ParameterSet,
  ) {
    this.parameters = new Map([...weights, ...headParameters]);
  }

  /** @throws ConfigurationError for a backbone whose weights cannot be trained. */
  static async open<Example>(
    backbone: FrozenBackbone<Example>,
    seed: number,
  ): Promise<FineTuningLearner<Example>> {
    const model = await backbone.fineTuning?.();
    if (model === undefined) throw cannot(backbone.description.name);
    const weights = model.initialWeights();
    const head = backbone.initialHead(seed);
    const twice = [...head.keys()].find((name) => weights.has(name));
    if (twice === undefined) return new FineTuningLearner(model, weights, head);
    await model.release();
    throw new ModelError({
      packageName,
      subject: `${backbone.description.name}, tensor ${twice}`,
      problem: 'both the head and the weights have one of that name',
      remedy: 'Correct the backbone adapter: give the tensors of its head names of their own',
    });
  }

  rateOf(parameter: string): 'head' | 'weights' {
    return this.headParameters.has(parameter) ? 'head' : 'weights';
  }

  async step(batch: LabelledBatch<Example>, context: StepContext): Promise<LearnerStep> {
    const size = batch.examples.length;
    const sum = new GradientSum();
    let loss = 0;
    for (let start = 0; start < size; start += context.microBatch) {
      const end = Math.min(size, start + context.microBatch);
      const part = batchRows(batch, start, end);
      const answer = await this.model.differentiate(part, this.weights, this.headParameters);
      const share = (end - start) / size;
      loss += share * answer.loss;
      sum.add(share, answer.weights);
      sum.add(share, answer.head);
    }
    const gradients: GradientSet = sum.gradients;
    return { loss, penalty: 0, gradients, temperature: undefined };
  }

  async predict(examples: readonly Example[]): Promise<Prediction> {
    const logits = await this.model.predict(examples, this.weights, this.headParameters);
    return { logits, choices: undefined };
  }

  release(): Promise<void> {
    return this.model.release();
  }
}

function cannot(name: string): ConfigurationError {
  return new ConfigurationError({
    packageName,
    subject: 'method "fine-tuning"',
    problem: `the weights of ${name} cannot be trained`,
    remedy: 'Leave the method out, or open a backbone that offers fine-tuning',
  });
}
