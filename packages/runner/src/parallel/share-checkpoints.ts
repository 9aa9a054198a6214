import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

import type { CheckpointPlan } from '../comparison/runs.js';
import type { RankChannel } from './channel.js';

/** Where a rank finds and leaves the checkpoints of its runs. */
export interface SharedCheckpoints {
  /** Absent: nothing is resumed, and nothing is left. */
  readonly plan: CheckpointPlan | undefined;
  /** Removes what is there for this rank alone. */
  readonly close: () => Promise<void>;
}

/**
 * Gives all ranks the checkpoints of rank 0, so that all of them go on from the same step; ranks need no folder in common. Rank 0
 * alone leaves new ones.
 *
 * @param round of the channel; all ranks share in it.
 * @param plan that of rank 0; the others have none.
 * @throws RankLostError
 */
export async function shareCheckpoints(
  channel: RankChannel,
  round: number,
  plan?: CheckpointPlan,
): Promise<SharedCheckpoints> {
  const own = plan?.resume === true ? await filesOf(plan.folder) : new Map<string, Uint8Array>();
  const [given] = await channel.gather(round, encodeFiles(own));
  if (channel.rank === 0) return { plan, close: () => Promise.resolve() };
  const files = given === undefined ? new Map<string, Uint8Array>() : decodeFiles(given);
  if (files.size === 0) return { plan: undefined, close: () => Promise.resolve() };
  const folder = await mkdtemp(join(tmpdir(), 'dynaprompt-rank-'));
  for (const [name, content] of files) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), content);
  }
  return {
    plan: { folder, everySteps: Number.MAX_SAFE_INTEGER, resume: true },
    close: () => rm(folder, { recursive: true, force: true }),
  };
}

/** A file of a checkpoint, or of the best parameters that it goes with; not what a killed process left half-written. */
const place = /^[\w-][\w.-]*\/(checkpoint|best)-\d+\/[\w-][\w.-]*$/;

/** Files of the checkpoints of all runs, by their path in the folder. */
async function filesOf(folder: string): Promise<ReadonlyMap<string, Uint8Array>> {
  const names = await readdir(folder, { recursive: true }).catch(() => []);
  const files = new Map<string, Uint8Array>();
  for (const name of names.map((path) => path.replaceAll('\\', '/')).sort()) {
    if (place.test(name)) files.set(name, await readFile(join(folder, name)));
  }
  return files;
}

/** A 32-bit length, names and lengths in JSON, and the contents. */
function encodeFiles(files: ReadonlyMap<string, Uint8Array>): Uint8Array {
  const places = [...files].map(([name, { length }]) => ({ name, length }));
  const header = Buffer.from(JSON.stringify(places));
  const length = Buffer.alloc(4);
  length.writeUInt32LE(header.length);
  return Buffer.concat([length, header, ...files.values()]);
}

function decodeFiles(message: Uint8Array): ReadonlyMap<string, Uint8Array> {
  const bytes = Buffer.from(message.buffer, message.byteOffset, message.byteLength);
  let start = 4 + bytes.readUInt32LE(0);
  const places = JSON.parse(bytes.toString('utf8', 4, start)) as { name: string; length: number }[];
  const files = new Map<string, Uint8Array>();
  for (const { name, length } of places) {
    // What comes from elsewhere stays within the folder.
    if (place.test(name)) files.set(name, bytes.subarray(start, start + length));
    start += length;
  }
  return files;
}
