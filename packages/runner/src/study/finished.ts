import type { TrainingResult } from '@dynaprompt/training';

import type { OpenTask } from '../domain.js';
import { adaptersOf } from '../output/save-adapters.js';
import type { Finished } from './run-plan.js';

/** What a run gave, with what its task measures further; without a task, its scores alone. */
export async function finishedOf<Example>(
  result: TrainingResult,
  task?: OpenTask<Example>,
): Promise<Finished> {
  const { method, final, best, bestStep, trainableParameters, seconds, validation, evaluation } = result;
  const { positions = null, lengths = null } = evaluation.usage ?? {};
  const [adapter] = task === undefined ? [] : adaptersOf(result, task, {});
  const measures = await task?.measureFurther?.({ method, score: evaluation.score, adapter });
  return {
    ok: true,
    ...{ final, best, bestStep, trainableParameters, seconds, validation, positions, lengths },
    ...(measures && Object.keys(measures).length > 0 && { measures }),
  };
}
