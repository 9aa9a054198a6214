import { mkdir, readFile, writeFile } from 'node:fs/promises';

import { afterAll, beforeAll, expect, it } from '@jest/globals';

import type { StudyResults } from '@dynaprompt/runner';

import { Workplace } from '../predict/program.test.fixture.js';

let place: Workplace;
beforeAll(async () => {
  place = await Workplace.open();
  const names = ['index', 'genre', 'filename', 'year', 'old_index', 'source1', 'source2'];
  const rows = Array.from({ length: 10 }, (_, index) =>
    [index, '', '', '', '', '', '', 'A man runs.', `A man ${'runs '.repeat(index)}.`, index / 2].join('\t'),
  );
  await write('stsb', 'tsv', [[...names, 'sentence1', 'sentence2', 'score'].join('\t'), ...rows]);
  const choices = { choice1: 'It broke.', choice2: 'It flew.', question: 'effect' };
  const questions = Array.from({ length: 10 }, (_, idx) =>
    JSON.stringify({ premise: `It fell ${'far '.repeat(idx)}.`, ...choices, idx, label: idx % 2 }),
  );
  await write('copa', 'jsonl', questions);
});
afterAll(() => place.remove());

async function write(task: string, format: string, lines: readonly string[]): Promise<void> {
  await mkdir(place.path(task));
  for (const name of [`train.${format}`, format === 'tsv' ? 'dev.tsv' : 'val.jsonl'])
    await writeFile(place.path(task, name), `${lines.join('\n')}\n`);
}

it('tunes and compares on numbers and candidates, and on rates of the head beside a prompt', async () => {
  const { code, stderr } = await place.warm(
    'study --workers 1 --tasks stsb,copa --methods linear-probe,fixed,dynamic --seeds 1,2 --steps 2 --batch 4 --slots 2 ' +
      '--prompt-rates 0.01,0.01:0.1 --network-rates 0.01:1,0.01:1:0.1 --head-rates 0.01,0.1 ' +
      '--weights-rates 0.001,0.0001 --output page.md',
  );
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  const { tasks } = JSON.parse(await readFile(place.path('page.json'), 'utf8')) as StudyResults;
  expect(tasks.map(({ task }) => task.metric)).toEqual(['pearson-spearman', 'accuracy']);
  for (const { methods } of tasks) {
    expect(methods.map(({ seeds }) => seeds)).toEqual([
      [1, 2],
      [1, 2],
      [1, 2],
    ]);
    expect(methods.map(({ tried }) => tried.map(({ rates }) => rates))).toEqual([
      ['head 0.01', 'head 0.1'],
      ['prompt 0.01', 'prompt 0.01, head 0.1'],
      ['prompt 0.01, networks 0.01', 'prompt 0.01, networks 0.01, head 0.1'],
    ]);
  }
  expect(await readFile(place.path('page.md'), 'utf8')).toContain(
    'no classes; always the same answer: 0.00.',
  );
}, 240_000);
