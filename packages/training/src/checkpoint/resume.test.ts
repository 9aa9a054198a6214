import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';

import { selectBackend } from '@dynaprompt/core';

import { TrainingStoppedError } from '../errors.js';
import type { TrainingEvent } from '../events.js';
import { FeatureCache } from '../features/features.js';
import { bitsOf } from '../testing/bits.test.fixture.js';
import { ToyBackbone, type ToyExample } from '../testing/toy-backbone.test.fixture.js';
import { options, small } from '../testing/toy-run.test.fixture.js';
import { accuracy, toyTask } from '../testing/toy-task.test.fixture.js';
import { methodNamed } from '../training/method.js';
import type { RunOptions, TrainingOptions } from '../training/options.js';
import { type MultitaskResult, trainMultitask } from '../training/train-multitask.js';
import { type TrainingResult, trainPrompt } from '../training/train-prompt.js';

let folder: string;

beforeAll(async () => {
  await selectBackend();
});

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'dynaprompt-resume-'));
});

afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

/** What a run is given besides its task. */
type Changes = Pick<RunOptions, 'checkpoint' | 'resume' | 'signal'> & {
  readonly events?: (event: TrainingEvent) => void;
};
type Run = (changes: Changes) => Promise<TrainingResult | MultitaskResult>;

class Crash extends Error {}

/** A run that is stopped by its signal at some steps, and dies at others, and is resumed each time. */
async function interrupted(
  run: Run,
  everySteps: number,
  stops: readonly { readonly step: number; readonly dies: boolean }[],
): Promise<TrainingResult | MultitaskResult> {
  const checkpoint = { folder, everySteps };
  for (const { step, dies } of stops) {
    const controller = new AbortController();
    const events = (event: TrainingEvent): void => {
      if (event.type !== 'step' || event.step !== step) return;
      if (dies) throw new Crash();
      controller.abort();
    };
    const ended = run({ checkpoint, resume: 'auto', signal: controller.signal, events });
    await expect(ended).rejects.toThrow(dies ? Crash : TrainingStoppedError);
  }
  return run({ checkpoint, resume: true });
}

function toy(
  method: string,
  changes: Partial<TrainingOptions<ToyExample>> = {},
  overrides: Parameters<typeof methodNamed>[1] = {},
): Run {
  // A backbone and a cache of its own for every start, as a new process has them.
  return (own) =>
    trainPrompt(
      options(new ToyBackbone(), methodNamed(method, { ...small, ...overrides }), {
        steps: 24,
        evaluateEvery: 5,
        ...changes,
        ...own,
      }),
    );
}

function multitask(method: string): Run {
  return (own) =>
    trainMultitask({
      tasks: ['first', 'second'].map((name, index) => {
        const backbone = new ToyBackbone();
        return {
          name,
          backbone,
          train: toyTask(40 - 8 * index, index + 1),
          validation: toyTask(20, index + 11),
          metric: accuracy,
          features: new FeatureCache(backbone, { folder: false }),
        };
      }),
      sampling: { kind: 'temperature', temperature: 2 },
      method: methodNamed(method, small),
      seed: 3,
      steps: 24,
      evaluateEvery: 5,
      learningRates: { prompt: 0.05, networks: 0.05, head: 0.05 },
      ...own,
    });
}

const adafactor = { optimiser: { kind: 'adafactor', beta1: 0.9, scaleParameter: true } } as const;
const sgd = { optimiser: { kind: 'sgd', momentum: 0.8, nesterov: true } } as const;
const rotated = (example: ToyExample, { epoch }: { readonly epoch: number }): ToyExample => [
  ...example.slice(epoch % example.length),
  ...example.slice(0, epoch % example.length),
];

