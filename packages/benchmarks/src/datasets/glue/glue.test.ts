import { describe, expect, it } from '@jest/globals';
import { DataError } from '@dynaprompt/core';
import { withFolder } from '../../testing/temporary-folder.js';
import { loadTask, type LoadTaskOptions } from '../load-task.js';
import type { LabelledExample } from '../types.js';

type Files = Readonly<Record<string, string>>;

/** Loads a task from a folder of given files. */
function load(name: string, files: Files, options: Partial<LoadTaskOptions> = {}) {
  return withFolder(files, (folder) => loadTask(name, folder, { seed: 1, ...options }));
}

/** Lines of tab-separated fields. */
function tsv(...rows: readonly (readonly string[])[]): string {
  return rows.map((row) => `${row.join('\t')}\n`).join('');
}

const mnliHeader = [
  ...['index', 'promptID', 'pairID', 'genre', 'sentence1_binary_parse', 'sentence2_binary_parse'],
  ...['sentence1_parse', 'sentence2_parse', 'sentence1', 'sentence2', 'label1'],
];
const mnliRow = [
  '0',
  '31193',
  '31193n',
  'government',
  '( a )',
  '( b )',
  '(ROOT a)',
  '(ROOT b)',
  'A cat.',
  'A pet.',
];
const mnli = {
  'MNLI/train.tsv': tsv([...mnliHeader, 'gold_label'], [...mnliRow, 'neutral', 'neutral']),
  'MNLI/dev_matched.tsv': tsv(
    [...mnliHeader, 'label2', 'gold_label'],
    [...mnliRow, 'neutral', 'entailment', 'entailment'],
  ),
  'MNLI/dev_mismatched.tsv': tsv(
    [...mnliHeader, 'label2', 'gold_label'],
    [...mnliRow, 'neutral', 'neutral', 'contradiction'],
  ),
};
const stsHeader = [
  'index',
  'genre',
  'filename',
  'year',
  'old_index',
  'source1',
  'source2',
  'sentence1',
  'sentence2',
];
const stsRow = ['0', 'main-captions', 'MSRvid', '2012test', '1', 'none', 'none', 'A plane.', 'An air plane.'];

/** Files of a split as GLUE's archives hold them, its folder, and the example that they make. */
const archives: readonly (readonly [
  task: string,
  folder: string,
  file: string,
  example: Partial<LabelledExample>,
])[] = [
  [
    'cola',
    'CoLA',
    tsv(['gj04', '0', '*', 'They drank the "pub.']),
    { text: 'They drank the "pub.', label: 0 },
  ],
  ['sst2', 'SST-2', tsv(['sentence', 'label'], ['a fine film ', '1']), { text: 'a fine film', label: 1 }],
  [
    'mrpc',
    'MRPC',
    `\ufeff${tsv(['Quality', '#1 ID', '#2 ID', '#1 String', '#2 String'], ['1', '702876', '702977', 'He "said so .', 'So he said .'])}`,
    { text: 'He "said so .', pair: 'So he said .', label: 1 },
  ],
  [
    'qqp',
    'QQP',
    tsv(
      ['id', 'qid1', 'qid2', 'question1', 'question2', 'is_duplicate'],
      ['133273', '213221', '213222', 'How is it?', 'How was it?', '0'],
    ),
    { text: 'How is it?', pair: 'How was it?', label: 0 },
  ],
  [
    'stsb',
    'STS-B',
    tsv([...stsHeader, 'score'], [...stsRow, '4.750']),
    { text: 'A plane.', pair: 'An air plane.', label: 0, target: 4.75 },
  ],
  [
    'qnli',
    'QNLI',
    tsv(['index', 'question', 'sentence', 'label'], ['0', 'When?', 'In 1990.', 'entailment']),
    { text: 'When?', pair: 'In 1990.', label: 0 },
  ],
  [
    'rte',
    'RTE',
    tsv(['index', 'sentence1', 'sentence2', 'label'], ['0', 'It rains.', 'It is dry.', 'not_entailment']),
    { text: 'It rains.', pair: 'It is dry.', label: 1 },
  ],
  [
    'wnli',
    'WNLI',
    tsv(['index', 'sentence1', 'sentence2', 'label'], ['0', 'The pin stuck in it.', 'The pin stuck.', '1']),
    { text: 'The pin stuck in it.', pair: 'The pin stuck.', label: 1 },
  ],
];

