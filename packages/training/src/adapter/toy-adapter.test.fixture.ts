import {
  createDynamicPrompt,
  type DynamicPrompt,
  parseConfiguration,
  type PromptConfigurationInput,
  stream,
} from '@dynaprompt/core';

import { ToyBackbone } from '../testing/toy-backbone.test.fixture.js';
import { type Adapter, backboneOf } from './adapter.js';

/** Width of the toy backbone's features and prompts. */
export const width = 8;

/** Layers that the toy's adapters are told to have room for. */
export const layers = 4;

/** A prompt whose tensors are all drawn, so that none of them is zero or at its start. */
export async function drawnPrompt(input: PromptConfigurationInput, seed = 3): Promise<DynamicPrompt> {
  const random = stream(seed, 'toy adapter');
  const draws = (count: number): Float32Array => Float32Array.from({ length: count }, () => random.normal());
  const prompt = await createDynamicPrompt(
    { initialisation: { kind: 'uniform' }, ...input },
    { width, layers, seed, featureStatistics: { mean: draws(width), std: draws(width).map(Math.abs) } },
  );
  for (const { values } of prompt.parameters.values()) values.set(draws(values.length));
  return prompt;
}

/** An adapter with that prompt, or with a head alone. */
export function adapterWith(prompt: DynamicPrompt | undefined, changes: Partial<Adapter> = {}): Adapter {
  const backbone = new ToyBackbone();
  return {
    method: prompt === undefined ? 'frozen' : 'drawn',
    configuration: prompt === undefined ? undefined : parseConfiguration(prompt.configuration),
    seed: 3,
    steps: 20,
    backbone: { ...backboneOf(backbone), layers },
    head: { kind: 'linear', classes: 2, labels: ['low', 'high'], options: { pooling: 'mean' } },
    task: { name: 'halves', metric: 'accuracy', index: undefined },
    parameters: { prompt: prompt?.parameters ?? new Map(), head: backbone.initialHead(3) },
    featureStatistics: prompt?.featureStatistics,
    optimiser: undefined,
    versions: { node: process.version },
    ...changes,
  };
}
