import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';

import { ConfigurationError, selectBackend } from '@dynaprompt/core';

import { TrainingStoppedError } from '../errors.js';
import type { TrainingEvent } from '../events.js';
import { FolderInUseError } from '../files/folder-lock.js';
import { bitsOf } from '../testing/bits.test.fixture.js';
import { ToyBackbone, type ToyExample } from '../testing/toy-backbone.test.fixture.js';
import { options, small, train, validation } from '../testing/toy-run.test.fixture.js';
import { methodNamed } from '../training/method.js';
import type { TrainingOptions } from '../training/options.js';
import { type TrainingResult, trainPrompt } from '../training/train-prompt.js';
import { CheckpointMismatchError } from './errors.js';

let folder: string;

beforeAll(async () => {
  await selectBackend();
});

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'dynaprompt-refusals-'));
});

afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

type Changes = Partial<TrainingOptions<ToyExample>>;

function run(changes: Changes = {}): Promise<TrainingResult> {
  const method = methodNamed('dynamic', small);
  return trainPrompt(options(new ToyBackbone(), method, { steps: 10, checkpoint: { folder }, ...changes }));
}

async function stopAt(step: number, changes: Changes = {}): Promise<void> {
  const controller = new AbortController();
  const events = (event: TrainingEvent): void => {
    if (event.type === 'step' && event.step === step) controller.abort();
  };
  await expect(run({ signal: controller.signal, events, ...changes })).rejects.toBeInstanceOf(
    TrainingStoppedError,
  );
}

const [first = { id: '', example: [], label: 0 }, ...others] = train;

describe('a checkpoint of another run', () => {
  it.each<[string, Changes, RegExp]>([
    [
      'another method',
      { method: methodNamed('adap_pos', small) },
      /^method is "dynamic" in the checkpoint and "adap_pos"/,
    ],
    [
      'another configuration',
      { method: methodNamed('dynamic', { slots: 5 }) },
      /^configuration\.slots is 4 .* and 5 here$/,
    ],
    ['another seed', { seed: 2 }, /^seed is 1 .* and 2 here$/],
    ['other steps', { steps: 11 }, /^steps is 10 .* and 11 here$/],
    [
      'another rate',
      { learningRates: { prompt: 1 } },
      /^settings\.learningRates\.prompt is 0\.05 .* and 1 here$/,
    ],
    ['another optimiser', { optimiser: { kind: 'sgd' } }, /^settings\.optimiser\.kind is "adamw"/],
    [
      'early stopping',
      { earlyStopping: { patience: 3 } },
      /^settings\.earlyStopping is absent .* and \{"patience":3\} here$/,
    ],
    [
      'another backbone',
      { backbone: new ToyBackbone({ seed: 2 }) },
      /^tasks\[0\]\.backbone\.revision is "toy-1" .* and "toy-2" here$/,
    ],
    [
      'another width',
      { backbone: new ToyBackbone({ width: 6 }) },
      /^tasks\[0\]\.backbone\.width is 8 .* and 6 here$/,
    ],
    ['fewer examples', { train: train.slice(0, 60) }, /^tasks\[0\]\.train\.examples is 64 .* and 60 here$/],
    [
      'another label',
      { train: [{ ...first, label: 1 - first.label }, ...others] },
      /^tasks\[0\]\.train\.content is/,
    ],
    [
      'another text',
      { train: [{ ...first, example: [...first.example, 1] }, ...others] },
      /^tasks\[0\]\.train\.content is/,
    ],
    ['other validation', { validation: validation.toReversed() }, /^tasks\[0\]\.validation\.content is/],
    ['augmentation', { augment: (example) => example }, /^tasks\[0\]\.augmented is false/],
    ['another start', { initial: { parameters: {} } }, /^initial is null/],
  ])('is refused, saying what differs: %s', async (_, changes, difference) => {
    await stopAt(3);
    const before = await readdir(folder);
    const error = (await run({ ...changes, resume: 'auto' }).catch(
      (reason: unknown) => reason,
    )) as CheckpointMismatchError;
    expect(error).toBeInstanceOf(CheckpointMismatchError);
    expect(error.differences.some((line) => difference.test(line))).toBe(true);
    expect(error.message).toContain(join(folder, 'checkpoint-3'));
    expect(await readdir(folder)).toEqual(before);
    // The run that it is of goes on all the same.
    expect((await run({ resume: true })).resumedFrom).toBe(3);
  });

  it('may do otherwise about steps that are not finite, and about checkpoints', async () => {
    await stopAt(3);
    const changes = {
      nanPolicy: 'skip',
      nanLimit: 2,
      checkpoint: { folder, everySteps: 1, keep: 1 },
    } as const;
    const result = await run({ ...changes, resume: true });
    expect(result.resumedFrom).toBe(3);
    expect(bitsOf(result)).toEqual(bitsOf(await run({ checkpoint: undefined })));
    expect((await readdir(folder)).filter((name) => name.startsWith('checkpoint'))).toEqual([
      'checkpoint-10',
    ]);
  });
});

