import { describe, expect, it } from '@jest/globals';
import { parquetBytes, type ParquetType } from '../testing/parquet-bytes.js';
import { withFolder } from '../testing/temporary-folder.js';
import { loadTask, type LoadTaskOptions } from './load-task.js';
import type { LabelledExample } from './types.js';

type Row = Readonly<Record<string, unknown>>;

/** Types of the columns of a row, as the Hub has them. */
function typesOf(row: Row): Readonly<Record<string, ParquetType>> {
  const typeOf = (value: unknown): ParquetType => {
    if (typeof value === 'string') return 'string';
    if (Array.isArray(value)) return 'strings';
    if (typeof value === 'object' && value !== null) return { int32s: Object.keys(value) };
    return Number.isInteger(value) ? 'int64' : 'double';
  };
  return Object.fromEntries(Object.entries(row).map(([name, value]) => [name, typeOf(value)]));
}

/** Loads a task from a folder in the layout of the Hub, one row a file. */
function load(task: string, files: Readonly<Record<string, Row>>, options: Partial<LoadTaskOptions> = {}) {
  const bytes = Object.entries(files).map(([split, row]) => [
    `${split}-00000-of-00001.parquet`,
    parquetBytes([row], typesOf(row), 'snappy'),
  ]);
  return withFolder(Object.fromEntries(bytes) as Record<string, Uint8Array>, (folder) =>
    loadTask(task, folder, { seed: 1, ...options }),
  );
}

const pair = { text: 'One.', pair: 'Two.' };
const premise = { premise: 'One.', hypothesis: 'Two.', idx: 3 };
const sentences = { sentence1: 'One.', sentence2: 'Two.', idx: 3 };
const record = {
  passage: 'Ann met Bob.\n@highlight\nAnn left',
  query: '@placeholder left Bob.',
  entities: ['Ann', 'Bob'],
  answers: ['Ann'],
  idx: { passage: 4, query: 9 },
};
const copa = {
  premise: 'It fell.',
  choice1: 'It broke.',
  choice2: 'It flew.',
  question: 'effect',
  idx: 0,
  label: 1,
};
const pronoun = {
  text: 'Ann saw that she won.',
  span1_index: 0,
  span1_text: 'Ann',
  span2_index: 3,
  span2_text: 'she',
  idx: 0,
};

/** A row of every configuration of `nyu-mll/glue` and `aps/super_glue`, and the example that it makes. */
const rows: readonly (readonly [
  task: string,
  configuration: string,
  row: Row,
  example: Partial<LabelledExample>,
])[] = [
  ['cola', 'cola', { sentence: 'One.', label: 1, idx: 0 }, { text: 'One.', label: 1 }],
  ['sst2', 'sst2', { sentence: 'one ', label: 0, idx: 0 }, { text: 'one', label: 0 }],
  ['mrpc', 'mrpc', { ...sentences, label: 1 }, { ...pair, label: 1 }],
  ['qqp', 'qqp', { question1: 'One.', question2: 'Two.', label: 1, idx: 0 }, { ...pair, label: 1 }],
  ['stsb', 'stsb', { ...sentences, label: 3.5 }, { ...pair, label: 0, target: 3.5 }],
  ['qnli', 'qnli', { question: 'One.', sentence: 'Two.', label: 1, idx: 0 }, { ...pair, label: 1 }],
  ['rte', 'rte', { ...sentences, label: 1 }, { ...pair, label: 1 }],
  ['wnli', 'wnli', { ...sentences, label: 0 }, { ...pair, label: 0 }],
  ['boolq', 'boolq', { question: 'Two.', passage: 'One.', idx: 0, label: 1 }, { ...pair, label: 1 }],
  ['cb', 'cb', { ...premise, label: 2 }, { ...pair, label: 2 }],
  ['copa', 'copa', copa, { text: 'It fell so', candidates: ['It broke.', 'It flew.'], label: 1 }],
  [
    'multirc',
    'multirc',
    {
      paragraph: 'One.',
      question: 'Who?',
      answer: 'Ann',
      idx: { paragraph: 5, question: 2, answer: 8 },
      label: 1,
    },
    { text: 'One.', pair: 'Who? Is it Ann?', group: '5/2', label: 1 },
  ],
  [
    'record',
    'record',
    record,
    {
      text: 'Ann met Bob. Ann left',
      pair: '@placeholder left Bob.',
      candidates: ['Ann', 'Bob'],
      answers: ['Ann'],
      label: 0,
    },
  ],
  ['superglue-rte', 'rte', { ...premise, label: 0 }, { ...pair, label: 0 }],
  [
    'wic',
    'wic',
    {
      word: 'run',
      sentence1: 'A run.',
      sentence2: 'They ran.',
      start1: 2,
      start2: 5,
      end1: 5,
      end2: 8,
      idx: 0,
      label: 0,
    },
    {
      text: 'A run.',
      pair: 'They ran. Similar sense of "run"?',
      spans: [
        { of: 'text', start: 2, end: 5 },
        { of: 'pair', start: 5, end: 8 },
      ],
      label: 0,
    },
  ],
  ...(['wsc', 'wsc.fixed'] as const).map(
    (configuration) =>
      [
        'wsc',
        configuration,
        { ...pronoun, label: 1 },
        {
          text: 'Ann saw that *she* won.',
          pair: 'Ann',
          spans: [
            { of: 'text', start: 0, end: 3 },
            { of: 'text', start: 14, end: 17 },
          ],
          label: 1,
        },
      ] as const,
  ),
];

