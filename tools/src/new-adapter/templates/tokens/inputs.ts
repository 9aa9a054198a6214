import type { Arrangement } from '@dynaprompt/backbone';
import { PADDING } from '@dynaprompt/core';
import type { TensorValue } from '@dynaprompt/onnx-autodiff';
import type { ContentPlace, Probe } from '../common/place.js';
import { asDeclared, otherInputs } from '../sequence/declared-inputs.js';
import type { AdapterNameModel } from '../sequence/model.js';
import type { AdapterNameExample } from './example.js';

/** What the rows are that prompts are put between. */
export const KIND = 'tokens';

/** A batch whose prompts and tokens have their places. */
export interface ArrangedExamples {
  readonly model: AdapterNameModel;
  readonly examples: readonly AdapterNameExample[];
  readonly arranged: Arrangement;
}

/** The model's own inputs; tokens stand where they will stand among the prompts. */
export function contentInputs({ model, examples, arranged }: ArrangedExamples): Record<string, TensorValue> {
  const { graph, entry, padId } = model;
  const { tables, shape } = arranged;
  const { slots, total } = shape;
  // Models that count positions by the id of padding have to count prompts too.
  const promptId = padId === 0 ? 1 : 0;
  const ids = Int32Array.from(tables, (source, place) => {
    if (source === PADDING) return padId;
    return source < slots ? promptId : (examples[Math.floor(place / total)]?.ids[source - slots] ?? padId);
  });
  return {
    ...otherInputs(graph, entry.input, tables, [examples.length, total]),
    [entry.input]: asDeclared(graph, entry.input, ids, [examples.length, total]),
  };
}

/** Row of [prompts; embeddings] that stands at a place without a prompt: embeddings are as many as places. */
export function rowOf({ place, slots }: ContentPlace): number {
  return slots + place;
}

/** Inputs of `total` tokens, for finding shapes. */
export function probeInputs({
  model: { graph, entry },
  batch,
  total,
}: Probe<AdapterNameModel>): Record<string, TensorValue> {
  const ids = new Int32Array(batch * total).fill(1);
  return {
    ...otherInputs(graph, entry.input, new Int32Array(batch * total), [batch, total]),
    [entry.input]: asDeclared(graph, entry.input, ids, [batch, total]),
  };
}
