import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Command } from 'commander';
import { parse } from 'yaml';

import { type ComparisonFlags, comparisonOf } from './comparison.js';
import { addConfiguration } from './configuration.js';
import {
  addBackbone,
  addBudget,
  addEvaluation,
  addHead,
  addOptimiser,
  addSlots,
  addStops,
  addTasks,
} from './flags.js';
import { printedConfiguration } from './print-configuration.js';

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'dynaprompt-configuration-'));
});

afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

function command(): Command {
  const run = new Command('run').exitOverride().configureOutput({ writeErr: () => undefined });
  addBudget(addBackbone(addTasks(run, 'task', 'data'), 'mini-bert'));
  addOptimiser(addHead(addSlots(addEvaluation(run)), ['linear', 'verbalizer']));
  return addConfiguration(addStops(run)).action(() => undefined);
}

function file(text: string): string {
  const path = join(folder, 'run.yaml');
  writeFileSync(path, text);
  return path;
}

function flagsOf(...words: readonly string[]): ComparisonFlags {
  const run = command();
  run.parse(words, { from: 'user' });
  return run.opts<ComparisonFlags>();
}

describe('--config and --set', () => {
  it('reads values as flags are read, lists and required ones too', () => {
    const path = file(
      'task: [sst2, mr]\nseeds: 1,5\nsteps: 7\nwarm-up: 3\nclip-norm: none\ntask-sampling: 2\n',
    );
    expect(flagsOf('--config', path)).toMatchObject({
      task: ['sst2', 'mr'],
      seeds: [1, 5],
      steps: 7,
      warmUp: { steps: 3 },
      clipNorm: false,
      taskSampling: { kind: 'temperature', temperature: 2 },
      batch: 16,
    });
  });

  it('lets the command line go before the file, wherever it stands', () => {
    const path = file('task: sst2\nsteps: 7\nbatch: 3\nslots: 4\n');
    const before = ['--steps', '9', '--set', 'batch=5'];
    for (const words of [
      [...before, '--config', path],
      ['--config', path, ...before],
    ]) {
      expect(flagsOf(...words)).toMatchObject({ steps: 9, batch: 5, slots: 4 });
    }
    expect(flagsOf('--config', path, '--steps', '9', '--set', 'steps=11').steps).toBe(11);
    expect(flagsOf('--config', path, '--set', 'steps=11', '--steps', '9').steps).toBe(9);
  });

  it('configures prompts by nested and by dotted names', () => {
    const path = file(
      'task: sst2\nprompt:\n  length: { level: task, penalty: 0.1 }\n  position.level: none\n',
    );
    expect(flagsOf('--set', 'prompt.length.penalty=0.5', '--config', path).prompt).toEqual({
      length: { level: 'task', penalty: 0.5 },
      position: { level: 'none' },
    });
  });

  it.each([
    ['stepz: 3', [], ['run.yaml, stepz', 'Did you mean steps']],
    ['learning_rate: 3', [], ['learning_rate', 'Did you mean learning-rate']],
    ['prompt: { lenght: { level: task } }', [], ['prompt.lenght.level', 'Did you mean prompt.length.level']],
    ['config: other.yaml', [], ['config', 'no option of that name']],
    ['steps: many', [], ['"many" cannot be used', 'whole number']],
    ['head: round', [], ['"round" cannot be used', 'linear']],
    ['- sst2', [], ['it holds no options']],
    ['a: b: c', [], ['it is no YAML']],
    ['task: sst2', ['--set', 'bach=3'], ['--set bach', 'Did you mean batch']],
    ['task: sst2', ['--set', 'batch'], ['--set batch', 'NAME=VALUE']],
    ['task: sst2', ['--set', 'batch=0'], ['--set batch', 'whole number']],
  ])('refuses %j %j in one line', (text, words, parts) => {
    const path = file(text);
    let message = '';
    try {
      flagsOf('--config', path, ...words);
    } catch (error) {
      ({ message } = error as Error);
    }
    for (const part of parts) expect(message).toContain(part);
    expect(message).not.toContain('\n');
  });

  it('names a file that is not there', () => {
    expect(() => flagsOf('--config', join(folder, 'nothing.yaml'))).toThrow(
      /nothing\.yaml: it cannot be read/,
    );
  });
});

describe('printedConfiguration', () => {
  function printed(...words: readonly string[]): string {
    const run = command();
    run.parse(words, { from: 'user' });
    return printedConfiguration(run, comparisonOf(run.opts<ComparisonFlags>()), 'results/here');
  }

  it.each([
    [['--task', 'sst2']],
    [
      [
        '--task',
        'a,b',
        '--task-sampling',
        '2',
        '--optimizer',
        'sgd',
        '--warm-up',
        '5',
        '--clip-norm',
        'none',
      ],
    ],
    [['--task', 'a', '--learning-rate', '0.3', '--head-learning-rate', '0.1', '--early-stopping', '2']],
    [['--task', 'a', '--set', 'prompt.position.mode=insert', '--set', 'prompt.temperature.end=0.25']],
  ])('can be read again and means the same: %j', (words) => {
    const first = printed(...words);
    const path = file(first.replace(/^output: .*\n/m, ''));
    const again = comparisonOf(flagsOf('--config', path));
    const plain = comparisonOf(flagsOf(...words));
    // What has a default by the optimiser is spelled out.
    expect(again).toMatchObject({ ...plain, training: plain.training, evaluateEvery: 60 });
    expect(printed('--config', path)).toBe(first);
  });

  it('spells out what has a default elsewhere', () => {
    expect(parse(printed('--task', 'sst2', '--steps', '50', '--optimizer', 'sgd'))).toMatchObject({
      task: ['sst2'],
      'evaluate-every': 10,
      'clip-norm': 1,
      'clip-scope': 'tensor',
      'weight-decay': 0,
    });
  });
});
