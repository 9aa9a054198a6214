import { readdir, rm, rmdir, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';

import { ConfigurationError } from '@dynaprompt/core';
import { type FolderLock, lockFolder } from '@dynaprompt/training';

import type { OutputOptions } from '../options/comparison.js';
import { packageName } from '../package-name.js';
import { checkpointsName, requireOutputFolder } from './output-folder.js';

/** An output folder that this process alone works in. */
export interface OutputClaim {
  /** Absolute path of the folder that holds the checkpoints of its runs, each in a folder of its own. */
  readonly checkpoints: string;
  /** Whether there are checkpoints to go on from, or for a later run to do so. */
  hasCheckpoints(): Promise<boolean>;
  /** Removes what was only there in case of an interruption. */
  removeCheckpoints(): Promise<void>;
  /** Gives the folder back; where nothing is in it, it is removed again. */
  release(): Promise<void>;
}

/**
 * Takes an output folder for a run, which creates it where it is missing.
 *
 * @throws ConfigurationError where it cannot be written, holds other files, or checkpoints that are neither resumed nor forced away.
 * @throws FolderInUseError at once, naming the holder, where another run works in it.
 */
export async function claimOutput(
  application: string,
  { output, force, resume = false }: OutputOptions,
): Promise<OutputClaim> {
  await requireOutputFolder(application, output, force);
  const folder = resolve(output);
  const created = await firstMissing(folder);
  const lock = await lockFolder(folder);
  const claim = claimOf(folder, lock, created);
  if (!resume && (await claim.hasCheckpoints())) {
    if (!force) {
      await claim.release();
      throw new ConfigurationError({
        packageName,
        subject: `--output ${output}`,
        problem: 'the folder holds the checkpoints of a run that was interrupted',
        remedy: 'Go on with it by --resume, begin anew with --force, or name another folder',
      });
    }
    await claim.removeCheckpoints();
  }
  return claim;
}

function claimOf(folder: string, lock: FolderLock, created: string | undefined): OutputClaim {
  const checkpoints = join(folder, checkpointsName);
  return {
    checkpoints,
    async hasCheckpoints() {
      const runs = await readdir(checkpoints).catch(() => []);
      const names = await Promise.all(runs.map((run) => readdir(join(checkpoints, run)).catch(() => [])));
      // Before the first step there is nothing to keep.
      return names.flat().some((name) => /^checkpoint-[1-9]\d*$/.test(name));
    },
    removeCheckpoints: () => rm(checkpoints, { recursive: true, force: true }),
    async release() {
      if (!(await this.hasCheckpoints())) await this.removeCheckpoints();
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
