import type { PromptConfiguration } from '../configuration.js';
import type { DeepPrompts } from '../contracts/plan.js';
import { ConfigurationError } from '../errors.js';

/**
 * L, the layers that receive prompts of their own.
 *
 * @param available Layers of the backbone that can, its `description.layers`.
 * @throws ConfigurationError when more layers are asked than the backbone has, deep prompts of one that takes shallow ones only, or deep prompts of an unknown backbone.
 */
export function resolveLayers({ layers }: PromptConfiguration, available: number | undefined): number {
  if (layers === 1) return 1;
  if (available === undefined || !Number.isInteger(available) || available < 1) {
    throw new ConfigurationError({
      packageName: '@dynaprompt/core',
      subject: 'source.layers',
      problem: `is ${available ?? 'missing'} where prompts of ${layers} layers are asked`,
      remedy: "Pass the backbone's description.layers, or set layers to 1",
    });
  }
  // A deep prompt must not turn into a shallow one unnoticed.
  const possible = available > 1 && (layers === 'all' || layers <= available);
  if (possible) return layers === 'all' ? available : layers;
  throw new ConfigurationError({
    packageName: '@dynaprompt/core',
    subject: 'configuration.layers',
    problem: `is ${layers} where the backbone takes prompts in ${available}`,
    remedy: available === 1 ? 'Set layers to 1' : `Use 1..${available}, or 'all'`,
  });
}

/** Cuts prompts [B, L, l, d] into those of the first layer, [B, l, d], and of the others, [B, L−1, l, d]. */
export function splitLayers(
  prompts: Float32Array,
  batch: number,
  layers: number,
): { readonly first: Float32Array; readonly deep: DeepPrompts | undefined } {
  if (layers === 1) return { first: prompts, deep: undefined };
  const size = prompts.length / (batch * layers);
  const first = new Float32Array(batch * size);
  const deep = new Float32Array(prompts.length - first.length);
  for (let example = 0; example < batch; example++) {
    const start = example * layers * size;
    first.set(prompts.subarray(start, start + size), example * size);
    deep.set(prompts.subarray(start + size, start + layers * size), example * (layers - 1) * size);
  }
  return { first, deep: { layers: layers - 1, prompts: deep } };
}

/** Inverse of {@link splitLayers}: [B, l, d] and [B, L−1, l, d] to [B, L, l, d]. */
export function joinLayers(first: Float32Array, deep: Float32Array | undefined, batch: number): Float32Array {
  if (deep === undefined) return first;
  const joined = new Float32Array(first.length + deep.length);
  const [firstSize, deepSize] = [first.length / batch, deep.length / batch];
  for (let example = 0; example < batch; example++) {
    const start = example * (firstSize + deepSize);
    joined.set(first.subarray(example * firstSize, (example + 1) * firstSize), start);
    joined.set(deep.subarray(example * deepSize, (example + 1) * deepSize), start + firstSize);
  }
  return joined;
}
