import { rmdir, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';

import { lockFolder } from '@dynaprompt/training';

/** A folder that this process alone works in. */
export interface FolderClaim {
  /** Absolute path. */
  readonly folder: string;
  /** Gives the folder back; where it was created for this and nothing is in it, it is removed again. */
  release(): Promise<void>;
}

/** Takes a folder, which is created where it is missing. @throws FolderInUseError at once, naming the holder. */
export async function claimFolder(path: string): Promise<FolderClaim> {
  const folder = resolve(path);
  const created = await firstMissing(folder);
  const lock = await lockFolder(folder);
  return {
    folder,
    async release() {
      await lock.release();
      if (created !== undefined) await removeEmpty(folder, created);
    },
  };
}

/** The uppermost folder that is not there yet; undefined where all are. */
async function firstMissing(folder: string): Promise<string | undefined> {
  let missing: string | undefined;
  for (let place = folder; ; place = dirname(place)) {
    if ((await stat(place).catch(() => undefined)) !== undefined || dirname(place) === place) return missing;
    missing = place;
  }
}

/** Removes folders that are empty, from `folder` up to `last`. */
async function removeEmpty(folder: string, last: string): Promise<void> {
  for (let place = folder; place.length >= last.length; place = dirname(place)) {
    const isGone = await rmdir(place).then(
      () => true,
      () => false,
    );
    if (!isGone) return;
  }
}
