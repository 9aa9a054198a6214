import { stream } from '@dynaprompt/core';
import { BYTE_EDITS, type Edit } from './byte-edits.js';
import { GRAPH_EDITS } from './graph-edits.js';

const EDITS: readonly (readonly [string, Edit])[] = Object.entries({ ...BYTE_EDITS, ...GRAPH_EDITS });

/** A mutated model. */
export interface Mutant {
  readonly bytes: Uint8Array;
  /** What was changed, in order. */
  readonly edits: readonly string[];
}

/**
 * The `index`-th mutation of a sound model under a seed: one to three edits, mostly one, those of bytes last, because those of the graph need
 * a model that is still sound.
 */
export function mutant(model: Uint8Array, seed: number, index: number): Mutant {
  const random = stream(seed, `mutation ${index}`);
  const number = 1 + Math.floor(3 * random.uniform() ** 3);
  const chosen = Array.from({ length: number }, () => random.integer(EDITS.length));
  const ordered = chosen.map((choice) => EDITS[choice]).filter((edit) => edit !== undefined);
  const isLast = ([name]: readonly [string, Edit]): boolean => name in BYTE_EDITS || name === 'a length';
  const edits = [...ordered.filter((edit) => !isLast(edit)), ...ordered.filter(isLast).slice(0, 1)];
  const bytes = edits.reduce((changed, [, edit]) => edit(changed, random), model);
  return { bytes, edits: edits.map(([name]) => name) };
}
