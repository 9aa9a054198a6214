import { describe, expect, it } from '@jest/globals';

import type { ParameterSet } from '@dynaprompt/core';
import type { PassAnswer } from '@dynaprompt/training';

import { RanksDifferError } from './errors.js';
import { exchangeOver } from './exchange.js';
import { Meeting } from './meeting.js';
import { decodeMessage, digestOf, encodeMessage } from './message.js';

const answer = (seed: number): PassAnswer => ({
  loss: Math.PI * seed,
  plan: {
    prompts: Float32Array.of(seed, 0.1, NaN, -Infinity),
    position: Float32Array.of(1e-40 * seed),
    gates: undefined,
    deep: undefined,
  },
  head: new Map([
    ['weight', Float32Array.of(seed, 1 / 3)],
    ['bias', new Float32Array(0)],
  ]),
});

/** What an answer is once fields that are not there have been left out. */
const comparable = ({ loss, plan, head }: PassAnswer): unknown => ({
  loss,
  plan: Object.fromEntries(Object.entries(plan).filter(([, values]) => values !== undefined)),
  head,
});

const parameters = (value: number): ParameterSet =>
  new Map([['prompt', { shape: [1, 2], values: Float32Array.of(value, 2) }]]);

describe('encodeMessage', () => {
  it('is read back bit for bit', () => {
    const own = new Map([
      [1, answer(1)],
      [3, { ...answer(2), loss: NaN }],
    ]);
    const read = decodeMessage(encodeMessage({ digest: 'abc', count: 5, stops: true, own }));
    expect(read).toMatchObject({ digest: 'abc', count: 5, stops: true });
    expect([...read.own].map(([index, given]) => [index, comparable(given)])).toEqual(
      [...own].map(([index, given]) => [index, comparable(given)]),
    );
  });
});

describe('digestOf', () => {
  it('tells parameters apart by a single bit', () => {
    expect(digestOf(parameters(1))).toBe(digestOf(parameters(1)));
    expect(digestOf(parameters(1 + 2 ** -23))).not.toBe(digestOf(parameters(1)));
    expect(digestOf(parameters(-0))).not.toBe(digestOf(parameters(0)));
  });
});

describe('exchangeOver', () => {
  it('gives every rank all passes in order', async () => {
    const meeting = new Meeting(2);
    const exchanges = [0, 1].map((rank) => exchangeOver(meeting.channel(rank)));
    for (let step = 0; step < 2; step++) {
      const gathered = await Promise.all(
        exchanges.map((exchange) => {
          const own = new Map(
            [0, 1, 2].filter((index) => index % 2 === exchange.rank).map((index) => [index, answer(index)]),
          );
          return exchange.exchange(own, 3, parameters(step));
        }),
      );
      const expected = [0, 1, 2].map((index) => comparable(answer(index)));
      for (const answers of gathered) expect(answers.map(comparable)).toEqual(expected);
    }
  });

  it('stops all ranks in the same step', async () => {
    const meeting = new Meeting(2);
    const asked = new AbortController();
    const exchanges = [0, 1].map((rank) =>
      exchangeOver(meeting.channel(rank), 3, rank === 1 ? asked.signal : undefined),
    );
    const step = (): Promise<unknown> =>
      Promise.all(
        exchanges.map((each) => each.exchange(new Map([[each.rank, answer(1)]]), 2, parameters(1))),
      );
    const raised = (): boolean[] => exchanges.map(({ stopping }) => stopping.aborted);
    await step();
    asked.abort(new Error('enough'));
    expect(raised()).toEqual([false, false]);
    await step();
    expect(raised()).toEqual([true, true]);
  });

  it('stops at once before the first step', () => {
    const asked = new AbortController();
    const { stopping } = exchangeOver(new Meeting(2).channel(0), 0, asked.signal);
    asked.abort(new Error('enough'));
    expect(stopping.reason).toEqual(new Error('enough'));
    expect(exchangeOver(new Meeting(2).channel(0), 0, asked.signal).stopping.aborted).toBe(true);
  });

  it('names the rank whose parameters are others', async () => {
    const meeting = new Meeting(3);
    const gathered = [0, 1, 2].map((rank) =>
      exchangeOver(meeting.channel(rank)).exchange(
        new Map([[rank, answer(rank)]]),
        3,
        parameters(rank === 1 ? 5 : 1),
      ),
    );
    for (const answers of await Promise.allSettled(gathered)) {
      expect(answers).toMatchObject({ status: 'rejected', reason: { rank: 1 } });
      expect(answers.status === 'rejected' && answers.reason instanceof RanksDifferError).toBe(true);
    }
  });
});
