import { describe, expect, it } from '@jest/globals';
import { CommanderError } from 'commander';

import { ConfigurationError } from '@dynaprompt/core';
import type { OutputOptions } from '@dynaprompt/runner';
import { defaultLearningRates } from '@dynaprompt/training';

import { type Actions, commandLine } from './command-line.js';
import { demonstration, shortDemonstration } from './demonstration.js';
import { headOf } from './head.js';
import type { VqaRunOptions } from './options.js';
import type { PredictOptions } from './predict/run-predict.js';
import type { VqaStudyOptions } from './study/load-data.js';

interface Asked {
  options?: VqaRunOptions;
  output?: OutputOptions;
  study?: VqaStudyOptions;
  predict?: PredictOptions;
}

async function ask(...words: readonly string[]): Promise<Asked> {
  const asked: Asked = {};
  const nothing = (): Promise<void> => Promise.resolve();
  const kept = (part: Asked): Promise<void> => {
    Object.assign(asked, part);
    return Promise.resolve();
  };
  const actions: Actions = {
    list: nothing,
    doctor: nothing,
    inspect: nothing,
    exportPeft: nothing,
    sweep: nothing,
    worker: nothing,
    compare: (options, output) => kept({ options, output }),
    study: (study) => kept({ study }),
    predict: (predict) => kept({ predict }),
  };
  await commandLine(actions, () => undefined).parseAsync(words, { from: 'user' });
  return asked;
}

describe('run', () => {
  it('has a default for all but the task', async () => {
    const { options, output } = await ask('run', '--task', 'scenes');
    expect(options).toEqual({
      ...demonstration,
      methods: ['frozen', 'fixed', 'dynamic'],
      evaluateEvery: undefined,
      nanPolicy: 'stop',
      training: {
        optimiser: { kind: 'adamw' },
        schedule: { kind: 'linear', warmUp: 0.05 },
        learningRates: defaultLearningRates,
      },
    });
    expect(output).toEqual({ output: 'results/scenes', json: false, force: false });
  });

  it('reads what questions have of their own', async () => {
    const words =
      'run --task vqav2 --data my,coco --mode candidates --use question --prompts both --coupling independent ' +
      '--template {answer} --answers 20 --on-bad-sample skip --dtype q4 --compute int8 --slots 5';
    expect((await ask(...words.split(' '))).options).toMatchObject({
      head: 'candidates',
      data: ['my,coco'],
      use: 'question',
      prompts: 'both',
      coupling: 'independent',
      template: '{answer}',
      answers: 20,
      badSamples: 'skip',
      dtype: 'q4',
      compute: 'int8',
      slots: 5,
    });
  });

  it('scores on drawings that the bundled backbone has not seen, unless told otherwise', async () => {
    const evaluation = async (...words: string[]): Promise<string | undefined> =>
      (await ask('run', '--task', ...words)).options?.evaluation;
    expect(await evaluation('scenes')).toBe('test');
    expect(await evaluation('scenes', '--evaluation', 'validation')).toBe('validation');
    expect(await evaluation('gqa', '--data', 'GQA')).toBe('validation');
    expect([demonstration.evaluation, shortDemonstration.evaluation]).toEqual(['test', 'test']);
  });

  it('chooses from fewer answers where they are compared one by one', async () => {
    const answers = async (...words: string[]): Promise<number | undefined> =>
      (await ask('run', '--task', 'scenes', ...words)).options?.answers;
    expect(await answers()).toBe(3129);
    expect(await answers('--mode', 'candidates')).toBe(64);
  });

  it.each([
    ['--use', 'sound'],
    ['--mode', 'generate'],
    ['--prompts', 'audio'],
    ['--coupling', 'loose'],
    ['--answers', '0'],
    ['--scenes', 'many'],
    ['--head', 'linear'],
    ['--on-bad-sample', 'ignore'],
  ])('refuses %s %s', async (...words) => {
    await expect(ask('run', '--task', 'scenes', ...words)).rejects.toBeInstanceOf(CommanderError);
  });

  it('refuses shots, as questions have no classes', async () => {
    await expect(ask('run', '--task', 'scenes', '--shots', '4')).rejects.toThrow(ConfigurationError);
  });
});

describe('headOf', () => {
  const choice = { head: 'linear', use: 'both', prompts: null, coupling: null, template: null } as const;

  it('puts prompts where something is read', () => {
    expect(headOf(choice)).toMatchObject({ kind: 'linear', prompts: 'text', coupling: null });
    expect(headOf({ ...choice, use: 'image' }).prompts).toBe('vision');
    expect(headOf({ ...choice, use: 'image', head: 'candidates' }).prompts).toBe('text');
    expect(headOf({ ...choice, prompts: 'both' }).coupling).toBe('linear');
  });
});

describe('study', () => {
  it('has its own options beside those of every study', async () => {
    const { study } = await ask('study', '--tasks', 'scenes,vqav2', '--use', 'image', '--head', 'candidates');
    expect(study).toMatchObject({
      tasks: ['scenes', 'vqav2'],
      backbone: 'mini-clip',
      head: 'candidates',
      use: 'image',
      prompts: null,
      answers: 64,
      evaluation: null,
    });
    await expect(ask('study', '--tasks', 'poetry')).rejects.toThrow('task "poetry"');
  });
});

describe('predict', () => {
  it('takes an adapter and a file, or a picture with its question', async () => {
    const expected = {
      folder: 'adapter',
      backbone: undefined,
      anyRevision: false,
      batch: 32,
      top: 5,
      json: false,
      onBadSample: 'fail',
    };
    const none = { file: undefined, picture: undefined, question: undefined };
    expect((await ask('predict', 'adapter', 'lines.tsv')).predict).toEqual({
      ...expected,
      ...none,
      file: 'lines.tsv',
    });
    const words = ['predict', 'adapter', '--picture', 'a.png', '--question', 'what is this?'];
    expect((await ask(...words)).predict).toEqual({
      ...expected,
      ...none,
      picture: 'a.png',
      question: 'what is this?',
    });
  });
});
