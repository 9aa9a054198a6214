import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

import { openMojiAttribution, parseResults, type RunResults } from '@dynaprompt/benchmarks';

import { disc, Workplace } from './program.test.fixture.js';

let place: Workplace;
const few = '--seeds 1 --steps 3 --batch 4 --slots 3';

beforeAll(async () => {
  place = await Workplace.open();
  await place.writeShapes('shapes', { train: 6, val: 4, test: 3 });
  await place.writeShapes('others', { train: 4, val: 2 });
  await place.writeShapes('bad', { train: 4, val: 3 });
  await place.write('bad/train/disc/broken.png', 'no picture');
  await place.write('bad/val/square/cut.svg', disc(9).slice(0, 40));
  await place.write('taken/thesis.tex', '');
});

afterAll(() => place.remove());

function resultsOf(stdout: string): RunResults {
  return parseResults(JSON.parse(stdout), 'stdout');
}

const shapes = 'run --task image-folder --data shapes';

describe('bad input', () => {
  it.each<[string, string, readonly string[]]>([
    ['an unknown command', 'walk', ["unknown command 'walk'"]],
    ['an unknown task', 'run --task poetry --output never', ['poetry', 'openmoji']],
    ['an unknown method', `${shapes} --methods magic --output never`, ['magic']],
    ['no folder', 'run --task mnist --output never', ['mnist', 'folder']],
    ['a folder for bundled pictures', 'run --task openmoji --data shapes --output never', ['openmoji']],
    ['a missing folder', 'run --task image-folder --data nowhere --output never', ['nowhere']],
    ['a folder that is no data set', 'run --task cifar10 --data shapes --output never', ['shapes']],
    ['shots of a whole set', `${shapes} --split full --shots 2 --output never`, ['--shots 2']],
    ['a missing backbone', `${shapes} --backbone ./nothing --output never`, ['./nothing']],
    ['a backbone for texts', `${shapes} --backbone mini-bert --output never`, ['mini-bert']],
    ['a classifier that is not there', `${shapes} --head own --output never`, ['names no classes']],
    ['an output folder of others', `${shapes} --output taken`, ['taken', '--force']],
    ['a bad picture', 'run --task image-folder --data bad --output never', ['train/disc/broken.png']],
    ['an unknown way to augment', `${shapes} --augment mixup --output never`, ['crop-flip']],
  ])('says in one line what is wrong: %s', async (_, words, parts) => {
    const { code, stderr, stdout } = await place.warm(words);
    expect(stderr.trimEnd().split('\n')).toHaveLength(1);
    for (const part of parts) expect(stderr).toContain(part);
    expect(stderr).not.toMatch(/unexpected error|\n\s+at /);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(existsSync(place.path('never'))).toBe(false);
    expect(await readdir(place.path('taken'))).toEqual(['thesis.tex']);
  });

  it.each([
    ['the command line', 'walk'],
    ['a run in a process of its own', 'run --task image-folder --data bad --output never'],
  ])('ends a whole program with the same words and code: of %s', async (_, words) => {
    expect(await place.run(words)).toEqual(await place.warm(words));
    expect(existsSync(place.path('never'))).toBe(false);
  });
});

describe('list', () => {
  it('shows tasks, methods and backbones', async () => {
    const { stdout, code } = await place.run('list');
    expect(code).toBe(0);
    for (const name of ['openmoji', 'cifar-100', 'dynamic', 'mini-clip']) expect(stdout).toContain(name);
    expect(stdout).toMatch(/vtab +800 pictures; 1,000 with --evaluation test +200 others +the test split/);
    expect(JSON.parse((await place.warm('list --json')).stdout)).toMatchObject({
      backbones: [{ name: 'mini-clip' }],
      splits: [{ name: 'full' }, { name: 'vtab' }, { name: 'few-shot' }, { name: 'base-to-novel' }],
      prompts: expect.arrayContaining([
        { name: 'cocoop', towers: 'text', slots: 4, layers: 1, perPicture: true },
        { name: 'maple', towers: 'both', slots: 2, layers: 9, perPicture: false },
      ]),
    });
  });
});

