import { readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';

import { ConfigurationError, DataError, type ParameterSet } from '@dynaprompt/core';

import {
  readAbout,
  readSnapshot,
  removePending,
  removeSnapshot,
  type Snapshot,
  writeSnapshot,
} from '../files/folder-snapshot.js';
import { packageName } from '../package-name.js';
import {
  type CheckpointContent,
  decodeBest,
  decodeCheckpoint,
  encodeBest,
  encodeCheckpoint,
  readAboutOf,
} from './format.js';
import { CheckpointWriteError } from './errors.js';

/** The checkpoints of a run on disk: `checkpoint-<step>`, and `best-<step>` with the best parameters that they go with. */
export class CheckpointFolder {
  /** Step of the best parameters that are known to be there. */
  private bestThere: number | undefined;

  constructor(
    readonly folder: string,
    /** Newest checkpoints that stay. */
    private readonly keep: number,
  ) {}

  /** Steps of the checkpoints, newest first. */
  steps(): Promise<readonly number[]> {
    return this.stepsOf('checkpoint');
  }

  pathOf(step: number): string {
    return join(this.folder, `checkpoint-${step}`);
  }

  /** Removes what dead processes left half-written. */
  tidy(): Promise<void> {
    return removePending(this.folder);
  }

  /**
   * Writes a checkpoint, the best parameters first where they are not there yet, and removes what is too old.
   *
   * @returns its absolute path.
   * @throws CheckpointWriteError when the file system cannot take it; those of before are as they were.
   */
  async write(content: CheckpointContent): Promise<string> {
    const { step, history } = content.state;
    const { best } = history;
    if (best !== undefined && best.step !== this.bestThere) {
      await this.place(`best-${best.step}`, encodeBest(best));
      this.bestThere = best.step;
    }
    await this.place(`checkpoint-${step}`, encodeCheckpoint(content));
    await this.prune().catch((cause: unknown) => {
      throw new CheckpointWriteError(this.folder, cause);
    });
    return this.pathOf(step);
  }

  /** @throws Error saying what is damaged. */
  async read(step: number): Promise<CheckpointContent> {
    const name = `checkpoint-${step}`;
    const snapshot = await readSnapshot(this.folder, name);
    const { best } = readAboutOf(snapshot.about, 'checkpoint', this.pathOf(step));
    const parameters: ParameterSet = best === undefined ? new Map() : await this.readBest(best);
    return decodeCheckpoint(snapshot, this.pathOf(step), () => parameters);
  }

  /**
   * The newest checkpoint that is sound; `undefined` where there is none at all. Those that are not are put aside as
   * `….damaged`, and `complain` hears of each.
   *
   * @throws DataError when all are damaged; nothing is put aside then. ConfigurationError when one is of another version.
   */
  async readNewest(complain: (message: string) => void): Promise<CheckpointContent | undefined> {
    const damaged: { readonly step: number; readonly problem: string }[] = [];
    for (const step of await this.steps()) {
      const content = await this.read(step).catch((error: unknown) => {
        // Of another version, which is no damage.
        if (error instanceof ConfigurationError) throw error;
        damaged.push({ step, problem: error instanceof Error ? error.message : String(error) });
        return undefined;
      });
      if (content === undefined) continue;
      this.bestThere = content.state.history.best?.step;
      for (const { step: bad, problem } of damaged) {
        await this.putAside(bad);
        complain(
          `${this.pathOf(bad)} is damaged (${problem}) and was renamed to checkpoint-${bad}.damaged; ` +
            `going back to the checkpoint of step ${step}`,
        );
      }
      return content;
    }
    const [first] = damaged;
    if (first === undefined) return undefined;
    throw new DataError({
      packageName,
      subject: this.folder,
      problem: `none of its checkpoints is sound; that of step ${first.step}: ${first.problem}`,
      remedy: 'Restore the files from a copy, or start anew in another folder',
    });
  }

  private async readBest(step: number): Promise<ParameterSet> {
    const name = `best-${step}`;
    try {
      return decodeBest(await readSnapshot(this.folder, name), join(this.folder, name));
    } catch (error) {
      throw new Error(`${name}: ${(error as Error).message}`, { cause: error });
    }
  }

  /** Writes a snapshot unless the very same is there. */
  private async place(name: string, snapshot: Snapshot<unknown>): Promise<void> {
    try {
      const found = await readSnapshot(this.folder, name).catch(() => undefined);
      if (found !== undefined && areEqual(found, snapshot)) return;
      const names = await readdir(this.folder);
      if (names.includes(name)) await removeSnapshot(this.folder, name);
      await writeSnapshot(this.folder, name, snapshot);
    } catch (cause) {
      throw new CheckpointWriteError(join(this.folder, name), cause);
    }
  }

  private async prune(): Promise<void> {
    const steps = await this.steps();
    for (const step of steps.slice(this.keep)) await removeSnapshot(this.folder, `checkpoint-${step}`);
    const wanted = new Set<number | undefined>();
    for (const step of steps.slice(0, this.keep)) {
      const about = await readAbout(this.folder, `checkpoint-${step}`).catch(() => undefined);
      // Which one a damaged checkpoint goes with is not known: nothing is removed.
      if (about === undefined) return;
      wanted.add(readAboutOf(about, 'checkpoint', this.pathOf(step)).best);
    }
    for (const step of await this.stepsOf('best')) {
      if (!wanted.has(step)) await removeSnapshot(this.folder, `best-${step}`);
    }
  }

  private async putAside(step: number): Promise<void> {
    const aside = `${this.pathOf(step)}.damaged`;
    await rm(aside, { recursive: true, force: true });
    await rename(this.pathOf(step), aside);
  }

  private async stepsOf(kind: 'checkpoint' | 'best'): Promise<readonly number[]> {
    const names = await readdir(this.folder);
    const steps = names.flatMap((name) => {
      const [, found, step] = /^(checkpoint|best)-(\d+)$/.exec(name) ?? [];
      return found === kind ? [Number(step)] : [];
    });
    return steps.sort((left, right) => right - left);
  }
}

function areEqual(left: Snapshot<unknown>, right: Snapshot<unknown>): boolean {
  return (
    left.files.size === right.files.size &&
    [...left.files].every(([name, bytes]) => {
      const other = right.files.get(name);
      return other !== undefined && Buffer.compare(bytes, other) === 0;
    })
  );
}
