import {
  createDynamicPrompt,
  DataError,
  type DynamicPrompt,
  type PromptConfiguration,
  restoreParameters,
} from '@dynaprompt/core';

import { packageName } from '../package-name.js';
import { givenPrompt } from '../training/initial-state.js';
import type { Adapter } from './adapter.js';

/**
 * The prompt of an adapter: its plans are bit-identical to those of the prompt that was saved. Tensors are copies.
 *
 * @throws DataError when there is none, or its tensors do not fit its configuration.
 */
export async function restorePrompt(
  adapter: Pick<
    Adapter,
    'method' | 'configuration' | 'seed' | 'backbone' | 'parameters' | 'featureStatistics'
  >,
): Promise<DynamicPrompt> {
  const { configuration, seed, backbone, featureStatistics } = adapter;
  const { prompt: saved } = adapter.parameters;
  if (configuration === undefined) {
    throw unusable(adapter, 'it has a head alone, no prompt', 'Use its head without a plan');
  }
  const { width, layers } = backbone;
  const held = [...saved.values()].reduce((sum, { values }) => sum + values.length, 0);
  const asked = parameterCount(configuration, width, layers);
  // Checked before anything of that size is made.
  if (asked > held) {
    const problem = `its tensors have ${held} values where its configuration asks for ${asked}`;
    throw unusable(adapter, problem, 'Save the adapter again; one of its files was changed');
  }
  const prompt = await createDynamicPrompt(configuration, {
    width,
    layers,
    seed,
    featureStatistics,
    // Where a prompt started does not matter any more: all of its values are written over.
    rows: (count) => new Float32Array(count * width),
    given: givenPrompt(saved),
  });
  restoreParameters(prompt.parameters, saved);
  return prompt;
}

/** Values of all tensors that a configuration is made of. */
function parameterCount(configuration: PromptConfiguration, width: number, available: number): number {
  const { slots, position, length, representation, reparameterisation, tasks = 1 } = configuration;
  const layers = configuration.layers === 'all' ? available : configuration.layers;
  const rows = layers * slots;
  const logits = (count: number, level: string): number =>
    level === 'none' ? 0 : count * tasks + (level === 'instance' ? count * width : 0);
  let count = logits(position.anchors ?? slots + 1, position.level) + logits(slots + 1, length.level);
  if (representation.kind === 'select') {
    count += representation.pool * rows * width + logits(representation.pool, 'instance');
  } else {
    count += rows * width;
  }
  if (representation.kind === 'generate') {
    const { rank } = representation;
    count += logits(rows * rank, 'instance') + rank * width;
  }
  if (reparameterisation.kind === 'mlp') {
    const { hidden } = reparameterisation;
    count += hidden * (2 * width + hidden + 2) + width;
  }
  return count;
}

function unusable(
  { method, backbone }: Pick<Adapter, 'method' | 'backbone'>,
  problem: string,
  remedy: string,
): DataError {
  const subject = `adapter ${method} of ${backbone.name}`;
  return new DataError({ packageName, subject, problem, remedy });
}
