import { nullThrows } from '@dynaprompt/core';
import type { GradientExchange, PassAnswer } from '@dynaprompt/training';

import type { RankChannel } from './channel.js';
import { RanksDifferError } from './errors.js';
import { decodeMessage, digestOf, encodeMessage } from './message.js';

/**
 * Exchanges the passes of steps over a channel, for all runs of a process one after the other. Before it takes a step, it makes sure
 * that the parameters of all ranks are the same, bit for bit.
 */
export function exchangeOver(channel: RankChannel): GradientExchange {
  let round = 0;
  return {
    rank: channel.rank,
    size: channel.size,
    async exchange(own, count, parameters) {
      const digest = digestOf(parameters);
      const gathered = await channel.gather(round++, encodeMessage({ digest, count, own }));
      const messages = gathered.map(decodeMessage);
      const [first] = messages;
      const answers = new Map<number, PassAnswer>();
      for (const [rank, message] of messages.entries()) {
        if (message.digest !== first?.digest) throw new RanksDifferError(rank, 'parameters');
        if (message.count !== first.count) throw new RanksDifferError(rank, 'batches');
        for (const [index, answer] of message.own) answers.set(index, answer);
      }
      return Array.from({ length: count }, (_, index) =>
        nullThrows(answers.get(index), 'every pass belongs to a rank'),
      );
    },
  };
}
