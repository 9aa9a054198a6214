import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Command } from 'commander';

import { ConfigurationError } from '@dynaprompt/core';

import { taskNamed } from '@dynaprompt/benchmarks';

import { addStudy } from './command.js';
import { studyCommand } from './command-text.js';
import type { StudyOptions, StudyPlaces } from './options.js';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'dynaprompt-study-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function ask(...words: readonly string[]): Promise<{ options: StudyOptions; places: StudyPlaces }> {
  const asked: { options: StudyOptions; places: StudyPlaces }[] = [];
  const program = new Command('test').exitOverride().configureOutput({ writeErr: () => undefined });
  const own = {
    backbone: 'mini-bert',
    heads: ['linear', 'verbalizer'],
    output: 'docs/results.md',
    requireTask: taskNamed,
    addOwn: (command: Command) => command.option('--max-length <count>', 'tokens', Number),
    complete: (options: StudyOptions, flags: Readonly<Record<string, unknown>>) => {
      return { ...options, maxLength: flags.maxLength };
    },
  } as const;
  addStudy(program, own, (options, places) => {
    asked.push({ options, places });
    return Promise.resolve();
  });
  await program.parseAsync(['study', ...words], { from: 'user' });
  const [first] = asked;
  if (first === undefined) throw new Error('nothing was asked');
  return first;
}

async function file(value: unknown): Promise<string> {
  const path = join(folder, 'study.json');
  await writeFile(path, typeof value === 'string' ? value : JSON.stringify(value));
  return path;
}

describe('study', () => {
  it('takes options from a file, and flags before it', async () => {
    const path = await file({
      tasks: ['sst2', 'rte'],
      steps: 50,
      seeds: [4, 5],
      holdout: 0.1,
      folders: { sst2: 'SST-2' },
      'network-rates': ['0.005:0.3', '0.01:1'],
      'prompt-rates': [0.005, 0.01],
      'head-rates': '0.1,0.2',
      'weights-rates': [1e-4, 1e-3],
      workers: 3,
      'max-length': 32,
    });
    const { options, places } = await ask('--config', path, '--steps', '60', '--batch', '8');
    expect(options).toMatchObject({
      tasks: ['sst2', 'rte'],
      steps: 60,
      batch: 8,
      seeds: [4, 5],
      holdout: 0.1,
      evaluateEvery: 12,
      maxLength: 32,
      folders: { sst2: 'SST-2' },
      rates: {
        prompt: [0.005, 0.01],
        networks: [
          { prompt: 0.005, ratio: 0.3 },
          { prompt: 0.01, ratio: 1 },
        ],
        head: [0.1, 0.2],
        weights: [0.0001, 0.001],
      },
    });
    expect(places).toMatchObject({ workers: 3, journal: 'docs/results.jsonl', retryFailed: false });
  });

  it.each<[string, unknown, RegExp]>([
    ['no JSON', 'steps: 5', /cannot be read as JSON/],
    ['no object', [1], /holds no object/],
    ['an unknown option', { step: 5 }, /step: there is no option of that name.*steps/],
    ['a value out of range', { steps: 0 }, /steps: 0 cannot be used/],
    ['a seed that is none', { seeds: [1, 'x'] }, /seeds: \[1,"x"\] cannot be used/],
    ['a head that is none', { head: 'soft' }, /head: "soft" cannot be used/],
    ['an option without value', { 'retry-failed': true }, /retry-failed: there is no option/],
  ])('names what is wrong with a file: %s', async (_, value, message) => {
    const asked = ask('--config', await file(value));
    await expect(asked).rejects.toThrow(ConfigurationError);
    await expect(asked).rejects.toThrow(message);
  });

  it.each<[string, readonly string[], RegExp]>([
    ['no task', [], /--tasks/],
    ['an unknown task', ['--tasks', 'poetry'], /poetry/],
    ['an unknown method', ['--tasks', 'sst2', '--methods', 'magic'], /magic/],
    ['unequal tuning', ['--tasks', 'sst2', '--head-rates', '0.1'], /head 1/],
    ['a page that is none', ['--tasks', 'sst2', '--output', 'docs'], /--output docs/],
    [
      'a method without length',
      ['--tasks', 'sst2', '--length-penalty', '0,0.1', '--length-method', 'fixed'],
      /--length-method fixed/,
    ],
  ])('refuses %s', async (_, words, message) => {
    const asked = ask(...words);
    await expect(asked).rejects.toThrow(ConfigurationError);
    await expect(asked).rejects.toThrow(message);
  });

  it.each([
    ['--network-rates', '0.1'],
    ['--network-rates', '0.1:1:1'],
    ['--holdout', '1.5'],
    ['--holdout', '0'],
    ['--length-penalty', '-1'],
    ['--folders', 'sst2'],
  ])('cannot use %s %s', async (...words) => {
    await expect(ask('--tasks', 'sst2', ...words)).rejects.toThrow(words[0]);
  });
});

describe('studyCommand', () => {
  it('leaves out where the data lies', () => {
    const words = ['study', '--tasks', 'sst2', '--data-root', '/home/me/glue', '--output', 'a b.md'];
    expect(studyCommand('npm run glue --', words)).toBe(
      "npm run glue -- study --tasks sst2 --data-root FOLDER --output 'a b.md'",
    );
    expect(studyCommand('npm run glue --', ['study', '--data-root=/home'])).toBe(
      'npm run glue -- study --data-root=FOLDER',
    );
  });
});
