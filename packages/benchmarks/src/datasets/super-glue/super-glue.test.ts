import { describe, expect, it } from '@jest/globals';
import { nullThrows } from '@dynaprompt/core';
import { withFolder } from '../../testing/temporary-folder.js';
import { candidateInputs, rightCandidates, withOneAnswer } from '../candidate-inputs.js';
import { loadTask, type LoadTaskOptions } from '../load-task.js';
import type { LabelledExample } from '../types.js';

type Row = Readonly<Record<string, unknown>>;

/** JSON lines of these objects. */
function lines(...rows: readonly Row[]): string {
  return rows.map((row) => `${JSON.stringify(row)}\n`).join('');
}

/** Loads a task from a folder of given files. */
function load(name: string, files: Readonly<Record<string, string>>, options: Partial<LoadTaskOptions> = {}) {
  return withFolder(files, (folder) => loadTask(name, folder, { seed: 1, ...options }));
}

/** Validation examples of an archive whose splits hold these rows. */
async function examples(
  name: string,
  folder: string,
  ...rows: readonly Row[]
): Promise<readonly LabelledExample[]> {
  const file = lines(...rows);
  const { train, validation } = await load(name, {
    [`${folder}/train.jsonl`]: file,
    [`${folder}/val.jsonl`]: file,
  });
  expect(train.map(({ id }) => id.replace('train', 'val'))).toEqual(validation.map(({ id }) => id));
  return validation;
}

const wic = {
  word: 'run',
  sentence1: '😀 A run.',
  sentence2: 'They ran.',
  idx: 3,
  label: true,
  // Code points, of which the picture is one.
  ...{ start1: 4, end1: 7, start2: 5, end2: 8 },
  version: 1.1,
};
const wsc = {
  text: 'The bag was put below the sack, so it had to be moved. "Is it heavy?"',
  target: { span1_index: 4, span1_text: 'The Sack', span2_index: 7, span2_text: 'it' },
  idx: 0,
  label: false,
};
const copa = {
  premise: 'It fell.',
  choice1: 'It broke.',
  choice2: 'It flew.',
  question: 'effect',
  label: 1,
  idx: 0,
};
const record = {
  source: 'Daily mail',
  passage: {
    text: '😀 Ann met Bob\n@highlight\nAnn Lee left!\n@highlight\nBob stayed',
    entities: [
      { start: 2, end: 4 },
      { start: 10, end: 12 },
      { start: 25, end: 31 },
      { start: 50, end: 52 },
    ],
  },
  qas: [
    {
      query: 'It was @placeholder who left.',
      answers: [
        { start: 2, end: 4, text: 'Ann' },
        { start: 25, end: 31, text: 'Ann Lee' },
      ],
      idx: 17,
    },
    { query: '@placeholder stayed.', answers: [{ start: 50, end: 52, text: 'Bob' }], idx: 18 },
  ],
  idx: 2,
};
const multirc = {
  idx: 6,
  version: 1.1,
  passage: {
    text: '<b>Sent 1: </b>Ann ran.<br><b>Sent 2: </b>Bob too.',
    questions: [
      {
        question: 'Who ran?',
        answers: [
          { text: 'Ann', idx: 30, label: 1 },
          { text: 'Eve', idx: 31, label: 0 },
        ],
        idx: 11,
      },
    ],
  },
};

