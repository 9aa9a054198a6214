import { nullThrows } from '@dynaprompt/core';
import type { GradientExchange, PassAnswer } from '@dynaprompt/training';

import type { RankChannel } from './channel.js';
import { RanksDifferError } from './errors.js';
import { decodeMessage, digestOf, encodeMessage } from './message.js';

/** An exchange whose ranks stop together. */
export interface StoppableExchange extends GradientExchange {
  /** Raised on all ranks in the same step, when one of them was asked to stop; before the first step on that one alone. */
  readonly stopping: AbortSignal;
}

/**
 * Exchanges the passes of steps over a channel, for all runs of a process one after the other. Before it takes a step, it makes sure
 * that the parameters of all ranks are the same, bit for bit.
 *
 * @param first round of the channel that it may use.
 * @param signal asks this rank to stop.
 */
export function exchangeOver(channel: RankChannel, first = 0, signal?: AbortSignal): StoppableExchange {
  let round = first;
  const stopping = new AbortController();
  const stop = (): void => {
    if (round === first) stopping.abort(signal?.reason);
  };
  if (signal?.aborted === true) stop();
  signal?.addEventListener('abort', stop, { once: true });
  return {
    rank: channel.rank,
    size: channel.size,
    stopping: stopping.signal,
    async exchange(own, count, parameters) {
      const digest = digestOf(parameters);
      const stops = signal?.aborted === true;
      const gathered = await channel.gather(round++, encodeMessage({ digest, count, stops, own }));
      const messages = gathered.map(decodeMessage);
      const stopped = messages.findIndex((message) => message.stops);
      if (stopped >= 0) stopping.abort(new Error(`rank ${stopped} was asked to stop`));
      const [reference] = messages;
      const answers = new Map<number, PassAnswer>();
      for (const [rank, message] of messages.entries()) {
        if (message.digest !== reference?.digest) throw new RanksDifferError(rank, 'parameters');
        if (message.count !== reference.count) throw new RanksDifferError(rank, 'batches');
        for (const [index, answer] of message.own) answers.set(index, answer);
      }
      return Array.from({ length: count }, (_, index) =>
        nullThrows(answers.get(index), 'every pass belongs to a rank'),
      );
    },
  };
}