describe('a folder of checkpoints', () => {
  it('is not begun in twice', async () => {
    await stopAt(3);
    await expect(run()).rejects.toThrow(ConfigurationError);
    await expect(run()).rejects.toThrow(`checkpoint-3: there is a checkpoint of an earlier run already`);
  });

  it('has to hold one to resume from, or may', async () => {
    await expect(run({ resume: true })).rejects.toThrow('there is no checkpoint to resume from');
    expect((await run({ resume: 'auto' })).resumedFrom).toBeUndefined();
    await expect(run({ checkpoint: undefined, resume: true })).rejects.toThrow('Give checkpoint.folder');
  });

  it('is refused to a second run while the first goes on, and free afterwards', async () => {
    let second: Promise<unknown> | undefined;
    const events = (event: TrainingEvent): void => {
      if (event.type === 'step' && event.step === 2)
        second = run({ resume: 'auto' }).catch((e: unknown) => e);
    };
    const result = await run({ events });
    const refusal = await second;
    expect(refusal).toBeInstanceOf(FolderInUseError);
    expect((refusal as Error).message).toContain(`process ${process.pid}`);
    expect(bitsOf(result)).toEqual(bitsOf(await run({ checkpoint: undefined })));
    expect(await readdir(folder)).not.toContain('run.lock');
    expect((await run({ resume: true })).resumedFrom).toBe(10);
  });

  it('stops a run that it is taken away from, before it writes', async () => {
    const events = (event: TrainingEvent): void => {
      if (event.type === 'step' && event.step === 2) void rm(join(folder, 'run.lock'));
    };
    const checkpoint = { folder, everySteps: 1000 };
    await expect(run({ events, checkpoint })).rejects.toThrow(FolderInUseError);
    expect(await readdir(folder)).toEqual([]);
  });

  it('is refused where it cannot be one', async () => {
    const file = join(folder, 'file');
    await writeFile(file, '');
    await expect(run({ checkpoint: { folder: file } })).rejects.toThrow(
      'checkpoints cannot be written there',
    );
    await expect(run({ checkpoint: { folder: join(file, 'below') } })).rejects.toThrow(ConfigurationError);
  });

  it.each<[string, Changes, string]>([
    ['no folder', { checkpoint: { folder: '' } }, 'checkpoint.folder'],
    ['no steps', { checkpoint: { folder: 'x', everySteps: 0 } }, 'checkpoint.everySteps: 0'],
    ['half a checkpoint', { checkpoint: { folder: 'x', keep: 0.5 } }, 'checkpoint.keep: 0.5'],
    ['no time', { checkpoint: { folder: 'x', everySeconds: 0 } }, 'checkpoint.everySeconds: 0'],
    ['no patience', { earlyStopping: { patience: 0 } }, 'earlyStopping.patience: 0'],
    ['a negative gain', { earlyStopping: { patience: 1, minimumGain: -1 } }, 'earlyStopping.minimumGain: -1'],
    ['another policy', { nanPolicy: 'hope' as 'skip' }, 'nanPolicy: hope'],
    ['no limit', { nanLimit: 0 }, 'nanLimit: 0'],
  ])('is not made for options that cannot be used: %s', async (_, changes, message) => {
    await expect(run(changes)).rejects.toThrow(message);
    expect(await readdir(folder)).toEqual([]);
  });

  it('gets a checkpoint after some seconds too', async () => {
    const seen: string[] = [];
    const events = (event: TrainingEvent): void => {
      if (event.type !== 'step') return;
      seen.push(String(event.step));
      // A step that takes its time.
      const until = performance.now() + 5;
      while (performance.now() < until);
    };
    await run({ checkpoint: { folder, everySteps: 1000, everySeconds: 0.004, keep: 100 }, events });
    expect((await readdir(folder)).filter((name) => name.startsWith('checkpoint')).sort()).toEqual(
      seen.map((step) => `checkpoint-${step}`).sort(),
    );
  });
});

describe('the final evaluation', () => {
  it('is enough to compute the metric again, and any other', async () => {
    const { evaluation, final } = await run({ checkpoint: undefined });
    const { ids, expected, predictions, logits } = evaluation;
    expect(ids).toEqual(validation.map(({ id }) => id));
    expect([...expected]).toEqual(validation.map(({ label }) => label));
    const right = predictions.filter((label: number, index: number) => label === expected[index]);
    expect(right.length / ids.length).toBe(final);
    expect(logits).toHaveLength(2 * ids.length);
  });
});
