import { describe, expect, it } from '@jest/globals';
import { CommanderError } from 'commander';

import type { OutputOptions } from '@dynaprompt/runner';
import { optimiserDefaults, optimiserKinds } from '@dynaprompt/training';

import { commandLine } from './command-line.js';
import { demonstration, shortDemonstration } from './demonstration.js';
import type { GlueOptions } from './options.js';

interface Asked {
  readonly options?: GlueOptions;
  readonly output?: OutputOptions;
  readonly listJson?: boolean;
}

async function ask(...words: readonly string[]): Promise<Asked> {
  let asked: Asked = {};
  const program = commandLine(
    {
      list: ({ json }) => {
        asked = { listJson: json };
      },
      compare: (options, output) => {
        asked = { options, output };
        return Promise.resolve();
      },
      doctor: () => Promise.resolve(),
      study: () => Promise.resolve(),
      sweep: () => Promise.resolve(),
      worker: () => Promise.resolve(),
      exportTuned: () => Promise.resolve(),
      exportPeft: () => Promise.resolve(),
      predict: () => Promise.resolve(),
      inspect: () => Promise.resolve(),
    },
    () => undefined,
  );
  await program.parseAsync(words, { from: 'user' });
  return asked;
}

async function complaint(...words: readonly string[]): Promise<string> {
  let written = '';
  const actions = {
    list: () => undefined,
    doctor: () => Promise.resolve(),
    compare: () => Promise.resolve(),
    study: () => Promise.resolve(),
    sweep: () => Promise.resolve(),
    worker: () => Promise.resolve(),
    exportTuned: () => Promise.resolve(),
    exportPeft: () => Promise.resolve(),
    predict: () => Promise.resolve(),
    inspect: () => Promise.resolve(),
  };
  const program = commandLine(actions, (text) => {
    written += text;
  });
  await expect(program.parseAsync(words, { from: 'user' })).rejects.toBeInstanceOf(CommanderError);
  expect(written.trimEnd().split('\n')).toHaveLength(1);
  return written;
}

