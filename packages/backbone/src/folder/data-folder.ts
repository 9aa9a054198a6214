import { existsSync } from 'node:fs';
import { DataError } from '@dynaprompt/core';
import { PACKAGE_NAME } from '../package-name.js';
import { hubPlace } from './hub-access.js';
import { openHubSnapshot } from './hub.js';

/** Where the files of a data set are. */
export interface DataFolder {
  readonly folder: string;
  /** `owner/name` on the Hub; undefined for a local folder. */
  readonly id?: string;
}

/**
 * The folder of a data set: a local one as it is, or that of a data set on the Hub (`owner/name`, `owner/name@revision`), whose files
 * are downloaded once into the standard Hugging Face cache. What is neither is left to whoever reads it.
 * @param choose of the paths of the repository those that are needed.
 * @throws DataError if the repository has none of them, ModelError naming what the hub answered.
 */
export async function openDataFolder(
  location: string,
  choose: (paths: readonly string[]) => readonly string[],
): Promise<DataFolder> {
  const place = existsSync(location) ? undefined : hubPlace(location);
  if (!place) return { folder: location };
  const snapshot = await openHubSnapshot(place.id, { ...place, type: 'dataset' });
  const paths = choose(await snapshot.list(''));
  if (paths.length === 0) {
    throw new DataError({
      packageName: PACKAGE_NAME,
      subject: location,
      problem: 'this data set of the hub holds no files that the task is read from',
      remedy: 'Name a data set with parquet files, or a local folder',
    });
  }
  for (const path of paths) await snapshot.file(path);
  return { folder: snapshot.folder, id: place.id };
}
