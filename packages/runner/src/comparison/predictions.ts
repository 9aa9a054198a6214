import { examplePredictions, type RunPredictions } from '@dynaprompt/benchmarks';
import { nullThrows } from '@dynaprompt/core';

import type { OpenTask } from '../domain.js';
import type { Run } from './runs.js';

/** What every run said of the validation examples after its last step. */
export function predictionsOf(
  runs: ReadonlyMap<string, readonly Run[]>,
  tasks: readonly Pick<OpenTask<unknown>, 'data'>[],
): readonly RunPredictions[] {
  return [...runs].flatMap(([method, ofMethod]) =>
    ofMethod.flatMap(({ seed, evaluations }) =>
      tasks.map(({ data }, index) => ({
        method,
        seed,
        ...(tasks.length > 1 ? { task: data.name } : {}),
        metric: data.metric,
        examples: examplePredictions(
          data.validation,
          nullThrows(evaluations[index], 'every task was evaluated'),
        ),
      })),
    ),
  );
}
