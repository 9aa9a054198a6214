import { DataError, nullThrows } from '@dynaprompt/core';
import type { LabelledExample } from '../../datasets/types.js';
import { packageName } from '../../package-name.js';
import { type Predictions, requireSameLength } from '../metrics.js';

/** A prediction with the label that it is compared with. */
export interface Answered {
  readonly predicted: number;
  readonly label: number;
}

/** Predictions by the group of their examples. Throws a `DataError` where an example has none. */
export function byGroup(
  predicted: Predictions,
  examples: readonly LabelledExample[],
): ReadonlyMap<string, readonly Answered[]> {
  requireSameLength(predicted, examples);
  const groups = new Map<string, Answered[]>();
  examples.forEach(({ id, group, label }, index) => {
    if (group === undefined) {
      throw new DataError({
        packageName,
        subject: `example ${id}`,
        problem: 'it has no group, which the measure needs',
        remedy: 'Load the examples with the task that the measure belongs to',
      });
    }
    const answered = { predicted: nullThrows(predicted[index], 'as many predictions as examples'), label };
    const members = groups.get(group);
    if (members) members.push(answered);
    else groups.set(group, [answered]);
  });
  return groups;
}
