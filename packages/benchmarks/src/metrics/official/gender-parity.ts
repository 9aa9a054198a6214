import type { LabelledExample } from '../../datasets/types.js';
import type { Predictions } from '../metrics.js';
import { byGroup } from './groups.js';

/** Share of the groups (pairs of sentences that differ in the gender of a pronoun) that get one and the same prediction. */
export function genderParity(predicted: Predictions, examples: readonly LabelledExample[]): number {
  const groups = [...byGroup(predicted, examples).values()];
  const equal = groups.filter((members) => new Set(members.map((member) => member.predicted)).size === 1);
  return equal.length / groups.length;
}