describe('run', () => {
  it('has a default for all but the task', async () => {
    const { options, output } = await ask('run', '--task', 'sst2');
    expect(options).toMatchObject({
      tasks: ['sst2'],
      data: [],
      backbone: 'mini-bert',
      methods: ['frozen', 'fixed', 'dynamic'],
      seeds: [1, 2, 3],
      head: 'linear',
      columns: undefined,
    });
    expect(output).toEqual({ output: 'results/sst2', json: false, force: false });
  });

  it('reads every option', async () => {
    const words =
      'run --task tsv --data my,folder --task-sampling equal --optimizer sgd --schedule cosine --warm-up 500 ' +
      '--weight-decay 0 --clip-norm none --clip-scope all --weights-learning-rate 1e-4 --backbone owner/name --methods fixed,adap_pos --seeds 7,0 --steps 12 --batch 4 ' +
      '--accumulation 2 --evaluate-every 6 --limit 100 --validation-limit 50 --shots 16 --data-seed 0 --evaluation test --bad-rows skip --learning-rate 0.3 ' +
      '--network-learning-rate 1e-3 --head-learning-rate 0.02 --slots 5 --max-length 64 --head verbalizer --compute int8 ' +
      '--text-column a --pair-column b --label-column c --output out --json --force ' +
      '--dtype q8 --nan-policy skip --early-stopping 3 --minimum-gain 0.01 --set prompt.length.level=task ' +
      '--resume --checkpoint-every 50 --in-process --dry-run';
    expect(await ask(...words.split(' '))).toEqual({
      options: {
        tasks: ['tsv'],
        data: ['my,folder'],
        columns: { text: 'a', pair: 'b', label: 'c' },
        backbone: 'owner/name',
        methods: ['fixed', 'adap_pos'],
        seeds: [7, 0],
        steps: 12,
        batch: 4,
        accumulation: 2,
        evaluateEvery: 6,
        limit: 100,
        validationLimit: 50,
        shots: 16,
        dataSeed: 0,
        evaluation: 'test',
        badRows: 'skip',
        training: {
          optimiser: { kind: 'sgd' },
          schedule: { kind: 'cosine', warmUp: { steps: 500 } },
          learningRates: { prompt: 0.3, networks: 0.001, head: 0.02, weights: 0.0001 },
          weightDecay: 0,
          clipNorm: false,
          clipScope: 'all',
        },
        sampling: { kind: 'equal' },
        slots: 5,
        maxLength: 64,
        head: 'verbalizer',
        compute: 'int8',
        dtype: 'q8',
        prompt: { length: { level: 'task' } },
        nanPolicy: 'skip',
        earlyStopping: { patience: 3, minimumGain: 0.01 },
      },
      output: {
        output: 'out',
        json: true,
        force: true,
        resume: true,
        checkpointEvery: 50,
        inProcess: true,
        dryRun: true,
      },
    });
  });

  it('takes several tasks, with a folder for each', async () => {
    const { options, output } = await ask(
      'run',
      '--task',
      'sst2,mr',
      '--data',
      'a, b',
      '--task-sampling',
      '2',
    );
    expect(options).toMatchObject({
      tasks: ['sst2', 'mr'],
      data: ['a', 'b'],
      sampling: { kind: 'temperature', temperature: 2 },
    });
    expect(output?.output).toBe('results/sst2+mr');
  });

  it('takes the learning rates that the optimiser has by default', async () => {
    for (const kind of optimiserKinds) {
      const { options } = await ask('run', '--task', 'sst2', '--optimizer', kind);
      expect(options?.training.learningRates).toEqual(optimiserDefaults[kind].learningRates);
    }
  });

  it.each([
    [['--seeds', '1,x'], '"x" is not a whole number'],
    [['--seeds', '1.5'], '"1.5" is not a whole number'],
    [['--seeds', '1,1'], '"1" is named twice'],
    [['--seeds', ''], 'Separate names by single commas'],
    [['--steps', '0'], 'Give a whole number of 1 or more'],
    [['--steps', '-5'], 'Give a whole number of 1 or more'],
    [['--batch', 'many'], 'Give a whole number of 1 or more'],
    [['--learning-rate', '0'], 'Give a number above 0'],
    [['--optimizer', 'lion'], 'Allowed choices are adamw, adafactor, sgd'],
    [['--warm-up', '1.5'], 'Give a share of the steps below 1'],
    [['--warm-up', '-1'], 'Give a share of the steps below 1'],
    [['--weight-decay', '-1'], 'Give a number of 0 or more'],
    [['--clip-norm', '0'], 'Give a number above 0'],
    [['--task-sampling', 'often'], 'Give proportional, equal, or a temperature'],
    [['--methods', 'fixed,,dynamic'], 'Separate names by single commas'],
    [['--head', 'round'], 'Allowed choices are linear, verbalizer'],
    [['--step', '3'], "unknown option '--step' (Did you mean --steps?)"],
    [['--nan-policy', 'ignore'], 'Allowed choices are stop, skip'],
    [['--early-stopping', '0'], 'Give a whole number of 1 or more'],
    [['--dtype', 'fp8'], 'Allowed choices are fp32'],
    [['--json', '--json-events'], "option '--json' cannot be used with option '--json-events'"],
    [['--output'], "option '--output <folder>' argument missing"],
    [['more'], 'too many arguments'],
  ])('refuses %j in one line', async (words, message) => {
    expect(await complaint('run', '--task', 'sst2', ...words)).toContain(message);
  });

  it('needs a task', async () => {
    expect(await complaint('run')).toBe(
      "dynaprompt-glue: required option '--task <names>' not specified. See dynaprompt-glue --help.\n",
    );
  });

  it('needs both columns where one is named', async () => {
    await expect(ask('run', '--task', 'tsv', '--text-column', 'a')).rejects.toThrow(
      '--label-column: it is missing',
    );
    await expect(ask('run', '--task', 'tsv', '--label-column', 'a')).rejects.toThrow(
      '--text-column: it is missing',
    );
  });
});

describe('demo', () => {
  it('compares three methods with at least two seeds', async () => {
    expect(await ask('demo')).toEqual({
      options: demonstration,
      output: { output: 'results/demo', json: false, force: false },
    });
    expect(demonstration.seeds.length).toBeGreaterThanOrEqual(2);
  });

  it('has a short form of the same methods', async () => {
    const { options } = await ask('demo', '--short');
    expect(options).toEqual(shortDemonstration);
    expect(shortDemonstration.methods).toEqual(demonstration.methods);
    expect(shortDemonstration.steps).toBeLessThan(demonstration.steps);
  });
});

describe('list', () => {
  it('can be read by programs', async () => {
    expect(await ask('list', '--json')).toEqual({ listJson: true });
    expect(await ask('list')).toEqual({ listJson: false });
  });
});
