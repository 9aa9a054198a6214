import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';

import { ConfigurationError } from '@dynaprompt/core';

import type { OutputOptions } from '../options/comparison.js';
import { packageName } from '../package-name.js';
import { claimFolder, type FolderClaim } from './claim-folder.js';
import { checkpointsName, requireOutputFolder } from './output-folder.js';

/** An output folder that this process alone works in. */
export interface OutputClaim extends Pick<FolderClaim, 'release'> {
  /** Absolute path of the folder that holds the checkpoints of its runs, each in a folder of its own. */
  readonly checkpoints: string;
  /** Whether there are checkpoints to go on from, or for a later run to do so. */
  hasCheckpoints(): Promise<boolean>;
  /** Removes what was only there in case of an interruption. */
  removeCheckpoints(): Promise<void>;
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
  const claim = claimOf(await claimFolder(output));
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

function claimOf(held: FolderClaim): OutputClaim {
  const checkpoints = join(held.folder, checkpointsName);
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
      await held.release();
    },
  };
}