describe('archives of SuperGLUE', () => {
  it.each([
    [
      'boolq',
      'BoolQ',
      { question: 'is it so', passage: 'It is.', idx: 0, label: true },
      'It is.',
      'is it so',
      1,
    ],
    [
      'cb',
      'CB',
      { premise: 'I know it.', hypothesis: 'It is.', label: 'neutral', idx: 0 },
      'I know it.',
      'It is.',
      2,
    ],
    [
      'superglue-rte',
      'RTE',
      { premise: 'One.', hypothesis: 'Two.', label: 'entailment', idx: 0 },
      'One.',
      'Two.',
      0,
    ],
  ])('%s', async (task, folder, row, text, pair, label) => {
    expect(await examples(task, folder, row)).toEqual([{ id: 'val.jsonl:1', text, pair, label }]);
  });

  it('copa: the premise goes on with a choice', async () => {
    const cause = { ...copa, question: 'cause', label: 0 };
    const [first, second] = await examples('copa', 'COPA', copa, cause);
    expect(first).toEqual({
      id: 'val.jsonl:1',
      text: 'It fell so',
      candidates: ['It broke.', 'It flew.'],
      label: 1,
    });
    expect(second).toMatchObject({ text: 'It fell because', label: 0 });
    expect(candidateInputs(nullThrows(first, 'one row was given'))).toEqual([
      {
        id: 'val.jsonl:1@0',
        text: 'It fell so',
        pair: 'It broke.',
        candidate: { of: 'pair', start: 0, end: 9 },
      },
      {
        id: 'val.jsonl:1@1',
        text: 'It fell so',
        pair: 'It flew.',
        candidate: { of: 'pair', start: 0, end: 8 },
      },
    ]);
  });

  it('multirc: an example for each answer, grouped by question', async () => {
    const text = 'Sent 1: Ann ran. Sent 2: Bob too.';
    expect(await examples('multirc', 'MultiRC', multirc)).toEqual([
      { id: 'val.jsonl:1#6/11/30', text, pair: 'Who ran? Is it Ann?', group: '6/11', label: 1 },
      { id: 'val.jsonl:1#6/11/31', text, pair: 'Who ran? Is it Eve?', group: '6/11', label: 0 },
    ]);
  });

  it('record: an example for each statement, with positions that count code points', async () => {
    const [first, second] = await examples('record', 'ReCoRD', record);
    expect(first).toEqual({
      id: 'val.jsonl:1#17',
      text: '😀 Ann met Bob. Ann Lee left! Bob stayed',
      pair: 'It was @placeholder who left.',
      candidates: ['Ann', 'Bob', 'Ann Lee'],
      answers: ['Ann', 'Ann Lee'],
      label: 0,
    });
    expect(second).toMatchObject({ id: 'val.jsonl:1#18', answers: ['Bob'], label: 1 });
    const [, , filled] = candidateInputs(nullThrows(first, 'one row was given'));
    expect(filled).toMatchObject({ id: 'val.jsonl:1#17@2', pair: 'It was Ann Lee who left.' });
    expect(filled?.pair.slice(filled.candidate.start, filled.candidate.end)).toBe('Ann Lee');
    expect(rightCandidates(nullThrows(first, 'one row was given'))).toEqual([0, 2]);
    expect(withOneAnswer(nullThrows(first, 'one row was given'))).toMatchObject({
      candidates: ['Ann', 'Bob'],
      label: 0,
    });
    const last = { ...nullThrows(first, 'one row was given'), label: 2 };
    expect(withOneAnswer(last)).toMatchObject({ candidates: ['Bob', 'Ann Lee'], label: 1 });
    expect(withOneAnswer(nullThrows(second, 'two were given'))).toBe(second);
  });

  it('wic: the word in both sentences', async () => {
    const [example] = await examples('wic', 'WiC', wic);
    const { text = '', pair = '', spans = [], label } = example ?? {};
    expect([text, pair, label]).toEqual(['😀 A run.', 'They ran. Similar sense of "run"?', 1]);
    expect(spans.map(({ of, start, end }) => (of === 'text' ? text : pair).slice(start, end))).toEqual([
      'run',
      'ran',
    ]);
  });

  it('wsc: the pronoun nearest to its index is marked, the noun is found in any case', async () => {
    const [example] = await examples('wsc', 'WSC', wsc);
    expect(example).toMatchObject({
      text: 'The bag was put below the sack, so *it* had to be moved. "Is it heavy?"',
      pair: 'The Sack',
      label: 0,
    });
    expect(example?.spans?.map(({ start, end }) => example.text.slice(start, end))).toEqual([
      'the sack',
      'it',
    ]);
    const late = { ...wsc, target: { ...wsc.target, span1_text: 'the nothing', span2_index: 13 } };
    const [other] = await examples('wsc', 'WSC', late);
    const { text = '', spans = [] } = other ?? {};
    expect(text).toBe('The bag was put below the sack, so it had to be moved. "Is *it* heavy?"');
    expect(spans.map(({ start, end }) => text.slice(start, end))).toEqual(['it']);
    // A noun behind the pronoun moves by the two asterisks.
    const behind = { ...wsc, target: { ...wsc.target, span1_text: 'heavy', span1_index: 14 } };
    const [moved] = await examples('wsc', 'WSC', behind);
    expect(moved?.spans?.map(({ start, end }) => moved.text.slice(start, end))).toEqual(['heavy', 'it']);
  });

  it('axb and axg, beside the training file of RTE', async () => {
    const rte = {
      'RTE/train.jsonl': lines({ premise: 'One.', hypothesis: 'Two.', label: 'entailment', idx: 0 }),
    };
    const broad = { sentence1: 'A.', sentence2: 'B.', label: 'not_entailment', logic: 'Negation', idx: 0 };
    expect((await load('axb', { ...rte, 'AX-b/AX-b.jsonl': lines(broad) })).validation).toEqual([
      { id: 'AX-b.jsonl:1', text: 'A.', pair: 'B.', label: 1 },
    ]);
    const gender = {
      premise: 'She left.',
      hypothesis: 'Ann left.',
      label: 'entailment',
      pair_id: 551,
      idx: 9,
    };
    expect((await load('axg', { ...rte, 'AX-g/AX-g.jsonl': lines(gender) })).validation).toEqual([
      { id: 'AX-g.jsonl:1', text: 'She left.', pair: 'Ann left.', group: '551', label: 0 },
    ]);
  });
});

