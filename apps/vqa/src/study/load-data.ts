import { join } from 'node:path';

import type { EvaluationSplit } from '@dynaprompt/benchmarks';
import type { StudyOptions } from '@dynaprompt/runner';

import { loadData, type QuestionSet } from '../data/load-data.js';
import { isBundled } from '../data/tasks.js';
import type { QuestionOptions } from '../options.js';

/** What a study trains, on which questions. */
export interface VqaStudyOptions extends StudyOptions, QuestionOptions {
  /** Split of the final scores; null: that of the task. */
  readonly evaluation: EvaluationSplit | null;
}

/** Loads a task of the study, limited as it asks. */
export function loadStudyData(
  task: string,
  { folders, limit, validationLimit, dataSeed, evaluation, answers, scenes }: VqaStudyOptions,
  dataRoot: string,
): Promise<QuestionSet> {
  const folder = isBundled(task) ? undefined : join(dataRoot, folders[task] ?? task);
  return loadData(
    { name: task, folder },
    {
      answers,
      scenes,
      limit: limit ?? undefined,
      validationLimit: validationLimit ?? undefined,
      dataSeed,
      evaluation: evaluation ?? undefined,
      badSamples: 'fail',
    },
  );
}
