import { afterEach, describe, expect, it, jest } from '@jest/globals';
import type { Command } from 'commander';

import type { Application } from '../application.js';
import {
  addBackbone,
  addBudget,
  addEvaluation,
  addHead,
  addOptimiser,
  addSlots,
  addTasks,
} from '../options/flags.js';
import { type ComparisonFlags, comparisonOf, type ComparisonOptions } from '../options/comparison.js';
import type { StudyCommand } from '../study/command.js';
import type { StudyOptions } from '../study/options.js';
import { type CommonActions, commonActions } from './actions.js';
import { applicationCommandLine, type OwnCommands } from './command-line.js';

const application: Application = {
  name: 'toy',
  program: 'dynaprompt-toy',
  command: 'npm run toy --',
  versions: { dynaprompt: '0.1.0' },
  input: 'the toy',
  faults: 'toys',
};

const study: StudyCommand<StudyOptions> = {
  backbone: 'mini-toy',
  heads: ['linear'],
  output: 'results/toys.md',
  requireTask: () => undefined,
  addOwn: () => undefined,
  complete: (options) => options,
};

function addRunFlags(command: Command): void {
  addEvaluation(addBudget(addBackbone(addTasks(command, 'toys', 'folder'), 'mini-toy')));
  addOptimiser(addHead(addSlots(command), ['linear']));
}

/** What a command line asked for: the name of the action, and what it was given. */
type Asked = [name: string, ...given: unknown[]];

async function ask(
  words: readonly string[],
  own: Partial<OwnCommands<ComparisonFlags, ComparisonOptions, StudyOptions>> = {},
): Promise<{ readonly asked: readonly Asked[]; readonly program: Command }> {
  const asked: Asked[] = [];
  const note =
    (name: string) =>
    (...given: unknown[]): Promise<void> => {
      asked.push([name, ...given]);
      return Promise.resolve();
    };
  const actions: CommonActions<ComparisonOptions, StudyOptions> = {
    list: note('list'),
    doctor: note('doctor'),
    compare: note('compare'),
    study: note('study'),
    sweep: note('sweep'),
    worker: note('worker'),
    exportPeft: note('exportPeft'),
  };
  const demonstration = { full: demonstrated(300), short: demonstrated(10), folder: 'results/toys' };
  const commands = { application, description: 'Toys.', addRunFlags, optionsOf: comparisonOf, study };
  const program = applicationCommandLine(
    { ...commands, demonstration, addUses: (line) => void line.command('predict'), ...own },
    actions,
    () => undefined,
  );
  await program.parseAsync(words, { from: 'user' });
  return { asked, program };
}

/** Stands for options that nothing looks into. */
function demonstrated(steps: number): ComparisonOptions {
  return { steps } as ComparisonOptions;
}

describe('applicationCommandLine', () => {
  it('has the commands that all applications have, and those of this one among them', async () => {
    const names = async (own: Parameters<typeof ask>[1]): Promise<string> =>
      (await ask(['list'], own)).program.commands.map((command) => command.name()).join(' ');
    expect(await names({})).toBe('list run study sweep worker demo predict doctor export-peft');
    const addExports = (line: Command): void => void line.command('export');
    expect(await names({ addExports })).toBe(
      'list run study sweep worker demo predict doctor export export-peft',
    );
  });

  it.each([
    [
      ['list', '--json'],
      ['list', { json: true }],
    ],
    [['doctor'], ['doctor', { json: false }]],
    [
      ['export-peft', 'from', 'to', '--base'],
      ['exportPeft', 'from', 'to', { base: true }],
    ],
    [
      ['worker', '--queue', 'redis://r:1'],
      ['worker', expect.objectContaining({ queue: 'redis://r:1' })],
    ],
    [
      ['sweep', '--config', 'a.yaml'],
      ['sweep', expect.objectContaining({ config: 'a.yaml' })],
    ],
    [
      ['study', '--tasks', 'a'],
      ['study', expect.objectContaining({ tasks: ['a'] }), expect.objectContaining({ workers: 2 })],
    ],
    [
      ['run', '--task', 'a', '--steps', '7'],
      ['compare', expect.objectContaining({ tasks: ['a'], steps: 7 }), expect.anything()],
    ],
  ])('%j asks for one thing', async (words, expected) => {
    expect((await ask(words)).asked).toEqual([expected]);
  });

  it('demonstrates in two lengths, into the folder of the application', async () => {
    const output = { output: 'results/toys', json: false, force: false };
    expect((await ask(['demo'])).asked).toEqual([['compare', { steps: 300 }, output]]);
    expect((await ask(['demo', '--short'])).asked).toEqual([['compare', { steps: 10 }, output]]);
  });
});

describe('commonActions', () => {
  afterEach(() => {
    jest.restoreAllMocks();
  });

  const nowhere = new URL('file:///nowhere/module.js');
  const actions = commonActions<unknown, ComparisonOptions, StudyOptions>(
    {
      application,
      domain: () => Promise.reject(new Error('the domain was asked for')),
      study,
      manifest: nowhere,
      workers: { run: nowhere, study: nowhere, sweep: nowhere },
      bundled: [],
      list: { text: () => 'toys, in words', json: () => ({ toys: ['ball'] }) },
    },
    new AbortController().signal,
  );

  it('lists for people and for programs', async () => {
    const write = jest.spyOn(process.stdout, 'write').mockReturnValue(true);
    await actions.list({ json: false });
    await actions.list({ json: true });
    const [words, json] = write.mock.calls.map(([text]) => String(text));
    expect(words).toBe('toys, in words\n');
    expect(JSON.parse(json ?? '')).toEqual({ toys: ['ball'] });
  });

  it('loads the domain for what needs it', async () => {
    const output = { output: 'results', json: false, force: false };
    await expect(actions.compare(demonstrated(1), output)).rejects.toThrow('the domain was asked for');
  });
});
