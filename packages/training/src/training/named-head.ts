import type { GradientSet, LabelledBatch, ParameterSet, RandomStreamState } from '@dynaprompt/core';

import type { Learner, LearnerStep, Prediction, StepContext } from './learner.js';
import type { LearningRates } from './optimiser.js';

/** A learner with its head's tensors under `<task>/<name>`, so that one optimiser can hold the heads of several tasks. */
export class NamedHead<Example> implements Learner<Example> {
  readonly parameters: ParameterSet;
  readonly headParameters: ParameterSet;

  constructor(
    private readonly learner: Learner<Example>,
    private readonly task: string,
  ) {
    this.parameters = new Map([...learner.parameters].map(([name, tensor]) => [this.outer(name), tensor]));
    this.headParameters = new Map(
      [...learner.headParameters].map(([name, tensor]) => [this.outer(name), tensor]),
    );
    this.rates = new Map(
      [...learner.parameters.keys()].map((name) => [this.outer(name), learner.rateOf(name)]),
    );
  }

  private readonly rates: ReadonlyMap<string, keyof LearningRates>;

  get featureStatistics(): Learner<Example>['featureStatistics'] {
    return this.learner.featureStatistics;
  }

  get choiceSpace(): Learner<Example>['choiceSpace'] {
    return this.learner.choiceSpace;
  }

  get streams(): readonly RandomStreamState[] {
    return this.learner.streams ?? [];
  }

  restoreStreams(states: readonly RandomStreamState[]): void {
    this.learner.restoreStreams?.(states);
  }

  rateOf(parameter: string): keyof LearningRates {
    return this.rates.get(parameter) ?? 'head';
  }

  async step(batch: LabelledBatch<Example>, context: StepContext): Promise<LearnerStep> {
    const { gradients, ...step } = await this.learner.step(batch, context);
    const renamed: GradientSet = new Map([...gradients].map(([name, values]) => [this.outer(name), values]));
    return { ...step, gradients: renamed };
  }

  predict(examples: readonly Example[]): Promise<Prediction> {
    return this.learner.predict(examples);
  }

  private outer(name: string): string {
    return this.learner.headParameters.has(name) ? `${this.task}/${name}` : name;
  }
}
