import {
  createDynamicPrompt,
  type DynamicPrompt,
  type FrozenBackbone,
  featureStatistics,
  type LabelledBatch,
  type ParameterSet,
  type PromptConfiguration,
  type RandomStream,
  type RandomStreamState,
  restoreStream,
  stream,
  temperatureAt,
  timed,
} from '@dynaprompt/core';

import { batchRows } from '../data/batches.js';
import type { FeatureCache } from '../features/features.js';
import {
  answersOf,
  type GradientExchange,
  type PassAnswer,
  passesOf,
  type PassRows,
} from './gradient-exchange.js';
import { GradientSum } from './gradient-sum.js';
import { givenPrompt, type InitialState } from './initial-state.js';
import type { ChoiceSpace, Learner, LearnerStep, Prediction, StepContext } from './learner.js';
import type { LearningRates } from './optimiser.js';
import { PlanGradientSum, planRows } from './plan-rows.js';

export interface PromptSource<Example> {
  readonly backbone: Pick<FrozenBackbone<Example>, 'width' | 'description' | 'promptRows'>;
  readonly configuration: PromptConfiguration;
  readonly seed: number;
  /** [N, d] features that they are standardised on; read only where plans depend on features. */
  readonly features: () => Promise<Float32Array>;
  /** Where the run goes on from: its standardisation is kept, and its prompt given where the configuration wants that. */
  readonly initial?: InitialState | undefined;
}

/** A dynamic prompt for a backbone, at its initial values. */
export async function openPrompt<Example>(source: PromptSource<Example>): Promise<DynamicPrompt> {
  const { backbone, configuration, seed } = source;
  const { width, description } = backbone;
  return createDynamicPrompt(configuration, {
    width,
    layers: description.layers,
    seed,
    rows: (count, offset) => backbone.promptRows(count, offset),
    given: givenPrompt(source.initial?.parameters.prompt),
    featureStatistics: readsFeatures(configuration)
      ? (source.initial?.featureStatistics ?? featureStatistics(await source.features(), width))
      : undefined,
  });
}

export interface PromptLearnerOptions<Example> {
  readonly backbone: FrozenBackbone<Example>;
  readonly features: FeatureCache<Example>;
  readonly prompt: DynamicPrompt;
  readonly seed: number;
  /** Which of the tasks that share the prompt; absent where there is one only. */
  readonly task?: number;
  /** Present where other processes train the same run. */
  readonly exchange?: GradientExchange | undefined;
}

/** A dynamic prompt and the backbone's head, trained together. */
export class PromptLearner<Example> implements Learner<Example> {
  readonly parameters: ParameterSet;
  readonly headParameters: ParameterSet;
  private random: RandomStream;

  constructor(private readonly options: PromptLearnerOptions<Example>) {
    const { backbone, prompt, seed, task } = options;
    this.headParameters = backbone.initialHead(seed);
    this.parameters = new Map([...prompt.parameters, ...this.headParameters]);
    this.random = stream(seed, task === undefined ? 'choices' : `choices of task ${task}`);
  }

  get featureStatistics(): DynamicPrompt['featureStatistics'] {
    return this.options.prompt.featureStatistics;
  }

  get streams(): readonly RandomStreamState[] {
    return [this.random.state()];
  }

  restoreStreams(states: readonly RandomStreamState[]): void {
    const { key } = this.random.state();
    const own = states.find((state) => state.key === key);
    if (own !== undefined) this.random = restoreStream(own);
  }

  get choiceSpace(): ChoiceSpace {
    const { candidates, request, configuration } = this.options.prompt;
    const { representation, slots } = configuration;
    return {
      positions: request.position ? candidates : undefined,
      lengths: request.gates ? slots + 1 : undefined,
      pool: representation.kind === 'select' ? representation.pool : undefined,
    };
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
  async step(batch: LabelledBatch<Example>, context: StepContext): Promise<LearnerStep> {
    const { examples } = batch;
    const { backbone, prompt, task, exchange } = this.options;
    const size = examples.length;
    const temperature = temperatureAt(prompt.configuration.temperature, context.step, context.steps);
    const features = await this.featuresOf(examples);
    const { random } = this;
    const planned = timed('networks', () =>
      prompt.plan(features, size, { training: true, temperature, random, task }),
    );
    const penalty = planned.penalty + planned.balance;
    const planGradient = new PlanGradientSum(planned.plan, prompt.request);
    const head = new GradientSum();
    let loss = 0;
    const differentiate = ({ start, end }: PassRows): Promise<PassAnswer> => {
      const part = batchRows(batch, start, end);
      const rows = planRows(planned.plan, start, end);
      return backbone.differentiate(part, rows, this.headParameters, prompt.request);
    };
    const passes = passesOf(size, context.microBatch, exchange?.size);
    for await (const answer of answersOf(passes, differentiate, this.parameters, exchange)) {
      const share = (answer.end - answer.start) / size;
      loss += share * answer.loss;
      planGradient.place(answer.start, share, answer.plan);
      head.add(share, answer.head);
    }
    // A loss that is not finite has no way back; the loop ends the run.
    if (!Number.isFinite(loss)) return { loss, penalty, gradients: new Map(), temperature };
    const ofPrompt = timed('networks', () => planned.backward(planGradient.gradient()));
    const gradients = new Map([...head.gradients, ...ofPrompt]);
    return { loss, penalty, gradients, temperature };
  }

  async predict(examples: readonly Example[]): Promise<Prediction> {
    const { backbone, prompt, task } = this.options;
    const features = await this.featuresOf(examples);
    const { random } = this;
    const { plan, choices } = timed('networks', () =>
      prompt.plan(features, examples.length, { training: false, random, task }),
    );
    return { logits: await backbone.predict(examples, plan, this.headParameters), choices };
  }

  private async featuresOf(examples: readonly Example[]): Promise<Float32Array | undefined> {
    const { features, prompt } = this.options;
    return prompt.needsFeatures ? timed('data', () => features.read('features', examples)) : undefined;
  }
}

/** Whether the plans of a configuration depend on the example. */
export function readsFeatures({ position, length, representation }: PromptConfiguration): boolean {
  return position.level === 'instance' || length.level === 'instance' || representation.kind !== 'fixed';
}
