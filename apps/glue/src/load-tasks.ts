import { hubPathsOf, type LabelledDataset, loadTask, taskNamed } from '@dynaprompt/benchmarks';
import { ConfigurationError } from '@dynaprompt/core';
import { assignFolders } from '@dynaprompt/runner';
import { openDataFolder } from '@dynaprompt/text';

import type { GlueOptions } from './options.js';
import { packageName } from './package-name.js';

/** Loads the data of every task; folders, or data sets of the Hub, go to those that need one, in order. */
export async function loadTasks(options: GlueOptions): Promise<readonly LabelledDataset[]> {
  const { tasks, data, limit, validationLimit, shots, columns, evaluation, badRows, dataSeed } = options;
  if (tasks.length > 1 && columns !== undefined) {
    throw new ConfigurationError({
      packageName,
      subject: '--text-column',
      problem: 'columns cannot be named for several tasks',
      remedy: 'Leave the columns out, or run one task',
    });
  }
  const places = assignFolders(tasks, data, (name) => taskNamed(name).layout.kind === 'bundled');
  const sets: LabelledDataset[] = [];
  for (const { name, folder } of places) {
    const given = {
      seed: dataSeed,
      evaluation,
      badRows,
      ...(shots === undefined ? {} : { shots }),
      ...(limit === undefined ? {} : { limit }),
      ...(validationLimit === undefined ? {} : { validationLimit }),
      ...(columns === undefined ? {} : { columns }),
    };
    const place =
      folder === undefined
        ? undefined
        : await openDataFolder(folder, (paths) => hubPathsOf(name, paths, evaluation));
    const set = await loadTask(name, place?.folder, given);
    // Few shots are scored on the split that all examples would be; nothing is selected by the few that validate.
    sets.push({ ...set, validation: set.test ?? set.validation });
  }
  return sets;
}
