import { ConfigurationError } from '@dynaprompt/core';

import { packageName } from '../package-name.js';

/** A task, and the folder of its data where it has one. */
export interface TaskFolder {
  readonly name: string;
  readonly folder: string | undefined;
}

/** The places that the folders of `--data` name: one folder may have commas in its name, several are separated by them. */
export function foldersOf(tasks: readonly string[], data: string | undefined): readonly string[] {
  if (data === undefined) return [];
  return tasks.length === 1 ? [data] : data.split(',').map((folder) => folder.trim());
}

/**
 * Gives folders to the tasks that need one, in order.
 *
 * @throws ConfigurationError where folders are left over.
 */
export function assignFolders(
  tasks: readonly string[],
  data: readonly string[],
  isBundled: (name: string) => boolean,
): readonly TaskFolder[] {
  const folders = [...data];
  const places = tasks.map((name) => {
    // A single task complains by itself of a folder too many or too few.
    const takesFolder = tasks.length === 1 || !isBundled(name);
    return { name, folder: takesFolder ? folders.shift() : undefined };
  });
  if (folders.length === 0) return places;
  throw new ConfigurationError({
    packageName,
    subject: `--data ${data.join(',')}`,
    problem: `${folders.length} more folders than tasks that need one`,
    remedy: 'Name a folder for each task whose data is not bundled, in the order of the tasks',
  });
}
