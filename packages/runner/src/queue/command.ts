import type { Command } from 'commander';

import type { Application } from '../application.js';
import { parseCount, parseDecay, parseRate } from '../options/values.js';
import { machineOf } from '../process/machine.js';
import { childPerformer, runWorker } from './run-worker.js';

/** What `worker` was asked to do. */
export interface WorkerPlaces {
  readonly queue: string;
  readonly concurrency: number;
  readonly dataRoot: string;
  readonly results?: string;
  /** The rest in seconds. */
  readonly grace: number;
  readonly idle?: number;
  readonly lock: number;
  readonly patience: number;
}

/** Adds `worker`. */
export function addWorker(program: Command, work: (places: WorkerPlaces) => Promise<void>): void {
  program
    .command('worker')
    .description('do jobs that sweeps put into a queue, until it is told to stop')
    .requiredOption('--queue <url>', 'Redis server, redis://host:port/database')
    .option(
      '--concurrency <count>',
      'jobs at the same time, each in a process with one thread',
      parseCount,
      1,
    )
    .option('--data-root <folder>', 'folder in which the folders of the tasks lie', '.')
    .option('--results <folder>', 'folder that results are written into as well, KEY.json each')
    .option(
      '--grace <seconds>',
      'what jobs at hand may take after SIGTERM before they go back',
      parseDecay,
      20,
    )
    .option('--idle <seconds>', 'end when there was nothing to do for so long (default: wait on)', parseRate)
    .option(
      '--lock <seconds>',
      'silence after which a job of a lost worker is given to another',
      parseRate,
      30,
    )
    .option('--patience <seconds>', 'how long the server may be out of reach', parseRate, 60)
    .action((places: WorkerPlaces) => work(places));
}

/**
 * Works for the sweeps of an application.
 *
 * @param module calls `serveSweep` with the domain of the application.
 */
export async function serveQueue(
  application: Application,
  module: URL,
  places: WorkerPlaces,
  signal: AbortSignal,
): Promise<void> {
  const { queue, concurrency, dataRoot, results, grace, idle, lock, patience } = places;
  const say = (line: string): void => {
    process.stdout.write(`${line}\n`);
  };
  // Loaded where there is a queue: a command line begins sooner without.
  const { openBullFeed } = await import('./bull.js');
  const feed = await openBullFeed(
    { url: queue, application: application.name, patience: 1000 * patience },
    { concurrency, lock: 1000 * lock, grace: 1000 * grace, say },
  );
  say(`waiting for jobs of ${application.name}`);
  await runWorker(feed, {
    grace: 1000 * grace,
    idle: idle === undefined ? undefined : 1000 * idle,
    results,
    machine: machineOf(application),
    signal,
    say,
    start: () => childPerformer(module, dataRoot),
  });
}
