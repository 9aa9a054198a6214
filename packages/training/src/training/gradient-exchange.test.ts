import { beforeAll, describe, expect, it } from '@jest/globals';

import { nullThrows, selectBackend } from '@dynaprompt/core';

import type { TrainingEvent } from '../events.js';
import { ToyBackbone, type ToyExample } from '../testing/toy-backbone.test.fixture.js';
import { options, small, valuesOf } from '../testing/toy-run.test.fixture.js';
import { type GradientExchange, type PassAnswer, passesOf } from './gradient-exchange.js';
import { methodNamed } from './method.js';
import type { TrainingOptions } from './options.js';
import { trainPrompt } from './train-prompt.js';

beforeAll(async () => {
  await selectBackend();
});

/** Exchanges of ranks in this process, which write down the parameters of every step. */
function exchangesOf(size: number): { exchanges: GradientExchange[]; seen: string[][] } {
  const seen: string[][] = [];
  let answers = new Map<number, PassAnswer>();
  let waiting: (() => void)[] = [];
  const exchanges = Array.from({ length: size }, (_, rank): GradientExchange => {
    const own: string[] = [];
    seen.push(own);
    return {
      rank,
      size,
      async exchange(given, count, parameters) {
        own.push(JSON.stringify(valuesOf(parameters)));
        for (const [index, answer] of given) answers.set(index, answer);
        const current = answers;
        await new Promise<void>((resolve) => {
          waiting.push(resolve);
          if (waiting.length < size) return;
          for (const go of waiting) go();
          waiting = [];
          answers = new Map();
        });
        return Array.from({ length: count }, (_, index) =>
          nullThrows(current.get(index), 'every pass is answered'),
        );
      },
    };
  });
  return { exchanges, seen };
}

interface Trained {
  readonly parameters: Record<string, number[]>;
  readonly loss: readonly number[];
  readonly final: number;
  /** Calls of the backbone's backward pass, and rows of each. */
  readonly rows: readonly number[];
}

async function train(name: string, changes: Partial<TrainingOptions<ToyExample>>): Promise<Trained> {
  const backbone = new ToyBackbone();
  const rows: number[] = [];
  const differentiate = backbone.differentiate.bind(backbone);
  backbone.differentiate = (batch, ...rest) => {
    rows.push(batch.examples.length);
    return differentiate(batch, ...rest);
  };
  const result = await trainPrompt(
    options(backbone, methodNamed(name, small), { steps: 12, batch: 12, ...changes }),
  );
  return {
    parameters: { ...valuesOf(result.parameters.prompt), ...valuesOf(result.parameters.head) },
    loss: result.loss.map(({ value }) => value),
    final: result.final,
    rows,
  };
}

describe('passesOf', () => {
  it('cuts a batch into passes that every rank has one of', () => {
    expect(passesOf(10, 4)).toEqual([
      { start: 0, end: 4 },
      { start: 4, end: 8 },
      { start: 8, end: 10 },
    ]);
    expect(passesOf(10, 16, 3).map(({ start, end }) => end - start)).toEqual([4, 4, 2]);
    expect(passesOf(2, 16, 4)).toHaveLength(2);
  });
});

describe('training by several processes', () => {
  it.each([
    ['fixed', 2],
    ['dynamic', 2],
    ['dynamic', 3],
    ['adap_ins_length', 3],
  ])(
    '%s by %d: the same bits on all ranks after every step, and those of one process',
    async (name, size) => {
      const { exchanges, seen } = exchangesOf(size);
      const ranks = await Promise.all(exchanges.map((exchange) => train(name, { exchange })));
      const [first, ...others] = ranks;
      for (const other of others) expect(other).toEqual({ ...first, rows: other.rows });
      expect(seen[0]).toHaveLength(12);
      for (const steps of seen.slice(1)) expect(steps).toEqual(seen[0]);
      // Everybody does its share: one pass a step.
      for (const { rows } of ranks) expect(rows).toEqual(new Array(12).fill(12 / size));

      // One process with passes of the same size takes the same steps bit for bit.
      const alone = await train(name, { batch: 12 / size, accumulation: size });
      expect({ ...first, rows: [] }).toEqual({ ...alone, rows: [] });

      // With the whole batch in one pass only the order of sums differs.
      const whole = await train(name, {});
      expect(first?.loss).toHaveLength(whole.loss.length);
      whole.loss.forEach((value, step) => {
        expect(Math.abs((first?.loss[step] ?? NaN) - value) / value).toBeLessThan(1e-5);
      });
    },
  );

  it('takes accumulated passes in turn', async () => {
    const { exchanges } = exchangesOf(2);
    const changes = { batch: 3, accumulation: 3 };
    const ranks = await Promise.all(exchanges.map((exchange) => train('dynamic', { ...changes, exchange })));
    const alone = await train('dynamic', changes);
    for (const rank of ranks) expect(rank.parameters).toEqual(alone.parameters);
    expect(ranks.map(({ rows }) => rows.length)).toEqual([24, 12]);
  });

  it('refuses fine-tuning, whose gradients stay where they are', async () => {
    const [exchange] = exchangesOf(1).exchanges;
    const run = trainPrompt(options(new ToyBackbone(), 'fine-tuning', { steps: 2, exchange }));
    await expect(run).rejects.toThrow(/fine-tuning.*not exchanged/);
  });

  it('has every rank refuse a loss that is no number', async () => {
    const { exchanges } = exchangesOf(2);
    const events: TrainingEvent[] = [];
    const runs = exchanges.map(async (exchange) => {
      const backbone = new ToyBackbone();
      const differentiate = backbone.differentiate.bind(backbone);
      backbone.differentiate = async (...given) => {
        const answer = await differentiate(...given);
        return exchange.rank === 1 ? { ...answer, loss: NaN } : answer;
      };
      await trainPrompt(
        options(backbone, methodNamed('fixed', small), {
          steps: 3,
          exchange,
          events: (event) => events.push(event),
        }),
      );
    });
    for (const run of await Promise.allSettled(runs)) {
      expect(run).toMatchObject({ status: 'rejected', reason: { name: 'NonFiniteLossError', step: 1 } });
    }
    expect(events.some(({ type }) => type === 'step')).toBe(false);
  });
});