describe('archives of GLUE', () => {
  it.each(archives)('%s', async (task, folder, file, example) => {
    const fromRoot = await load(task, { [`${folder}/train.tsv`]: file, [`${folder}/dev.tsv`]: file });
    const line = task === 'cola' ? 1 : 2;
    expect(fromRoot.train).toEqual([{ id: `train.tsv:${line}`, ...example }]);
    expect(fromRoot.validation).toEqual([{ id: `dev.tsv:${line}`, ...example }]);
    const fromItsFolder = await load(task, { 'train.tsv': file, 'dev.tsv': file });
    expect(fromItsFolder.train).toEqual(fromRoot.train);
  });

  it('mnli, whose validation sets have more labels than one', async () => {
    const matched = await load('mnli', mnli);
    expect(matched.labels).toEqual(['entailment', 'neutral', 'contradiction']);
    expect(matched.train).toEqual([{ id: 'train.tsv:2', text: 'A cat.', pair: 'A pet.', label: 1 }]);
    expect(matched.validation).toEqual([
      { id: 'dev_matched.tsv:2', text: 'A cat.', pair: 'A pet.', label: 0 },
    ]);
    const mismatched = await load('mnli-mm', mnli);
    expect(mismatched.validation).toMatchObject([{ id: 'dev_mismatched.tsv:2', label: 2 }]);
  });

  it('ax, beside the training file of MNLI', async () => {
    const header = ['Lexical Semantics', 'Predicate-Argument Structure', 'Logic', 'Knowledge', 'Domain'];
    const file = tsv(
      [...header, 'Premise', 'Hypothesis', 'Label'],
      ['', '', 'Negation', '', 'Artificial', 'The cat sat.', 'The cat did not sit.', 'contradiction'],
    );
    for (const place of ['diagnostic/', 'MNLI/', '']) {
      const { train, validation } = await load('ax', { ...mnli, [`${place}diagnostic-full.tsv`]: file });
      expect(train).toMatchObject([{ label: 1 }]);
      expect(validation).toEqual([
        { id: 'diagnostic-full.tsv:2', text: 'The cat sat.', pair: 'The cat did not sit.', label: 2 },
      ]);
    }
  });

  it('mrpc as Microsoft distributes it, with a published test split', async () => {
    const file = tsv(
      ['Quality', '#1 ID', '#2 ID', '#1 String', '#2 String'],
      ['0', '1', '2', 'One .', 'Two .'],
    );
    const files = { 'msr_paraphrase_train.txt': file, 'msr_paraphrase_test.txt': file };
    expect((await load('mrpc', files, { evaluation: 'test' })).validation).toEqual([
      { id: 'msr_paraphrase_test.txt:2', text: 'One .', pair: 'Two .', label: 0 },
    ]);
  });
});

describe('hidden answers of GLUE are refused by name:', () => {
  it.each([
    ['cola', 'CoLA', tsv(['gj04', '1', '', 'Fine.']), tsv(['index', 'sentence'], ['0', 'Fine.'])],
    ['sst2', 'SST-2', tsv(['sentence', 'label'], ['fine', '1']), tsv(['index', 'sentence'], ['0', 'fine'])],
    ['sst2', 'SST-2', tsv(['sentence', 'label'], ['fine', '1']), tsv(['sentence', 'label'], ['fine', '-1'])],
    [
      'stsb',
      'STS-B',
      tsv([...stsHeader, 'score'], [...stsRow, '3']),
      tsv([...stsHeader, 'score'], [...stsRow, '-1.0']),
    ],
  ])('%s', async (task, folder, train, test) => {
    const files = { [`${folder}/train.tsv`]: train, [`${folder}/test.tsv`]: test };
    for (const badRows of ['fail', 'skip'] as const) {
      const attempt = load(task, files, { evaluation: 'test', badRows });
      await expect(attempt).rejects.toThrow(DataError);
      await expect(attempt).rejects.toThrow(new RegExp(`test\\.tsv.*test split of "${task}" are hidden`));
    }
  });

  it('and a similarity out of range is a bad row', async () => {
    const file = tsv([...stsHeader, 'score'], [...stsRow, '5.5']);
    await expect(load('stsb', { 'train.tsv': file, 'dev.tsv': file })).rejects.toThrow(
      /train\.tsv line 2: "5\.5" in column "score" is not a number from 0 to 5/,
    );
  });
});
