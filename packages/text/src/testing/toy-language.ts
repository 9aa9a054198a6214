import {
  createAdamW,
  createDynamicPrompt,
  featureStatistics,
  stream,
  type DynamicPrompt,
  type FrozenBackbone,
  type LabelledBatch,
  type PromptConfigurationInput,
} from '@dynaprompt/core';
import type { TextExample } from '../tokenization/encode.js';
import { crossEntropy } from './numbers.js';
import { textOf } from './fixture-folders.js';

/** Words that say which answer is right, by label; all others say nothing. */
const TOPICS = [
  [10, 11, 12],
  [13, 14, 15],
];
const FILLERS = [20, 21, 22, 23, 24, 25];

/** Texts of two to four words with a topic's word at any place, and the topic as label. */
export function toyTexts(seed: number, count: number): LabelledBatch<TextExample> {
  const random = stream(seed, 'toy language');
  const pick = (ids: readonly number[]): number => ids[Math.floor(random.uniform() * ids.length)] ?? 0;
  const labels = Int32Array.from({ length: count }, (_, index) => index % 2);
  const examples = Array.from(labels, (label) => {
    const words = Array.from({ length: 1 + Math.floor(3 * random.uniform()) }, () => pick(FILLERS));
    const place = Math.floor(random.uniform() * (words.length + 1));
    return { text: textOf(...words.toSpliced(place, 0, pick(TOPICS[label] ?? []))) };
  });
  return { examples, labels };
}

/** A dynamic prompt in training: features, plan, step through the backbone, gradients of the networks, AdamW. */
export interface ToyRun {
  readonly prompt: DynamicPrompt;
  /** Loss of each step. */
  readonly losses: readonly number[];
  /** Mean loss on other texts, with the choices that inference makes. */
  evaluate(batch: LabelledBatch<TextExample>): Promise<number>;
}

export async function trainOnToy(
  backbone: FrozenBackbone<TextExample>,
  configuration: PromptConfigurationInput,
  batch: LabelledBatch<TextExample>,
  { steps, learningRate }: { readonly steps: number; readonly learningRate: number },
): Promise<ToyRun> {
  const { examples } = batch;
  const head = backbone.initialHead(1);
  const features = await backbone.features(examples);
  const prompt = await createDynamicPrompt(configuration, {
    width: backbone.width,
    seed: 1,
    rows: (count, offset) => backbone.promptRows(count, offset),
    featureStatistics: featureStatistics(features, backbone.width),
  });
  const optimiser = createAdamW({ learningRate, weightDecay: 0 });
  const random = stream(1, 'choices');
  const losses: number[] = [];
  for (let step = 0; step < steps; step++) {
    const planned = prompt.plan(features, examples.length, { training: true, temperature: 1, random });
    const answer = await backbone.differentiate(batch, planned.plan, head, prompt.request);
    losses.push(answer.loss);
    optimiser.step(prompt.parameters, planned.backward(answer.plan));
  }
  return {
    prompt,
    losses,
    async evaluate(other) {
      const found = await backbone.features(other.examples);
      const { plan } = prompt.plan(found, other.examples.length, { training: false });
      return crossEntropy(await backbone.predict(other.examples, plan, head), [...other.labels]);
    },
  };
}
