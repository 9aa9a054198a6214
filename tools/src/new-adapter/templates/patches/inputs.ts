import { probeFloats, type Arrangement } from '@dynaprompt/backbone';
import { float32, int64, type TensorValue } from '@dynaprompt/onnx-autodiff';
import type { ContentPlace, Probe } from '../common/place.js';
import type { AdapterNameExample } from './example.js';
import type { AdapterNameModel } from './model.js';
import { ACTIVE } from './placement.js';

/** What the rows are that prompts are put between. */
export const KIND = 'patches';

/** A batch whose prompts have their places. */
export interface ArrangedExamples {
  readonly model: AdapterNameModel;
  readonly examples: readonly AdapterNameExample[];
  readonly arranged: Arrangement;
}

/** The model's own input, and how many prompt tokens are on where slots have positions. */
export function contentInputs({ model, examples, arranged }: ArrangedExamples): Record<string, TensorValue> {
  const { entry, extents, patches } = model;
  const size = extents.reduce((product, extent) => product * extent, 1);
  const values = new Float32Array(examples.length * size);
  examples.forEach((example, index) => {
    values.set(example.values, index * size);
  });
  const active = arranged.layouts.map((layout) => layout.active);
  return {
    [entry.input]: float32(values, [examples.length, ...extents]),
    ...(patches.positions === undefined ? {} : { [ACTIVE]: int64(active, [examples.length]) }),
  };
}

/** Row of [prompts; embeddings] that stands at a place without a prompt. */
export function rowOf({ source }: ContentPlace): number {
  return source;
}

/** Inputs for finding shapes. */
export function probeInputs({
  model: { entry, extents },
  batch,
}: Probe<AdapterNameModel>): Record<string, TensorValue> {
  return { [entry.input]: probeFloats(batch, ...extents) };
}
