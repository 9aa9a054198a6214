import type { Command } from 'commander';

import { parseCount, parseRate } from '../options/values.js';
import type { SweepPlaces } from './run-sweep.js';

interface SweepFlags extends Omit<SweepPlaces, 'openQueue' | 'retryFailed'> {
  readonly queue?: string;
  readonly patience: number;
  readonly retryFailed?: boolean;
}

/** Adds `sweep`. @param application its name: that of the queue. */
export function addSweep(
  program: Command,
  application: string,
  sweep: (places: SweepPlaces) => Promise<void>,
): void {
  program
    .command('sweep')
    .description('train every combination of tasks, backbones, methods, seeds and options of a YAML file')
    .requiredOption('--config <file>', 'YAML file of the sweep')
    .option('--output <folder>', 'journal, results and summary; the same folder goes on', 'results/sweep')
    .option('--data-root <folder>', 'folder in which the folders of the tasks lie', '.')
    .option('--workers <count>', 'processes here, each with one thread; without --queue', parseCount, 2)
    .option('--queue <url>', 'Redis server whose workers do the jobs, redis://host:port/database')
    .option('--patience <seconds>', 'how long the server may be out of reach', parseRate, 60)
    .option('--retry-failed', 'try jobs again that failed earlier')
    .action(async ({ queue, patience, retryFailed = false, ...places }: SweepFlags) => {
      await sweep({
        ...places,
        retryFailed,
        openQueue:
          queue === undefined
            ? undefined
            : async () => {
                // Loaded where there is a queue: a command line begins sooner without.
                const { openBullQueue } = await import('../queue/bull.js');
                return openBullQueue({ url: queue, application, patience: 1000 * patience });
              },
      });
    });
}