describe('a resumed run', () => {
  it.each<[string, Run]>([
    ['a dynamic prompt, AdamW', toy('dynamic')],
    ['a dynamic prompt, Adafactor', toy('dynamic', adafactor)],
    ['a dynamic prompt, SGD', toy('dynamic', { ...sgd, schedule: { kind: 'cosine', warmUp: { steps: 8 } } })],
    ['a dynamic prompt, accumulated', toy('dynamic', { batch: 4, accumulation: 2 })],
    ['a dynamic prompt with noise in evaluations', toy('dynamic', {}, { noiseAtEvaluation: true })],
    ['a hard mixture', toy('dynamic', {}, { representation: { kind: 'select', pool: 3, mixture: 'hard' } })],
    ['a fixed prompt', toy('fixed')],
    ['augmented examples', toy('adap_pos', { augment: rotated })],
    ['a linear probe, AdamW', toy('linear-probe')],
    ['a linear probe, Adafactor', toy('linear-probe', adafactor)],
    ['a linear probe, SGD', toy('linear-probe', sgd)],
    ['fine-tuning, AdamW', toy('fine-tuning')],
    ['fine-tuning, Adafactor', toy('fine-tuning', adafactor)],
    ['fine-tuning, SGD, accumulated', toy('fine-tuning', { ...sgd, batch: 4, accumulation: 2 })],
    ['two tasks, a dynamic prompt', multitask('dynamic')],
    ['two tasks, heads alone', multitask('frozen')],
  ])('ends as an uninterrupted one, bit for bit: %s', async (_, run) => {
    const whole = bitsOf(await run({}));
    // Stopped at its first step, beside and at evaluations, at the last step; dead within a stretch and right after a checkpoint.
    const result = await interrupted(run, 3, [
      { step: 1, dies: false },
      { step: 5, dies: true },
      { step: 5, dies: false },
      { step: 9, dies: true },
      { step: 13, dies: true },
      { step: 13, dies: false },
      { step: 20, dies: false },
      { step: 24, dies: true },
      { step: 24, dies: false },
    ]);
    expect(result.resumedFrom).toBe(24);
    expect(bitsOf(result)).toEqual(whole);
  });

  it('remembers what was chosen in every evaluation', async () => {
    for (const [run, validated] of [
      [toy('dynamic'), [60]],
      [multitask('dynamic'), [20, 20]],
    ] as const) {
      await rm(folder, { recursive: true, force: true });
      const { choiceUsage } = await interrupted(run, 3, [{ step: 17, dies: false }]);
      expect(choiceUsage.map(({ step }) => step)).toEqual([5, 10, 15, 20, 24]);
      for (const { usage } of choiceUsage) {
        const examples = usage.map((one) => one?.positions?.reduce((sum, count) => sum + count, 0));
        expect(examples).toEqual(validated);
      }
    }
  });

  it('is not told apart by its checkpoints either, however often they are written', async () => {
    const run = toy('dynamic');
    const whole = bitsOf(await run({}));
    for (const everySteps of [1, 7, 1000]) {
      const own = { folder: join(folder, String(everySteps)), everySteps };
      expect(bitsOf(await run({ checkpoint: own }))).toEqual(whole);
    }
  });

  it('would not end alike without what a checkpoint keeps: the comparison sees a step of difference', async () => {
    const run = toy('dynamic');
    const whole = bitsOf(await run({}));
    expect(bitsOf(await toy('dynamic', { seed: 2 })({}))).not.toEqual(whole);
    const evaluations = await toy('dynamic', { evaluateEvery: 6 })({});
    expect(bitsOf(evaluations)).not.toEqual(whole);
  });

  it('goes on in the middle of an evaluation', async () => {
    const run = toy('dynamic', { evaluationBatch: 20 }, { noiseAtEvaluation: true });
    const whole = bitsOf(await run({}));
    // Three passes an evaluation: in the second one, and in the third one after that.
    for (const at of [4, 5]) {
      const controller = new AbortController();
      let calls = 0;
      const backbone = new ToyBackbone();
      const predict = backbone.predict.bind(backbone);
      backbone.predict = (...given) => {
        if (++calls === at) controller.abort();
        return predict(...given);
      };
      const stopped = toy(
        'dynamic',
        { evaluationBatch: 20, backbone },
        { noiseAtEvaluation: true },
      )({
        checkpoint: { folder },
        resume: 'auto',
        signal: controller.signal,
      });
      await expect(stopped).rejects.toBeInstanceOf(TrainingStoppedError);
    }
    expect(bitsOf(await run({ checkpoint: { folder }, resume: true }))).toEqual(whole);
  });

  it('goes on from an adapter that it started from', async () => {
    const first = await trainPrompt(options(new ToyBackbone(), methodNamed('dynamic', small), { steps: 6 }));
    const { prompt, head } = first.parameters;
    const { featureStatistics, optimiser } = first;
    const initial = { parameters: { prompt, head }, featureStatistics, optimiser };
    const run = toy('dynamic', { initial });
    const whole = bitsOf(await run({}));
    const result = await interrupted(run, 4, [
      { step: 7, dies: false },
      { step: 18, dies: true },
    ]);
    expect(bitsOf(result)).toEqual(whole);
  });

  it('says where it stopped and where it goes on, and counts the time of before', async () => {
    const controller = new AbortController();
    const stop = (event: TrainingEvent): void => {
      if (event.type === 'step' && event.step === 7) controller.abort('enough');
    };
    const checkpoint = { folder };
    const run = toy('fixed');
    const stopped = run({ checkpoint, signal: controller.signal, events: stop });
    await expect(stopped).rejects.toMatchObject({
      step: 7,
      checkpoint: join(folder, 'checkpoint-7'),
      remedy: expect.stringContaining(join(folder, 'checkpoint-7')),
      cause: 'enough',
    });
    const heard: TrainingEvent[] = [];
    const result = await run({ checkpoint, resume: true, events: (event) => heard.push(event) });
    expect(result.resumedFrom).toBe(7);
    expect(heard.find(({ type }) => type === 'started')).toMatchObject({ resumedFrom: 7, steps: 24 });
    expect(heard.flatMap((event) => (event.type === 'step' ? [event.step] : []))).toEqual(
      Array.from({ length: 17 }, (_, index) => index + 8),
    );
    // The older checkpoint goes with the best of the one evaluation before it.
    expect((await readdir(folder)).sort()).toEqual(
      [`best-${result.bestStep}`, 'best-5', 'checkpoint-24', 'checkpoint-7'].sort(),
    );
    expect(result.bestStep).not.toBe(5);
  });

  it('ends early after as many evaluations, whether it was interrupted or not', async () => {
    const scores = [0.5, 0.7, 0.7, 0.6, 0.71, 0.9];
    const scored = (start: number): Run => {
      let next = start;
      return toy('dynamic', {
        metric: () => scores[next++] ?? 0,
        evaluateEvery: 4,
        earlyStopping: { patience: 2 },
      });
    };
    const whole = await scored(0)({});
    expect(whole).toMatchObject({ stoppedEarly: true, steps: 16, best: 0.7, bestStep: 8, final: 0.6 });
    expect(whole.validation.map(({ step }) => step)).toEqual([4, 8, 12, 16]);
    expect(whole.loss).toHaveLength(16);
    const controller = new AbortController();
    const stop = (event: TrainingEvent): void => {
      if (event.type === 'step' && event.step === 14) controller.abort();
    };
    const stopped = scored(0)({ checkpoint: { folder }, signal: controller.signal, events: stop });
    await expect(stopped).rejects.toBeInstanceOf(TrainingStoppedError);
    expect(bitsOf(await scored(3)({ checkpoint: { folder }, resume: true }))).toEqual(bitsOf(whole));
    const gain = toy('fixed', {
      metric: () => scores.shift() ?? 0,
      evaluateEvery: 4,
      earlyStopping: { patience: 3, minimumGain: 0.25 },
    });
    // 0.7 is not 0.25 above 0.5, and neither are the next two.
    expect(await gain({})).toMatchObject({ stoppedEarly: true, steps: 16, best: 0.7 });
  });
});
