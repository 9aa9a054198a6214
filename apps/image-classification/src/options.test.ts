import { describe, expect, it } from '@jest/globals';
import { CommanderError } from 'commander';

import { ConfigurationError } from '@dynaprompt/core';
import type { OutputOptions } from '@dynaprompt/runner';
import { defaultLearningRates } from '@dynaprompt/training';

import { type Actions, commandLine } from './command-line.js';
import { demonstration, shortDemonstration } from './demonstration.js';
import type { ImageOptions } from './options.js';
import type { PredictOptions } from './predict/run-predict.js';
import type { ImageStudyOptions } from './study/load-data.js';

interface Asked {
  options?: ImageOptions;
  output?: OutputOptions;
  study?: ImageStudyOptions;
  predict?: PredictOptions;
}

async function ask(...words: readonly string[]): Promise<Asked> {
  const asked: Asked = {};
  const nothing = (): Promise<void> => Promise.resolve();
  const actions: Actions = {
    list: nothing,
    doctor: nothing,
    inspect: nothing,
    exportPeft: nothing,
    sweep: nothing,
    worker: nothing,
    compare: (options, output) => {
      Object.assign(asked, { options, output });
      return Promise.resolve();
    },
    study: (study) => {
      Object.assign(asked, { study });
      return Promise.resolve();
    },
    predict: (predict) => {
      Object.assign(asked, { predict });
      return Promise.resolve();
    },
  };
  await commandLine(actions, () => undefined).parseAsync(words, { from: 'user' });
  return asked;
}

describe('run', () => {
  it('has a default for all but the task', async () => {
    const { options, output } = await ask('run', '--task', 'image-folder', '--data', 'my,pets');
    expect(options).toEqual({
      ...demonstration,
      tasks: ['image-folder'],
      data: ['my,pets'],
      split: undefined,
      steps: 300,
      evaluateEvery: undefined,
      evaluation: 'validation',
      nanPolicy: 'stop',
      training: {
        optimiser: { kind: 'adamw' },
        schedule: { kind: 'linear', warmUp: 0.05 },
        learningRates: defaultLearningRates,
      },
    });
    expect(output).toEqual({ output: 'results/image-folder', json: false, force: false });
  });

  it('reads what pictures have of their own', async () => {
    const words =
      'run --task parquet --data a --label-column coarse --split few-shot --shots 4 --evaluation test --augment colour ' +
      '--on-bad-sample skip --metric mean-per-class-accuracy --head own --compute int8 --slots 5 --dtype q4';
    expect((await ask(...words.split(' '))).options).toMatchObject({
      labelColumn: 'coarse',
      split: 'few-shot',
      shots: 4,
      evaluation: 'test',
      augment: 'colour',
      badSamples: 'skip',
      metric: 'mean-per-class-accuracy',
      head: 'own',
      compute: 'int8',
      dtype: 'q4',
      slots: 5,
    });
  });

  it('scores on what the bundled backbone has not seen, unless told otherwise', async () => {
    expect((await ask('run', '--task', 'openmoji')).options?.evaluation).toBe('test');
    const words = ['run', '--task', 'openmoji', '--evaluation', 'validation'];
    expect((await ask(...words)).options?.evaluation).toBe('validation');
    expect(demonstration.evaluation).toBe('test');
    expect(shortDemonstration.evaluation).toBe('test');
  });

  it('takes the subgroups of emojis, and nothing else has any', async () => {
    const classes = async (...words: string[]): Promise<string | undefined> =>
      (await ask('run', ...words)).options?.classes;
    expect(await classes('--task', 'openmoji')).toBe('groups');
    expect(await classes('--task', 'openmoji', '--subgroups')).toBe('subgroups');
    expect(await classes('--task', 'openmoji', '--set', 'classes=subgroups')).toBe('subgroups');
    expect(await classes('--task', 'image-folder,openmoji', '--data', 'pets', '--subgroups')).toBe(
      'subgroups',
    );
    await expect(classes('--task', 'mnist', '--data', 'digits', '--subgroups')).rejects.toThrow(
      ConfigurationError,
    );
  });

  describe('--head clip', () => {
    const clip = ['run', '--task', 'openmoji', '--head', 'clip'] as const;

    it('goes on top of CoOp, or of another published method, with the slots of that', async () => {
      expect((await ask(...clip)).options).toMatchObject({
        ...{ head: 'clip', prompts: 'coop', template: 'a photo of a {class}', clipLayers: null },
        ...{ slots: 16, basePrompt: { slots: 16 } },
      });
      const words = ['--prompts', 'maple', '--clip-layers', '3', '--template', '{class}|an icon of {class}'];
      expect((await ask(...clip, ...words)).options).toMatchObject({
        ...{ prompts: 'maple', clipLayers: 3, template: '{class}|an icon of {class}' },
        ...{ slots: 2, basePrompt: { slots: 2, layers: 3 } },
      });
      expect((await ask(...clip, '--prompts', 'vpt', '--slots', '5')).options?.slots).toBe(5);
      expect((await ask('run', '--task', 'openmoji')).options).not.toHaveProperty('basePrompt');
    });

    it('takes novel classes, which are tested on', async () => {
      const words = ['--task', 'image-folder', '--data', 'pets', '--head', 'clip', '--shots', '16'];
      expect((await ask('run', ...words, '--split', 'base-to-novel')).options).toMatchObject({
        ...{ split: 'base-to-novel', shots: 16, evaluation: 'test' },
      });
      expect((await ask('run', ...words)).options?.evaluation).toBe('validation');
    });

    it.each([
      ['run --task openmoji --prompts coop', '--head linear reads no names'],
      ['run --task openmoji --head own --template {class}', '--head own reads no names'],
      ['run --task openmoji --shots 2 --split base-to-novel', 'cannot tell classes'],
      ['run --task openmoji --head clip --clip-layers 2', '--prompts coop says by itself'],
      ['run --task openmoji --head clip --methods fine-tuning', 'weights of dual encoders'],
      ['run --task openmoji --head clip --prompts maple --methods deep', 'couplings need a number'],
      ['study --tasks openmoji --head linear --split base-to-novel --shots 2', 'cannot tell classes'],
    ])('%s is refused: %s', async (words, problem) => {
      const asked = ask(...words.split(' '));
      await expect(asked).rejects.toBeInstanceOf(ConfigurationError);
      await expect(asked).rejects.toThrow(problem);
    });

    it.each([
      ['--prompts', 'tip-adapter'],
      ['--template', 'a photo'],
      ['--template', '{class}|a {class} {class}'],
      ['--clip-layers', '0'],
    ])('refuses %s %s', async (...words) => {
      await expect(ask(...clip, ...words)).rejects.toBeInstanceOf(CommanderError);
    });
  });

  it.each([
    ['--augment', 'mixup'],
    ['--dtype', 'fp8'],
    ['--classes', 'families'],
    ['--on-bad-sample', 'ignore'],
    ['--split', 'half'],
    ['--metric', 'f1'],
    ['--head', 'verbalizer'],
    ['--steps', '0'],
    ['--max-length', '4'],
  ])('refuses %s %s', async (...words) => {
    await expect(ask('run', '--task', 'mnist', ...words)).rejects.toBeInstanceOf(CommanderError);
  });
});

