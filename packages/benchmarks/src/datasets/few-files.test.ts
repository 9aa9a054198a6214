import { expect, it } from '@jest/globals';
import { withFolder } from '../testing/temporary-folder.js';
import { loadTask } from './load-task.js';

const lines = (...rows: readonly object[]): string => rows.map((row) => `${JSON.stringify(row)}\n`).join('');
const boolq = (count: number, from = 0): string =>
  lines(
    ...Array.from({ length: count }, (_, index) => ({
      question: `q${from + index}`,
      passage: 'p',
      idx: index,
      label: index % 2 === 0,
    })),
  );
const copa = lines(
  ...[0, 1, 2, 3].map((idx) => ({
    premise: `It fell ${idx}.`,
    choice1: 'It broke.',
    choice2: 'It flew.',
    question: 'effect',
    idx,
    label: idx % 2,
  })),
);

it('reads several tasks out of one folder, called after them, as FewGLUE has them', async () => {
  const files = { 'BoolQ.train.jsonl': boolq(4), 'BoolQ.val.jsonl': boolq(2, 4), 'COPA.train.jsonl': copa };
  await withFolder(files, async (folder) => {
    const whole = await loadTask('boolq', folder, { seed: 1 });
    expect(whole.train.map(({ id }) => id)).toEqual([1, 2, 3, 4].map((line) => `BoolQ.train.jsonl:${line}`));
    expect(whole.validation.map(({ pair }) => pair)).toEqual(['q4', 'q5']);
    await expect(loadTask('cb', folder, { seed: 1 })).rejects.toThrow(/none of the files/);
  });
});

it('validates few shots on other training examples where there is nothing else', async () => {
  const files = { 'BoolQ.train.jsonl': boolq(8), 'COPA.train.jsonl': copa };
  await withFolder(files, async (folder) => {
    const { train, validation, test } = await loadTask('boolq', folder, { seed: 1, shots: 2 });
    expect(train.map(({ label }) => label).sort()).toEqual([0, 0, 1, 1]);
    expect(new Set([...train, ...validation].map(({ pair }) => pair)).size).toBe(8);
    expect(test).toBeUndefined();
    const { train: choices } = await loadTask('copa', folder, { seed: 1, shots: 2 });
    expect(choices.map(({ candidates }) => candidates?.length)).toEqual([2, 2]);
    // All examples, or a test split, need a file of their own.
    await expect(loadTask('boolq', folder, { seed: 1 })).rejects.toThrow(/val\.jsonl.*does not exist/);
    await expect(loadTask('boolq', folder, { seed: 1, shots: 2, evaluation: 'test' })).rejects.toThrow(
      /test\.jsonl.*does not exist/,
    );
  });
});