describe('run', () => {
  it('compares methods, with the measures of pictures in results and report', async () => {
    const words = '--seeds 1,2 --steps 3 --batch 4 --slots 3 --output out --json';
    const { code, stdout, stderr } = await place.run(`${shapes} ${words}`);
    expect(stderr).not.toContain('unexpected');
    expect(code).toBe(0);
    const results = resultsOf(stdout);
    expect(results).toMatchObject({
      app: 'image-classification',
      task: 'shapes',
      backbone: 'mini-clip',
      metric: 'accuracy',
      majority: { score: 0.5 },
      data: { labels: ['disc', 'square'], train: 12, validation: 8 },
      config: { steps: 3, augment: 'none', prompts: { frozen: null, fixed: { slots: 3 } } },
    });
    expect(Object.keys(results.methods)).toEqual(['frozen', 'fixed', 'dynamic']);
    for (const { confusion = [], final, perClass, measures, trainableParameters } of Object.values(
      results.methods,
    )) {
      expect(trainableParameters).toBeGreaterThan(0);
      const totals = confusion.map((row) => row.reduce((sum, count) => sum + count, 0));
      expect(totals).toEqual([8, 8]);
      const recalls = confusion.map((row, label) => (row[label] ?? 0) / 8);
      expect(perClass).toEqual(recalls);
      const mean = (values: readonly number[]): number =>
        values.reduce((sum, value) => sum + value, 0) / values.length;
      // Both classes have four pictures, so all means are the same.
      expect(mean(final)).toBeCloseTo(mean(recalls), 12);
      expect(measures?.['mean accuracy of the classes']).toEqual(final);
      for (const error of measures?.['expected calibration error'] ?? []) {
        expect(error).toBeGreaterThanOrEqual(0);
        expect(error).toBeLessThanOrEqual(1);
      }
    }
    const names = ['node', 'dynaprompt', 'onnxruntime-node', 'sharp', 'tfjs'];
    expect(Object.keys(results.versions)).toEqual(names);
    for (const name of names) expect(results.versions[name]).toMatch(/^v?\d+\.\d+\.\d+/);
    expect(JSON.parse(await readFile(place.path('out', 'results.json'), 'utf8'))).toEqual(results);
    const report = await readFile(place.path('out', 'report.html'), 'utf8');
    for (const part of ['Accuracy by class', 'expected calibration error', 'Which classes are confused']) {
      expect(report).toContain(part);
    }
    expect(report).toContain('<image href="data:image/png;base64,');
    expect(stderr).toContain('expected calibration error × 100');
  });

  it('leaves bad pictures out where it is told to, counts and names them', async () => {
    const words = `run --task image-folder --data bad --on-bad-sample skip --methods frozen ${few}`;
    const { code, stdout } = await place.warm(`${words} --output skipped`);
    expect(code).toBe(0);
    expect(stdout).toMatch(/left out {2}2 pictures: train\/disc\/broken\.png: .*val\/square\/cut\.svg: /);
    const { data } = resultsOf(await readFile(place.path('skipped', 'results.json'), 'utf8'));
    expect(data).toMatchObject({ train: 8, validation: 6, skipped: { count: 2 } });
  });

  it('scores OpenMoji on what mini-clip has not seen, and says whose pictures they are', async () => {
    const words = `run --task openmoji --limit 22 --validation-limit 11 --methods frozen ${few}`;
    const { code, stdout } = await place.warm(`${words} --output emojis --json`);
    expect(code).toBe(0);
    const { data, config } = resultsOf(stdout);
    expect(data).toMatchObject({ train: 22, validation: 11, attribution: openMojiAttribution });
    expect(data.labels).toHaveLength(11);
    expect(config).toMatchObject({ evaluation: 'test' });
    expect(await readFile(place.path('emojis', 'report.html'), 'utf8')).toContain('CC BY-SA 4.0');
  });

  it('reads the files of MNIST', async () => {
    const images = (count: number): Uint8Array =>
      Buffer.concat([
        Buffer.from([0, 0, 8, 3, 0, 0, 0, count, 0, 0, 0, 28, 0, 0, 0, 28]),
        ...Array.from({ length: count }, (_, index) => Buffer.alloc(28 * 28, index % 2 === 0 ? 250 : 5)),
      ]);
    const labels = (count: number): Uint8Array =>
      Buffer.from([0, 0, 8, 1, 0, 0, 0, count, ...Array.from({ length: count }, (_, index) => index % 2)]);
    await place.write('digits/train-images-idx3-ubyte', images(40));
    await place.write('digits/train-labels-idx1-ubyte', labels(40));
    await place.write('digits/t10k-images-idx3-ubyte', images(6));
    await place.write('digits/t10k-labels-idx1-ubyte', labels(6));
    const words = `run --task mnist --data digits --evaluation test --shots 3 --methods fixed ${few}`;
    const { code, stdout, stderr } = await place.warm(`${words} --output digits-out --json`);
    // Eight of the ten digits have no picture.
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr.trimEnd().split('\n')).toHaveLength(1);
    const whole = words.replace('--shots 3', '--limit 10').replace('mnist', 'idx');
    const run = await place.warm(`${whole} --output digits-out --json`);
    expect(run.code).toBe(0);
    expect(resultsOf(run.stdout).data).toMatchObject({ labels: ['0', '1'], train: 10, validation: 6 });
  });

  it('augments what steps show, the same way every time, and not what the frozen head reads', async () => {
    const losses = async (augment: string): Promise<Record<string, unknown>> => {
      const words = `--methods frozen,fixed --augment ${augment} ${few} --json --force --output augmented`;
      const { code, stdout } = await place.warm(`${shapes} ${words}`);
      expect(code).toBe(0);
      const { methods } = resultsOf(stdout);
      return Object.fromEntries(
        Object.entries(methods).map(([name, { curves }]) => [name, curves.map(({ loss }) => loss)]),
      );
    };
    const none = await losses('none');
    const cropped = await losses('crop-flip');
    const coloured = await losses('colour');
    expect(await losses('colour')).toEqual(coloured);
    for (const augmented of [cropped, coloured]) {
      expect(augmented.frozen).toEqual(none.frozen);
      expect(augmented.fixed).not.toEqual(none.fixed);
    }
    expect(coloured.fixed).not.toEqual(cropped.fixed);
  });

  it('trains one prompt for several tasks', async () => {
    const words = `run --task image-folder,openmoji --data shapes --limit 12 --validation-limit 6 --methods dynamic ${few}`;
    const { code, stdout, stderr } = await place.warm(`${words} --evaluation test --output both --json`);
    expect(stderr).not.toContain('unexpected');
    expect(code).toBe(0);
    const { tasks, data, methods } = resultsOf(stdout);
    expect(Object.keys(tasks ?? {})).toEqual(['shapes', 'openmoji']);
    expect(data.attribution).toBe(openMojiAttribution);
    expect(Object.keys(methods.dynamic?.measures ?? {})).toContain('openmoji: expected calibration error');
    expect(methods.dynamic?.confusion).toBeUndefined();
  });

  it('is the demonstration where nothing is asked for', async () => {
    const { code, stdout } = await place.run('', { interruptAt: 'training ' });
    expect(code).toBe(130);
    expect(stdout).toMatch(/data {6}npm package openmoji .*; 2,\d{3} to train, 173 to validate/);
    expect(existsSync(place.path('results'))).toBe(false);
  });

  it('stops at Ctrl-C with exit code 130, and goes on from there', async () => {
    const words = `${shapes} --methods fixed --seeds 1 --steps 20 --batch 4 --output cut`;
    const { code, stderr } = await place.run(words, { interruptAt: 'step 1/20' });
    expect(code).toBe(130);
    expect(stderr).toMatch(
      /stopped; its checkpoints are kept in .*cut.checkpoints\. .*--resume to go on\.\n$/,
    );
    expect(await readdir(place.path('cut'))).toEqual(['checkpoints']);
    const resumed = await place.run(`${words} --resume`);
    expect(resumed.code).toBe(0);
    expect(resumed.stdout).toContain('goes on after step');
    expect(existsSync(place.path('cut', 'checkpoints'))).toBe(false);
    expect(existsSync(place.path('cut', 'results.json'))).toBe(true);
  });
});

