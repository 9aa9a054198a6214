import { describe, expect, it } from '@jest/globals';

import { RankLostError } from './errors.js';
import { Meeting } from './meeting.js';

const text = (words: string): Uint8Array => Buffer.from(words);

describe('Meeting', () => {
  it('gives every rank the messages of all, in the order of the ranks', async () => {
    const meeting = new Meeting(3);
    const channels = [2, 0, 1].map((rank) => meeting.channel(rank));
    for (let round = 0; round < 3; round++) {
      const gathered = await Promise.all(
        channels.map((channel) => channel.gather(round, text(`${channel.rank} of ${round}`))),
      );
      for (const messages of gathered) {
        expect(messages.map((message) => Buffer.from(message).toString())).toEqual(
          [0, 1, 2].map((rank) => `${rank} of ${round}`),
        );
      }
    }
  });

  it('tells those who wait, and those who come later, which rank is gone', async () => {
    const meeting = new Meeting(3);
    const waiting = meeting.channel(0).gather(4, text('a'));
    meeting.lose(2, 'ended by SIGKILL');
    meeting.lose(1, 'could not go on either');
    for (const gathered of [waiting, meeting.channel(1).gather(4, text('b'))]) {
      await expect(gathered).rejects.toThrow(RankLostError);
      await expect(gathered).rejects.toMatchObject({ rank: 2, how: 'ended by SIGKILL' });
    }
  });
});
