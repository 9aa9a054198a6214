import type { ParallelOptions } from './flags.js';
import { launchRanks } from './launch.js';
import { Meeting } from './meeting.js';
import { type KeyStore, RedisHub } from './redis-hub.js';

/** Milliseconds that ranks elsewhere may take to come, and that the server may be out of reach. */
const patience = 120_000;

/**
 * Runs this same command in child processes that train together, all of them here or one of them.
 *
 * @returns its exit code.
 * @throws RankLostError, QueueConnectionError
 */
export async function runRanks({ size, remote }: ParallelOptions, signal: AbortSignal): Promise<number> {
  const [, script = '', ...words] = process.argv;
  if (remote === undefined) {
    const ranks = Array.from({ length: size }, (_, rank) => rank);
    return launchRanks({ script, words, ranks, hub: new Meeting(size), signal });
  }
  const { rank, url, group } = remote;
  // Loaded where there is a queue: a command line begins sooner without.
  const { RedisLink } = await import('../queue/redis-link.js');
  const link = await RedisLink.open(url, patience, `rank-${rank}`);
  const store: KeyStore = {
    call: (...command) => link.persistently(() => link.client.call(...command)),
    callBuffer: (...command) => link.persistently(() => link.client.callBuffer(...command)),
  };
  try {
    const hub = await RedisHub.join(store, { rank, size, group, patience, signal });
    try {
      return await launchRanks({ script, words, ranks: [rank], hub, signal });
    } finally {
      hub.leave();
    }
  } finally {
    await link.close();
  }
}