/** The example without its id. */
function contentOf({ id, ...rest }: LabelledExample): Omit<LabelledExample, 'id'> {
  expect(id).toMatch(/^\w+-00000-of-00001\.parquet:1(#[\d/]+)?$/);
  return rest;
}

describe('parquet files of the Hub', () => {
  it.each(rows)('%s (%s)', async (task, configuration, row, example) => {
    const files = { [`${configuration}/train`]: row, [`${configuration}/validation`]: row };
    const { train, validation } = await load(task, files);
    expect([...train, ...validation].map(contentOf)).toEqual([example, example]);
    const bare = await load(task, { train: row, validation: row });
    expect(bare.validation.map(contentOf)).toEqual([example]);
  });

  it('mnli, matched and mismatched', async () => {
    const files = {
      'mnli/train': { ...premise, label: 0 },
      'mnli/validation_matched': { ...premise, label: 1 },
      'mnli/validation_mismatched': { ...premise, label: 2 },
    };
    expect((await load('mnli', files)).validation.map(contentOf)).toEqual([{ ...pair, label: 1 }]);
    expect((await load('mnli-mm', files)).validation.map(contentOf)).toEqual([{ ...pair, label: 2 }]);
  });

  it('axb and axg, trained on RTE', async () => {
    const files = {
      'rte/train': { ...premise, label: 0 },
      'axb/test': { ...sentences, label: 1 },
      'axg/test': { ...premise, idx: 7, label: 0 },
    };
    expect((await load('axb', files)).validation.map(contentOf)).toEqual([{ ...pair, label: 1 }]);
    expect((await load('axg', files)).validation.map(contentOf)).toEqual([{ ...pair, group: '3', label: 0 }]);
  });

  it.each([
    ['ax', { 'mnli/train': { ...premise, label: 0 }, 'ax/test': { ...premise, label: -1 } }, 'validation'],
    ['copa', { train: copa, test: { ...copa, label: -1 } }, 'test'],
    ['record', { train: record, test: { ...record, answers: [] } }, 'test'],
    ['stsb', { train: { ...sentences, label: 1.5 }, test: { ...sentences, label: -1 } }, 'test'],
  ] as const)('refuses the hidden answers of %s', async (task, files, evaluation) => {
    await expect(load(task, files, { evaluation })).rejects.toThrow(
      new RegExp(`test-00000-of-00001\\.parquet row 1: .*${evaluation} split of "${task}" are hidden`),
    );
  });
});
