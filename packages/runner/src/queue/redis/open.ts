import { setTimeout } from 'node:timers/promises';

import { ConnectionClosedError } from 'bullmq';

import { parseRedisAddress } from '../address.js';
import { QueueConnectionError } from '../errors.js';
import { RedisClient } from './client.js';

/** Opens a connection. @throws ConfigurationError for a wrong URL, QueueConnectionError within seconds where nobody answers. */
export async function openRedis(url: string, patience: number, name?: string): Promise<RedisClient> {
  const client = new RedisClient(parseRedisAddress(url), { patience, name });
  await client.connect();
  return client;
}

/**
 * Does something that may be done twice, again and again while the connection comes and goes.
 *
 * @throws QueueConnectionError when the connection has given up.
 */
export async function persistently<Result>(
  client: RedisClient,
  action: () => Promise<Result>,
): Promise<Result> {
  let gaveUp: unknown;
  const remember = (error: unknown): void => {
    gaveUp = error;
  };
  client.once('end', remember);
  try {
    for (;;) {
      try {
        return await action();
      } catch (error) {
        if (gaveUp instanceof QueueConnectionError) throw gaveUp;
        if (!(error instanceof ConnectionClosedError) || client.status === 'end') throw error;
        await setTimeout(100);
      }
    }
  } finally {
    client.off('end', remember);
  }
}
