import { existsSync } from 'node:fs';
import { cp, mkdir, readdir, readFile, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

import { parseInspections, parseResults, readPredictions, scorePredictions } from '@dynaprompt/benchmarks';
import { miniBert } from '@dynaprompt/mini-models';

import { ProgramRun, Workplace } from './predict/program.test.fixture.js';

let place: Workplace;
let folder: string;

beforeAll(async () => {
  place = await Workplace.open();
  folder = place.folder;
  const rows = ['good film\t1', 'bad film\t0', 'a fine story\t1', 'a dull story\t0'];
  await mkdir(join(folder, 'reviews'));
  for (const name of ['train.tsv', 'dev.tsv']) {
    await writeFile(join(folder, 'reviews', name), ['sentence\tlabel', ...rows, ''].join('\n'));
  }
  await mkdir(join(folder, 'odd'));
  await writeFile(join(folder, 'odd', 'train.tsv'), 'sentence\tlabel\ngood film\t7\n');
  await writeFile(join(folder, 'odd', 'dev.tsv'), 'sentence\tlabel\ngood film\t1\n');
  await mkdir(join(folder, 'few'));
  const many = ['one', 'two', 'three', 'four'].flatMap((word) => [`good ${word}\t1`, `bad ${word}\t0`]);
  await writeFile(join(folder, 'few', 'train.tsv'), ['sentence\tlabel', ...many, 'odd\t7', ''].join('\n'));
  await writeFile(join(folder, 'few', 'dev.tsv'), ['sentence\tlabel', ...rows, ''].join('\n'));
  await mkdir(join(folder, 'taken'));
  await writeFile(join(folder, 'taken', 'thesis.tex'), '');
  await mkdir(join(folder, 'pointer', 'onnx'), { recursive: true });
  for (const name of ['config.json', 'tokenizer.json', 'tokenizer_config.json']) {
    await writeFile(join(folder, 'pointer', name), await readFile(join(miniBert, name)));
  }
  await writeFile(
    join(folder, 'pointer', 'onnx', 'model.onnx'),
    'version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 21554598\n',
  );
  await cp(join(folder, 'pointer'), join(folder, 'torn'), { recursive: true });
  await cp(join(miniBert, 'onnx', 'model.onnx'), join(folder, 'torn', 'onnx', 'model.onnx'));
  await truncate(join(folder, 'torn', 'onnx', 'model.onnx'), 1_000_000);
});

afterAll(() => place.remove());

const reviews = ['run', '--task', 'sst2', '--data', 'reviews', '--output', 'never'];

describe('bad input', () => {
  it.each<[string, readonly string[], readonly string[]]>([
    ['an unknown command', ['walk'], ["unknown command 'walk'"]],
    ['an unknown task', ['run', '--task', 'poetry', '--output', 'never'], ['poetry', 'Use one of', 'sst2']],
    [
      'an unknown method',
      [...reviews, '--methods', 'magic'],
      ['magic', 'Use one of frozen, linear-probe, fine-tuning'],
    ],
    ['seeds that are no numbers', [...reviews, '--seeds', 'a'], ['--seeds', '"a"']],
    ['no steps', [...reviews, '--steps', '0'], ['--steps']],
    ['no folder', ['run', '--task', 'sst2', '--output', 'never'], ['sst2', 'train.tsv and dev.tsv']],
    [
      'a folder too many',
      ['run', '--task', 'sst2,mr', '--data', 'a,b,c', '--output', 'never'],
      ['a,b,c', '1 more'],
    ],
    [
      'a folder too few',
      ['run', '--task', 'sst2,mr', '--data', 'reviews', '--output', 'never'],
      ['"mr"', 'folder'],
    ],
    ['a warm-up longer than the run', [...reviews, '--steps', '3', '--warm-up', '3'], ['schedule.warmUp']],
    ['a missing folder', [...reviews.with(4, 'nowhere')], ['nowhere', 'does not exist']],
    ['a label outside the set', [...reviews.with(4, 'odd')], ['train.tsv', '"7"']],
    [
      'a wrong column',
      [...reviews, '--text-column', 'verse', '--label-column', 'label'],
      ['train.tsv', 'verse'],
    ],
    ['a missing backbone', [...reviews, '--backbone', './nothing'], ['./nothing', 'no such folder']],
    ['a git-lfs pointer', [...reviews, '--backbone', 'pointer'], ['model.onnx', 'git lfs pull']],
    ['a truncated model', [...reviews, '--backbone', 'torn'], ['model.onnx', 'truncated']],
    ['too many slots', [...reviews, '--slots', '128'], ['128']],
    ['too long texts', [...reviews, '--max-length', '500'], ['500']],
    ['an output folder of others', [...reviews, '--output', 'taken'], ['taken', '--force']],
    [
      'no wording for a verbaliser',
      [
        'run',
        '--task',
        'tsv',
        '--data',
        'reviews',
        '--text-column',
        'sentence',
        '--label-column',
        'label',
        '--head',
        'verbalizer',
        '--output',
        'never',
      ],
      ['verbalizer', 'tsv'],
    ],
  ])('says in one line what is wrong: %s', async (_, words, parts) => {
    const { code, stderr, stdout } = await place.warm(words);
    expect(stderr.trimEnd().split('\n')).toHaveLength(1);
    for (const part of parts) expect(stderr).toContain(part);
    expect(stderr).not.toMatch(/unexpected error|\n\s+at /);
    expect(stdout).toBe('');
    expect(code).toBe(1);
    expect(existsSync(join(folder, 'never'))).toBe(false);
    expect((await readdir(join(folder, 'taken'))).sort()).toEqual(['thesis.tex']);
  });

  it.each([
    ['the command line', ['walk']],
    ['options', [...reviews, '--methods', 'magic']],
    ['a run in a process of its own', [...reviews, '--backbone', 'pointer']],
  ])('ends a whole program with the same words and code: of %s', async (_, words) => {
    expect(await place.start(...words).end()).toEqual(await place.warm(words));
    expect(existsSync(join(folder, 'never'))).toBe(false);
  });

  it('shows where an error comes from when asked', async () => {
    const words = reviews.with(4, 'nowhere');
    const { stderr, code } = await new ProgramRun(folder, words, { DEBUG: 'dynaprompt' }).end();
    expect(stderr).toMatch(/\n\s+at /);
    expect(code).toBe(1);
  });
});

describe('list', () => {
  it('shows tasks, methods and backbones', async () => {
    const { stdout, stderr, code } = await place.glue('list');
    expect({ stderr, code }).toEqual({ stderr: '', code: 0 });
    for (const name of [
      'spam-assassin',
      'sst2',
      'sentence',
      'frozen',
      'dynamic',
      'adap_ins_pos',
      'mini-bert',
    ]) {
      expect(stdout).toContain(name);
    }
  });

  it('is one JSON document with --json', async () => {
    const { stdout } = await place.warm('list --json');
    expect(JSON.parse(stdout)).toMatchObject({ backbones: [{ name: 'mini-bert' }] });
  });
});

describe('run', () => {
  it('compares methods on a folder and writes results and report', async () => {
    const words = [
      ...reviews.with(6, 'reviews-results'),
      '--seeds',
      '1,2',
      '--steps',
      '3',
      '--batch',
      '2',
      '--json',
    ];
    const { stdout, stderr, code } = await place.start(...words).end();
    expect(code).toBe(0);
    const results = parseResults(JSON.parse(stdout), 'stdout');
    expect(results).toMatchObject({
      app: 'glue',
      task: 'sst2',
      backbone: 'mini-bert',
      metric: 'accuracy',
      majority: { score: 0.5 },
      config: { steps: 3, batch: 2, prompts: { frozen: null, fixed: { slots: 10 } } },
    });
    expect(Object.keys(results.methods)).toEqual(['frozen', 'fixed', 'dynamic']);
    expect(results.methods.dynamic?.seeds).toEqual([1, 2]);
    const names = ['node', 'dynaprompt', 'onnxruntime-node', 'transformers', 'tfjs'];
    expect(Object.keys(results.versions)).toEqual(names);
    for (const name of names) expect(results.versions[name]).toMatch(/^v?\d+\.\d+\.\d+/);
    const written = await readFile(join(folder, 'reviews-results', 'results.json'), 'utf8');
    expect(JSON.parse(written)).toEqual(results);
    expect(await readdir(join(folder, 'reviews-results'))).toContain('report.html');
    for (const part of ['mini-bert', 'seeds', '1, 2', 'step 3/3', 'majority class'])
      expect(stderr).toContain(part);
  });

  it('trains on a few shots, scores on the whole split, and counts bad rows', async () => {
    const words =
      'run --task sst2 --data few --output few-results --methods fixed --seeds 1 --steps 2 --batch 2 --shots 2';
    const stopped = await place.warm(words);
    expect(stopped.code).toBe(1);
    expect(stopped.stderr).toMatch(/few.train\.tsv line 10/);
    const { stdout, code } = await place.warm(`${words} --bad-rows skip`);
    expect(code).toBe(0);
    expect(stdout).toMatch(/1 bad rows: .*line 10/);
    const written = JSON.parse(
      await readFile(join(folder, 'few-results', 'results.json'), 'utf8'),
    ) as unknown;
    const { data } = parseResults(written, 'few-results');
    expect(data).toMatchObject({ train: 4, validation: 4, skipped: { count: 1 } });
  });

  it('takes its own earlier results as output folder', async () => {
    const words = [
      ...reviews.with(6, 'again'),
      '--seeds',
      '1',
      '--steps',
      '1',
      '--batch',
      '2',
      '--methods',
      'frozen',
    ];
    for (let time = 0; time < 2; time++) {
      const { code, stdout } = await place.warm(words);
      expect(code).toBe(0);
      expect(stdout).toContain(join('again', 'report.html'));
    }
  });

  it('reads classes off the frozen model with a verbaliser', async () => {
    const words = [
      ...reviews.with(6, 'words'),
      '--head',
      'verbalizer',
      '--seeds',
      '1',
      '--steps',
      '2',
      '--batch',
      '2',
    ];
    const { stdout, code } = await place.warm([...words, '--json']);
    expect(code).toBe(0);
    const { methods } = parseResults(JSON.parse(stdout), 'stdout');
    expect(methods.frozen).toMatchObject({ trainableParameters: 0 });
    expect(methods.fixed).toMatchObject({ trainableParameters: 10 * 256 });
  });

  it('trains one prompt for several tasks', async () => {
    const words = ['run', '--task', 'sst2,mr', '--data', 'reviews,reviews', '--output', 'both', '--json'];
    const small = ['--seeds', '1', '--steps', '4', '--batch', '2', '--methods', 'frozen,dynamic'];
    const { stdout, stderr, code } = await place.warm([...words, ...small, '--task-sampling', 'equal']);
    expect(stderr).not.toContain('unexpected');
    expect(code).toBe(0);
    const { task, tasks, methods, majority } = parseResults(JSON.parse(stdout), 'stdout');
    expect({ task, majority }).toMatchObject({ task: 'sst2, mr', majority: { score: 0.5 } });
    expect(tasks).toMatchObject({ sst2: { train: 4, metric: 'accuracy' }, mr: { train: 4 } });
    const usage = methods.dynamic?.usage;
    const each = Object.values(methods.dynamic?.tasks ?? {}).map((scores) => scores.final[0] ?? NaN);
    expect(methods.dynamic?.final[0]).toBeCloseTo(each.reduce((sum, score) => sum + score, 0) / 2, 12);
    expect(usage?.map((entry) => entry.task)).toEqual(['sst2', 'mr']);
    for (const { positions, lengths, pool } of usage ?? []) {
      expect([positions, lengths].map((counts) => counts?.reduce((sum, count) => sum + count, 0))).toEqual([
        4, 4,
      ]);
      expect(pool?.topShare).toHaveLength(4);
    }
    const report = await readFile(join(folder, 'both', 'report.html'), 'utf8');
    for (const part of ['>Tasks</h2>', 'What the prompts chose', 'dynamic, mr', 'Prompt inspector'])
      expect(report).toContain(part);
    const said = await readPredictions(join(folder, 'both', 'predictions', 'dynamic-seed1', 'mr.jsonl'));
    expect(said).toHaveLength(4);
    expect(scorePredictions(said, 'accuracy')).toBe(methods.dynamic?.tasks?.mr?.final[0]);
    const inspected = await readFile(join(folder, 'both', 'inspections.json'), 'utf8');
    const inspections = parseInspections(JSON.parse(inspected), 'inspections.json');
    const tasksInTurn = Array.from({ length: 8 }, (_, index) => (index < 4 ? 'sst2' : 'mr'));
    expect(inspections.map((each) => each.task)).toEqual(tasksInTurn);
    for (const { prompt, sequence } of inspections) {
      const active = sequence.filter((part) => typeof part === 'object').length;
      expect(active).toBe(prompt?.length);
      expect(prompt?.weights?.reduce((sum, weight) => sum + weight, 0)).toBeCloseTo(1, 5);
    }
  });

  it('repeats its steps bit for bit with every optimiser, in one process or another', async () => {
    for (const optimizer of ['adamw', 'adafactor', 'sgd']) {
      const words = [
        ...reviews.with(6, optimizer),
        '--optimizer',
        optimizer,
        '--methods',
        'dynamic',
        '--json',
      ];
      const small = ['--seeds', '1', '--steps', '20', '--batch', '2', '--slots', '4', '--force'];
      const curves: unknown[] = [];
      const tensors: Buffer[] = [];
      const all = [...words, ...small];
      for (const isAgain of [false, true]) {
        const isElsewhere = isAgain && optimizer === 'adamw';
        const { stdout, code } = await (isElsewhere ? place.start(...all).end() : place.warm(all));
        expect(code).toBe(0);
        tensors.push(
          await readFile(join(folder, optimizer, 'adapters', 'dynamic-seed1', 'dynamic_prompt.safetensors')),
        );
        curves.push(parseResults(JSON.parse(stdout), 'stdout').methods.dynamic?.curves);
      }
      expect(curves[1]).toEqual(curves[0]);
      expect(tensors[1]?.equals(tensors[0] ?? Buffer.alloc(0))).toBe(true);
    }
  });
});
