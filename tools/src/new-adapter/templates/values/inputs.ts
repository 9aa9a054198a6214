import { probeFloats, type Arrangement } from '@dynaprompt/backbone';
import { PADDING } from '@dynaprompt/core';
import { float32, type TensorValue } from '@dynaprompt/onnx-autodiff';
import type { ContentPlace, Probe } from '../common/place.js';
import { otherInputs } from '../sequence/declared-inputs.js';
import type { AdapterNameModel } from '../sequence/model.js';
import { channelsOf, type AdapterNameExample } from './example.js';

/** What the rows are that prompts are put between. */
export const KIND = 'values';

/** A batch whose prompts and steps have their places. */
export interface ArrangedExamples {
  readonly model: AdapterNameModel;
  readonly examples: readonly AdapterNameExample[];
  readonly arranged: Arrangement;
}

/** The model's own inputs; steps stand where they will stand among the prompts, zeros everywhere else. */
export function contentInputs({ model, examples, arranged }: ArrangedExamples): Record<string, TensorValue> {
  const { graph, entry } = model;
  const { tables, shape } = arranged;
  const { slots, total } = shape;
  const channels = channelsOf(model);
  const values = new Float32Array(tables.length * channels);
  tables.forEach((source, place) => {
    const step = source - slots;
    const own = examples[Math.floor(place / total)]?.values;
    if (source === PADDING || step < 0 || !own) return;
    values.set(own.subarray(step * channels, (step + 1) * channels), place * channels);
  });
  return {
    ...otherInputs(graph, entry.input, tables, [examples.length, total]),
    [entry.input]: float32(values, [examples.length, total, channels]),
  };
}

/** Row of [prompts; embeddings] that stands at a place without a prompt: embeddings are as many as places. */
export function rowOf({ place, slots }: ContentPlace): number {
  return slots + place;
}

/** Inputs of `total` steps, for finding shapes. */
export function probeInputs({ model, batch, total }: Probe<AdapterNameModel>): Record<string, TensorValue> {
  const { graph, entry } = model;
  return {
    ...otherInputs(graph, entry.input, new Int32Array(batch * total), [batch, total]),
    [entry.input]: probeFloats(batch, total, channelsOf(model)),
  };
}
