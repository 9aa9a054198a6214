import {
  createDynamicPrompt,
  type DynamicPrompt,
  type FrozenBackbone,
  featureStatistics,
  type LabelledBatch,
  type ParameterSet,
  type PromptConfiguration,
  type RandomStream,
  stream,
  temperatureAt,
} from '@dynaprompt/core';

import type { FeatureCache } from '../features/features.js';
import type { Learner, LearnerStep, Prediction, StepContext } from './learner.js';
import type { LearningRates } from './options.js';
import { PlanGradientSum, planRows } from './plan-rows.js';

export interface PromptLearnerSource<Example> {
  readonly backbone: FrozenBackbone<Example>;
  readonly features: FeatureCache<Example>;
  readonly configuration: PromptConfiguration;
  readonly seed: number;
  /** Examples that the features are standardised on; their features are computed where they are not cached. */
  readonly examples: readonly Example[];
}

/** A dynamic prompt and the backbone's head, trained together. */
export class PromptLearner<Example> implements Learner<Example> {
  readonly parameters: ParameterSet;
  readonly promptParameters: ParameterSet;
  private readonly random: RandomStream;

  private constructor(
    private readonly backbone: FrozenBackbone<Example>,
    private readonly features: FeatureCache<Example>,
    private readonly prompt: DynamicPrompt,
    readonly headParameters: ParameterSet,
    seed: number,
  ) {
    this.promptParameters = prompt.parameters;
    this.parameters = new Map([...prompt.parameters, ...headParameters]);
    this.random = stream(seed, 'choices');
  }

  static async create<Example>(source: PromptLearnerSource<Example>): Promise<PromptLearner<Example>> {
    const { backbone, features, configuration, seed, examples } = source;
    const { width } = backbone;
    const prompt = await createDynamicPrompt(configuration, {
      width,
      seed,
      rows: (count, offset) => backbone.promptRows(count, offset),
      featureStatistics: readsFeatures(configuration)
        ? featureStatistics(await features.read('features', examples), width)
        : undefined,
    });
    return new PromptLearner(backbone, features, prompt, backbone.initialHead(seed), seed);
  }

  get featureStatistics(): DynamicPrompt['featureStatistics'] {
    return this.prompt.featureStatistics;
  }

  rateOf(parameter: string): keyof LearningRates {
    if (this.headParameters.has(parameter)) return 'head';
    return parameter === 'representation.prompt' || parameter === 'representation.pool'
      ? 'prompt'
      : 'networks';
  }

  /**
   * Plans the whole batch at once, takes its rows through the backbone in micro-batches, and goes back through the plan once:
   * however a batch is cut, choices and gradients are those of the batch.
   */
  async step({ examples, labels }: LabelledBatch<Example>, context: StepContext): Promise<LearnerStep> {
    const { backbone, prompt } = this;
    const size = examples.length;
    const { microBatch } = context;
    const temperature = temperatureAt(prompt.configuration.temperature, context.step, context.steps);
    const planned = prompt.plan(await this.featuresOf(examples), size, {
      training: true,
      temperature,
      random: this.random,
    });
    const planGradient = new PlanGradientSum(planned.plan, prompt.request);
    const gradients = new Map<string, Float32Array>();
    for (const [name, { values }] of this.headParameters)
      gradients.set(name, new Float32Array(values.length));
    let loss = 0;
    for (let start = 0; start < size; start += microBatch) {
      const end = Math.min(size, start + microBatch);
      const share = (end - start) / size;
      const part = { examples: examples.slice(start, end), labels: labels.slice(start, end) };
      const rows = planRows(planned.plan, start, end);
      const answer = await backbone.differentiate(part, rows, this.headParameters, prompt.request);
      loss += share * answer.loss;
      planGradient.place(start, share, answer.plan);
      for (const [name, sum] of gradients) {
        const gradient = answer.head.get(name);
        for (let index = 0; index < sum.length; index++)
          sum[index] = (sum[index] ?? 0) + share * (gradient?.[index] ?? 0);
      }
    }
    // A loss that is not finite has no way back; the loop ends the run.
    if (!Number.isFinite(loss)) return { loss, gradients: new Map(), temperature };
    for (const [name, gradient] of planned.backward(planGradient.gradient())) gradients.set(name, gradient);
    return { loss, gradients, temperature };
  }

  async predict(examples: readonly Example[]): Promise<Prediction> {
    const { plan, choices } = this.prompt.plan(await this.featuresOf(examples), examples.length, {
      training: false,
      random: this.random,
    });
    return { logits: await this.backbone.predict(examples, plan, this.headParameters), choices };
  }

  private async featuresOf(examples: readonly Example[]): Promise<Float32Array | undefined> {
    return this.prompt.needsFeatures ? this.features.read('features', examples) : undefined;
  }
}

/** Whether the plans of a configuration depend on the example. */
export function readsFeatures({ position, length, representation }: PromptConfiguration): boolean {
  return position.level === 'instance' || length.level === 'instance' || representation.kind !== 'fixed';
}
