import type { Command } from 'commander';

import { parseCount, parseIndex } from '../options/values.js';
import { unusable } from '../sweep/file.js';

/** How several processes train the runs of a command together; changes no result beyond rounding. */
export interface ParallelOptions {
  /** Processes. */
  readonly size: number;
  /** Absent: all ranks are started here. */
  readonly remote?: {
    /** The rank to start here. */
    readonly rank: number;
    /** Redis server that joins the ranks. */
    readonly url: string;
    /** Name that all ranks of the command give. */
    readonly group: string;
  };
}

/** Values of these options, as commander hands them over. */
export interface ParallelFlags {
  readonly dataParallel?: number;
  readonly rank?: number;
  readonly queue?: string;
  readonly group?: string;
}

/** Adds `--data-parallel` and where the ranks are. */
export function addParallel(command: Command): Command {
  return command
    .option('--data-parallel <count>', 'processes that train each run together', parseCount)
    .option('--rank <index>', 'start this one of them here, the others elsewhere; needs --queue', parseIndex)
    .option('--queue <url>', 'Redis server that joins the ranks, redis://host:port/database')
    .option('--group <name>', 'what all ranks call their run (default: default)');
}

/** Puts the flags together. @throws ConfigurationError where they do not go together. */
export function parallelOf({ dataParallel, rank, queue, group = 'default' }: ParallelFlags): {
  readonly parallel?: ParallelOptions;
} {
  if (dataParallel === undefined || dataParallel === 1) {
    if (rank === undefined && queue === undefined) return {};
    throw unusable(
      '--rank',
      'there is one process only',
      'Say with --data-parallel how many train a run together',
    );
  }
  if (rank === undefined && queue === undefined) return { parallel: { size: dataParallel } };
  if (rank === undefined || queue === undefined) {
    const [given, missing] = rank === undefined ? ['--queue', '--rank'] : ['--rank', '--queue'];
    throw unusable(given, `${missing} is missing`, 'Give both, or neither to start all ranks here');
  }
  if (rank >= dataParallel) {
    throw unusable(`--rank ${rank}`, `there are ${dataParallel} ranks`, `Give 0 to ${dataParallel - 1}`);
  }
  return { parallel: { size: dataParallel, remote: { rank, url: queue, group } } };
}
