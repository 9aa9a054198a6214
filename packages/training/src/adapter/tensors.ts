import type { ParameterSet, ParameterTensor, Safetensors } from '@dynaprompt/core';

import type { Adapter } from './adapter.js';
import type { Description } from './description.js';
import { unusableFile } from './fields.js';

type Content = Pick<Adapter, 'parameters' | 'featureStatistics' | 'optimiser'>;

/** What a tensor of the file is for; its name is `group/name within the group`. */
const groups = ['prompt', 'head', 'features', 'optimiser'] as const;
type Group = (typeof groups)[number];

/** All tensors of an adapter under the names that they have in `dynamic_prompt.safetensors`. */
export function tensorsOf({ parameters, featureStatistics, optimiser }: Content): ParameterSet {
  const statistics = Object.entries<Float32Array>({ ...featureStatistics });
  const content: Record<Group, Iterable<[string, ParameterTensor]>> = {
    prompt: parameters.prompt,
    head: parameters.head,
    features: statistics.map(([name, values]) => [name, { shape: [values.length], values }]),
    optimiser: optimiser?.tensors ?? [],
  };
  return new Map(
    groups.flatMap((group) =>
      [...content[group]].map(([name, tensor]) => [`${group}/${name}`, tensor] as const),
    ),
  );
}

/**
 * The tensors of a file, told apart by their groups.
 *
 * @throws DataError naming the file, and the tensor that is of no group, not float32, or not finite.
 */
export function contentOf(
  { tensors }: Safetensors,
  { optimiserStep, backbone }: Description,
  file: string,
): Content {
  const content: Record<Group, Map<string, ParameterTensor>> = {
    prompt: new Map(),
    head: new Map(),
    features: new Map(),
    optimiser: new Map(),
  };
  for (const [name, tensor] of tensors) {
    const slash = name.indexOf('/');
    const group = groups.find((known) => known === name.slice(0, slash));
    if (group === undefined) throw unusableFile(file, `tensor ${name} is none of an adapter`);
    if (tensor.dtype !== 'F32') throw unusableFile(file, `tensor ${name} is ${tensor.dtype}, not F32`);
    const { shape, values } = tensor;
    requireFinite(name, values, file);
    content[group].set(name.slice(slash + 1), { shape, values });
  }
  const { prompt, head, features, optimiser } = content;
  if ((optimiserStep === undefined) !== (optimiser.size === 0)) {
    throw unusableFile(file, 'its optimiser state and optimiser_step do not go together');
  }
  return {
    parameters: { prompt, head },
    featureStatistics: features.size === 0 ? undefined : statisticsIn(features, backbone.width, file),
    optimiser: optimiserStep === undefined ? undefined : { step: optimiserStep, tensors: optimiser },
  };
}

/** @throws DataError naming the file and the first value of the tensor that is not finite. */
export function requireFinite(name: string, values: Float32Array, file: string): void {
  const index = values.findIndex((value) => !Number.isFinite(value));
  if (index < 0) return;
  throw unusableFile(file, `value ${index} of tensor ${name} is ${String(values[index])}`);
}

function statisticsIn(
  features: ReadonlyMap<string, ParameterTensor>,
  width: number,
  file: string,
): { mean: Float32Array; std: Float32Array } {
  const [mean, std] = ['mean', 'std'].map((name) => {
    const values = features.get(name)?.values;
    if (values?.length === width && features.size === 2) return values;
    throw unusableFile(file, `features/mean and features/std are not two tensors of ${width} values`);
  });
  return { mean: mean ?? new Float32Array(), std: std ?? new Float32Array() };
}
