import { ConfigurationError } from '@dynaprompt/core';

import { FolderInUseError, type FolderLock, lockFolder } from '../files/folder-lock.js';
import { packageName } from '../package-name.js';
import { CheckpointFolder } from './checkpoint-folder.js';
import { CheckpointMismatchError } from './errors.js';
import type { CheckpointContent } from './format.js';
import { differencesBetween, type RunIdentity } from './identity.js';
import { type CheckpointSettings, type Resume } from './options.js';
import type { RunState } from './state.js';

export interface OpenCheckpointsOptions {
  readonly settings: CheckpointSettings;
  readonly resume: Resume;
  readonly identity: RunIdentity;
  /** Hears of checkpoints that are damaged. */
  readonly complain: (message: string) => void;
  /** Milliseconds, of `performance.now()`, when the run began. */
  readonly began: number;
}

/** The checkpoints of a run that is under way; its folder is locked until {@link close}. */
export class RunCheckpoints {
  private lastStep: number | undefined;
  private lastTime = performance.now();

  private constructor(
    private readonly options: OpenCheckpointsOptions,
    private readonly checkpoints: CheckpointFolder,
    private readonly lock: FolderLock,
    private readonly found: CheckpointContent | undefined,
  ) {
    this.lastStep = found?.state.step;
  }

  /**
   * Locks the folder and reads what is to be resumed.
   *
   * @throws FolderInUseError when another run works in the folder.
   * @throws CheckpointMismatchError naming what differs, when its checkpoints are of another run.
   * @throws ConfigurationError when the folder cannot be written, when there is no checkpoint and `resume` is true, or there is one and it is false.
   * @throws DataError when all checkpoints are damaged.
   */
  static async open(options: OpenCheckpointsOptions): Promise<RunCheckpoints> {
    const { settings } = options;
    const lock = await lockFolder(settings.folder).catch((cause: unknown) => {
      throw cause instanceof FolderInUseError ? cause : unusable(settings.folder, cause as Error);
    });
    try {
      const checkpoints = new CheckpointFolder(lock.folder, settings.keep);
      await checkpoints.tidy();
      return new RunCheckpoints(options, checkpoints, lock, await resumable(checkpoints, options));
    } catch (error) {
      await lock.release();
      throw error;
    }
  }

  /** Where the run goes on; absent where it begins. */
  get resumed(): RunState | undefined {
    return this.found?.state;
  }

  /** Wall-clock time of the run so far, that before an interruption included. */
  get seconds(): number {
    return (this.found?.seconds ?? 0) + (performance.now() - this.options.began) / 1000;
  }

  /** Whether it is time to save, so many steps being behind the run. */
  isDue(step: number): boolean {
    const { everySteps, everySeconds } = this.options.settings;
    if (step === this.lastStep) return false;
    const seconds = (performance.now() - this.lastTime) / 1000;
    return step % everySteps === 0 || (everySeconds !== undefined && seconds >= everySeconds);
  }

  /**
   * Writes a checkpoint; one of the same step that is there already is taken for it.
   *
   * @returns its absolute path.
   * @throws CheckpointWriteError, the earlier ones being as they were.
   * @throws FolderInUseError when the folder is no longer this run's.
   */
  async save(state: RunState): Promise<string> {
    const { checkpoints, options } = this;
    if (state.step === this.lastStep) return checkpoints.pathOf(state.step);
    await this.lock.assertHeld();
    const path = await checkpoints.write({ state, run: options.identity, seconds: this.seconds });
    this.lastStep = state.step;
    this.lastTime = performance.now();
    return path;
  }

  /** Gives the folder back. */
  close(): Promise<void> {
    return this.lock.release();
  }
}

async function resumable(
  checkpoints: CheckpointFolder,
  { resume, identity, complain }: OpenCheckpointsOptions,
): Promise<CheckpointContent | undefined> {
  const [newest] = await checkpoints.steps();
  if (resume === false) {
    if (newest === undefined) return undefined;
    throw new ConfigurationError({
      packageName,
      subject: checkpoints.pathOf(newest),
      problem: 'there is a checkpoint of an earlier run already',
      remedy: 'Resume that run, remove its checkpoints, or name another folder',
    });
  }
  const content = await checkpoints.readNewest(complain);
  if (content === undefined) {
    if (resume === 'auto') return undefined;
    throw new ConfigurationError({
      packageName,
      subject: checkpoints.folder,
      problem: 'there is no checkpoint to resume from',
      remedy: 'Name the folder of the run that was interrupted, or start it without resume',
    });
  }
  const differences = differencesBetween(content.run, identity);
  if (differences.length > 0) {
    throw new CheckpointMismatchError(checkpoints.pathOf(content.state.step), differences);
  }
  return content;
}

function unusable(folder: string, cause: Error): ConfigurationError {
  return new ConfigurationError({
    packageName,
    subject: folder,
    problem: `checkpoints cannot be written there (${cause.message})`,
    remedy: 'Name a folder in a writable place',
    cause,
  });
}