describe('study', () => {
  it('has its own options beside those of every study', async () => {
    const { study } = await ask('study', '--tasks', 'openmoji,cifar10', '--augment', 'crop-flip');
    expect(study).toMatchObject({
      tasks: ['openmoji', 'cifar10'],
      backbone: 'mini-clip',
      augment: 'crop-flip',
      metric: 'accuracy',
      evaluation: null,
    });
    expect(study).toMatchObject({ slots: 10, split: null, shots: null, classes: 'groups' });
    const clip = '--tasks openmoji --methods fixed --head clip --prompts cocoop --shots 4 --classes concepts';
    expect((await ask('study', ...clip.split(' '))).study).toMatchObject({
      ...{ prompts: 'cocoop', shots: 4, classes: 'concepts', slots: 4 },
      basePrompt: { slots: 4, representation: { kind: 'generate' } },
    });
    // Float32 is not told: what was done with it before stays done.
    expect(study).not.toHaveProperty('dtype');
    const words = ['--tasks', 'mnist', '--evaluation', 'test', '--metric', 'mean-per-class-accuracy'];
    expect((await ask('study', ...words, '--dtype', 'q8')).study).toMatchObject({
      dtype: 'q8',
      evaluation: 'test',
      metric: 'mean-per-class-accuracy',
    });
    await expect(ask('study', '--tasks', 'poetry')).rejects.toThrow('task "poetry"');
  });
});

describe('predict', () => {
  it('takes an adapter and pictures', async () => {
    expect((await ask('predict', 'folder', 'a.png', 'b.jpg', '--json')).predict).toEqual({
      folder: 'folder',
      backbone: undefined,
      anyRevision: false,
      pictures: ['a.png', 'b.jpg'],
      batch: 32,
      json: true,
      onBadSample: 'fail',
    });
  });
});