describe('study', () => {
  it('tunes and compares in processes of its own, and knows what is done', async () => {
    const words =
      'study --tasks image-folder --folders image-folder=shapes --methods linear-probe,fixed --seeds 1,2 --steps 2 --batch 4 ' +
      '--slots 3 --holdout 0.5 --prompt-rates 0.01,0.1 --network-rates 0.01:1,0.1:1 --head-rates 0.01,0.1 --weights-rates 1e-4,1e-3 ' +
      '--output study.md';
    const { code, stdout, stderr } = await place.run(words);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    // Two methods, two settings and two seeds.
    expect(stdout.split('\n').filter((line) => line.startsWith('['))).toHaveLength(8);
    const page = await readFile(place.path('study.md'), 'utf8');
    expect(page).toContain('npm run image-classification -- study');
    expect(page).toContain('tokens that stand before the patches');
    const study = JSON.parse(await readFile(place.path('study.json'), 'utf8')) as Record<string, unknown>;
    expect(study).toMatchObject({
      app: 'image-classification-study',
      tasks: [{ task: { train: 12, validation: 8 }, methods: [{ seeds: [1, 2] }, { seeds: [1, 2] }] }],
    });
    const again = await place.warm(words);
    expect(again.stdout.split('\n').filter((line) => line.startsWith('['))).toEqual([]);
    const other = await place.warm(`${words} --augment crop-flip`);
    expect(other.stdout.split('\n').filter((line) => line.startsWith('['))).toHaveLength(8);
  }, 240_000);
});