describe('rows that SuperGLUE would not write are named:', () => {
  it.each<readonly [string, string, Row, RegExp]>([
    ['copa', 'COPA', { ...copa, question: 'why' }, /question "why" is neither/],
    ['copa', 'COPA', { ...copa, label: 2 }, /label "2" is none of the 2 candidates/],
    ['copa', 'COPA', { ...copa, choice2: ' ' }, /column "choice2" is empty/],
    ['multirc', 'MultiRC', { ...multirc, passage: 'text' }, /"passage" is "text", not an object/],
    ['multirc', 'MultiRC', { ...multirc, idx: -4 }, /"idx" is "-4", not a whole number/],
    ['record', 'ReCoRD', { ...record, qas: {} }, /"qas" is "{}", not a list/],
    ['record', 'ReCoRD', { ...record, qas: [{ ...record.qas[0], query: 'Who?' }] }, /has no @placeholder/],
    [
      'record',
      'ReCoRD',
      { ...record, qas: [{ ...record.qas[0], answers: [{ start: 0, end: 1, text: 'Zoe' }] }] },
      /none of its answers is an entity/,
    ],
    ['wic', 'WiC', { ...wic, end2: 99 }, /start2 and end2 enclose no part of sentence2/],
    ['wsc', 'WSC', { ...wsc, target: { ...wsc.target, span2_text: 'they' } }, /the text has no "they"/],
    [
      'boolq',
      'BoolQ',
      { question: 7, passage: 'It is.', label: true },
      /column "question" is "7", not a text/,
    ],
    [
      'boolq',
      'BoolQ',
      { question: 'so', passage: 'It is.', label: null },
      /there is no label in column "label"/,
    ],
  ])('%s', async (task, folder, row, problem) => {
    const attempt = examples(task, folder, row);
    await expect(attempt).rejects.toThrow(/train\.jsonl line 1: /);
    await expect(attempt).rejects.toThrow(problem);
  });
});

describe('hidden answers of SuperGLUE are refused by name:', () => {
  const { premise, choice1, choice2, question } = copa;
  const open = { premise, choice1, choice2, question };
  const unanswered = { ...record, qas: record.qas.map(({ query, idx }) => ({ query, idx })) };
  it.each<readonly [string, string, Row, Row]>([
    ['copa', 'COPA', copa, open],
    ['record', 'ReCoRD', record, unanswered],
    [
      'cb',
      'CB',
      { premise: 'A.', hypothesis: 'B.', label: 'neutral', idx: 0 },
      { premise: 'A.', hypothesis: 'B.', idx: 0 },
    ],
  ])('%s', async (task, folder, row, hidden) => {
    const files = { [`${folder}/train.jsonl`]: lines(row), [`${folder}/test.jsonl`]: lines(hidden) };
    await expect(load(task, files, { evaluation: 'test' })).rejects.toThrow(
      new RegExp(`test\\.jsonl.*test split of "${task}" are hidden`),
    );
  });
});
