import { createHash } from 'node:crypto';

import { describe, expect, it } from '@jest/globals';

import { nullThrows } from '@dynaprompt/core';

import type { SweepFile } from './file.js';
import { toyDomain, toyPlan } from './sweep.test.fixture.js';

function deepSorted(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  const names = Object.keys(value).sort();
  return Object.fromEntries(names.map((name) => [name, deepSorted(value[name as keyof typeof value])]));
}

async function firstKey(...plan: Parameters<typeof toyPlan>): Promise<string> {
  return nullThrows((await toyPlan(...plan)).jobs[0], 'a job').key;
}

describe('planSweep', () => {
  it('crosses everything, and opens each task with each backbone once', async () => {
    const domain = toyDomain();
    const { rows, jobs } = await toyPlan(
      {
        tasks: ['sst2', 'mr'],
        backbones: ['small', 'large'],
        methods: ['fixed', 'dynamic'],
        options: { batch: [8, 16], learningRates: { prompt: [0.001, 0.01, 0.1] }, steps: 20 },
      },
      domain,
    );
    expect(rows).toHaveLength(2 * 2 * 2 * 2 * 3);
    expect(jobs).toHaveLength(2 * 2 * 2 * 2 * 3 * 3);
    expect(new Set(jobs.map(({ key }) => key)).size).toBe(jobs.length);
    expect([...domain.opened].sort()).toEqual([
      'mr large all',
      'mr small all',
      'sst2 large all',
      'sst2 small all',
    ]);
    expect(rows[0]?.varied).toEqual({ batch: 8, 'learningRates.prompt': 0.001 });
    const settings = new Set(
      jobs.map(({ identity }) => `${identity.settings.batch} ${identity.settings.learningRates.prompt}`),
    );
    expect(settings.size).toBe(6);
  });

  it('names a job by the SHA-256 of all that decides what it gives', async () => {
    const job = nullThrows((await toyPlan({ options: { steps: 20, maxLength: 32 } })).jobs[0], 'a job');
    const { identity } = job;
    expect(identity).toMatchObject({
      data: 'data of sst2, all',
      backbone: 'model toy',
      versions: { dynaprompt: '1' },
      details: { maxLength: 32 },
      seed: 1,
      steps: 20,
      settings: { batch: 16, optimiser: { kind: 'adamw' }, weightDecay: 0.01, evaluateEvery: 4 },
    });
    const sorted = JSON.stringify(identity, (_, value: unknown) => deepSorted(value));
    expect(job.key).toBe(createHash('sha256').update(sorted).digest('hex'));
  });

  it('gives another name where data, model, versions or options differ, and only there', async () => {
    const key = await firstKey();
    const others = await Promise.all([
      firstKey({}, toyDomain({ data: 'other' })),
      firstKey({}, toyDomain({ revision: 'other' })),
      firstKey({}, toyDomain({ version: '2' })),
      firstKey({ seeds: [4] }),
      firstKey({ options: { steps: 21 } }),
      firstKey({ options: { steps: 20, weightDecay: 0.5 } }),
      firstKey({ options: { steps: 20, maxLength: 8 } }),
    ]);
    expect(new Set([key, ...others]).size).toBe(1 + others.length);
    expect(await firstKey({ folders: { sst2: 'SST-2' } })).toBe(key);
    // A default that is written out is the same run.
    expect(await firstKey({ options: { steps: 20, batch: 16, optimiser: { kind: 'adamw' } } })).toBe(key);
  });

  it('gives a row to every case', async () => {
    const { rows, jobs } = await toyPlan({
      methods: ['fixed'],
      options: { steps: [20, 30], batch: 8 },
      cases: [{ learningRates: { prompt: 0.1 } }, { learningRates: { prompt: 0.2 }, batch: 4 }],
    });
    expect(jobs).toHaveLength(2 * 2 * 3);
    expect(rows.map(({ varied }) => varied)).toEqual([
      { steps: 20, batch: 8, 'learningRates.prompt': 0.1 },
      { steps: 30, batch: 8, 'learningRates.prompt': 0.1 },
      { steps: 20, batch: 4, 'learningRates.prompt': 0.2 },
      { steps: 30, batch: 4, 'learningRates.prompt': 0.2 },
    ]);
    expect(jobs.map(({ identity }) => identity.settings.batch)).toEqual([8, 8, 8, 8, 8, 8, 4, 4, 4, 4, 4, 4]);
  });

  it('draws the same examples for every seed, or those of its own', async () => {
    const drawn = async (options: SweepFile['options']): Promise<readonly string[]> => {
      const { jobs } = await toyPlan({ methods: ['fixed'], options: { steps: 20, ...options } });
      return jobs.map(({ identity, loading }) => `${identity.seed}: ${identity.data}, ${loading.dataSeed}`);
    };
    const data = (seed: number, by: number): string =>
      `${seed}: data of sst2, all${by === 1 ? '' : `, draw ${by}`}, ${by}`;
    expect(await drawn({})).toEqual([data(1, 1), data(2, 1), data(3, 1)]);
    expect(await drawn({ dataSeed: 5 })).toEqual([data(1, 5), data(2, 5), data(3, 5)]);
    expect(await drawn({ dataSeed: 'seed' })).toEqual([data(1, 1), data(2, 2), data(3, 3)]);
  });

  it('does a job once that several settings have in common', async () => {
    // The head alone has no prompt to penalise.
    const { rows, jobs } = await toyPlan({
      methods: ['linear-probe', 'adap_ins_length'],
      options: { steps: 20, prompt: { length: { penalty: [0, 0.1] } } },
    });
    expect(rows).toHaveLength(4);
    expect(jobs).toHaveLength(3 + 2 * 3);
    // As the first row loads it: its neighbours follow without loading anything anew.
    for (const [index, job] of jobs.slice(0, 3).entries()) expect(job).toBe(rows[0]?.jobs[index]);
  });

  it.each([
    ['prompt', { 'linear-probe': 1, fixed: 2, dynamic: 2, 'fine-tuning': 1 }],
    ['networks', { 'linear-probe': 1, fixed: 1, dynamic: 2, 'fine-tuning': 1 }],
    ['head', { 'linear-probe': 2, fixed: 2, dynamic: 2, 'fine-tuning': 2 }],
    ['weights', { 'linear-probe': 1, fixed: 1, dynamic: 1, 'fine-tuning': 2 }],
  ])('tells jobs apart by the learning rate of %s where there is such a thing', async (rate, expected) => {
    const methods = Object.keys(expected);
    const { jobs } = await toyPlan({
      methods,
      seeds: [1],
      options: { steps: 20, learningRates: { [rate]: [0.1, 0.2] } },
    });
    const counts = methods.map((method) => [
      method,
      jobs.filter(({ identity }) => identity.method === method).length,
    ]);
    expect(Object.fromEntries(counts)).toEqual(expected);
  });

  it.each([
    [
      'an unknown option',
      { learningRate: { prompt: 0.1 } },
      /options, learningRate\.prompt: .*learningRates\.prompt/,
    ],
    [
      'an unknown option of a prompt',
      { 'prompt.length.penality': 1 },
      /Did you mean prompt\.length\.penalty/,
    ],
    [
      "a mistyped option of the application's",
      { maxlength: 3 },
      /options, maxlength: .*Did you mean maxLength/,
    ],
    [
      "an impossible value of the application's",
      { maxLength: 'long' },
      /options, maxLength: "long" cannot be used/,
    ],
    ['an impossible value', { steps: [10, 0] }, /options, steps/],
    ['a head that there is not', { head: 'cosine' }, /no head "cosine"\. Use linear, verbalizer/],
    ['an impossible schedule', { steps: 5, 'schedule.warmUp.steps': 5 }, /schedule\.warmUp/],
    [
      'an option of another optimiser',
      { 'optimiser.kind': 'sgd', 'optimiser.beta1': 0.9 },
      /options, optimiser/,
    ],
  ])('refuses %s before anything is opened', async (_, options, message) => {
    const domain = toyDomain();
    await expect(toyPlan({ options }, domain)).rejects.toThrow(message);
    expect(domain.opened).toEqual([]);
  });

  it('refuses methods, tasks and references that there are not', async () => {
    await expect(toyPlan({ methods: ['fixd'] })).rejects.toThrow(/fixd/);
    await expect(toyPlan({ tasks: ['unknown'] })).rejects.toThrow('no such task');
    await expect(toyPlan({ reference: 'dynamic' })).rejects.toThrow(/reference dynamic/);
  });
});
