import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { DataError } from '@dynaprompt/core';
import { withFolder } from '../../testing/temporary-folder.js';
import { readClevr } from './clevr.js';
import { readGqa } from './gqa.js';

const gqaQuestion = (image: string, answer?: string) => ({
  semantic: [{ operation: 'select', argument: 'a ] "b"' }],
  imageId: image,
  question: 'Which color is the t-shirt?',
  ...(answer !== undefined && { answer, types: { structural: 'query', semantic: 'attr', detailed: 'x' } }),
  isBalanced: true,
});
const gqaFiles = {
  'questions/train_balanced_questions.json': JSON.stringify({
    '07333408': gqaQuestion('2375429', 'dark blue'),
    '07333409': gqaQuestion('n161313', 'T-shirt'),
  }),
  'val_balanced_questions.json': JSON.stringify({ '1': gqaQuestion('n161313', 'red') }),
  'test_balanced_questions.json': JSON.stringify({ '2': gqaQuestion('2375429') }),
  'images/2375429.jpg': '',
  'images/n161313.jpg': '',
};

describe('readGqa', () => {
  it('reads balanced questions with their one answer, and hidden ones of the test', async () => {
    await withFolder(gqaFiles, async (folder) => {
      const { splits, ...facts } = await readGqa(folder);
      expect(facts).toMatchObject({ name: 'gqa', measure: 'exact', faults: { count: 0 } });
      expect(splits.train?.[1]).toEqual({
        id: 'train_balanced/07333409',
        questionId: '07333409',
        imageId: 'n161313',
        question: 'Which color is the t-shirt?',
        image: { kind: 'file', path: join(folder, 'images/n161313.jpg') },
        answers: ['T-shirt'],
        answer: 'T-shirt',
        questionType: 'query',
        answerType: 'attr',
      });
      expect(splits.validation).toHaveLength(1);
      expect(splits.test).toEqual([expect.objectContaining({ id: 'test_balanced/2', answers: [] })]);
    });
  });

  it('prefers the test part whose answers are known', async () => {
    const testdev = {
      'testdev_balanced_questions.json': JSON.stringify({ '3': gqaQuestion('2375429', 'yes') }),
    };
    await withFolder({ ...gqaFiles, ...testdev }, async (folder) => {
      const { splits } = await readGqa(folder);
      expect(splits.test).toEqual([expect.objectContaining({ id: 'testdev_balanced/3', answers: ['yes'] })]);
    });
  });

  it('names questions without a picture or an answer', async () => {
    const bad = JSON.stringify({
      a: gqaQuestion('1', 'x'),
      b: gqaQuestion('2375429'),
      c: gqaQuestion('2375429', 'x'),
    });
    await withFolder({ ...gqaFiles, 'val_balanced_questions.json': bad }, async (folder) => {
      await expect(readGqa(folder)).rejects.toThrow(
        /val_balanced_questions\.json row 1: picture "1\.jpg" is not in .*2 rows are bad; the next: 2 \(there is no "answer"\)/,
      );
      const { splits, faults } = await readGqa(folder, { badRows: 'skip' });
      expect([splits.validation?.length, faults.count]).toEqual([1, 2]);
    });
  });

  it('refuses a folder without questions, pictures or an end', async () => {
    await withFolder({ 'images/1.jpg': '' }, async (folder) => {
      await expect(readGqa(folder)).rejects.toThrow(/no train_balanced_questions\.json/);
      await expect(readGqa(join(folder, 'images'))).rejects.toThrow(/images: there is no such folder/);
    });
    await withFolder({ ...gqaFiles, 'val_balanced_questions.json': '{"1": {"im' }, async (folder) => {
      await expect(readGqa(folder)).rejects.toThrow(/the JSON is cut off/);
    });
  });
});

const clevrQuestion = (index: number, image: number, answer?: string) => ({
  image_index: image,
  split: 'train',
  image_filename: `CLEVR_train_00000${image}.png`,
  question_index: index,
  question: 'How many cubes are there?',
  ...(answer !== undefined && {
    answer,
    program: [{ function: 'scene', inputs: [] }, { function: 'filter_shape' }, { function: 'count' }],
  }),
});

describe('readClevr', () => {
  const content = {
    'questions/CLEVR_train_questions.json': JSON.stringify({
      info: { split: 'train' },
      questions: [clevrQuestion(0, 0, '3'), clevrQuestion(1, 0, 'yes'), clevrQuestion(2, 1, '0')],
    }),
    'questions/CLEVR_test_questions.json': JSON.stringify({
      questions: [{ ...clevrQuestion(0, 0), image_filename: 'CLEVR_test_000000.png' }],
    }),
    'images/train/CLEVR_train_000000.png': '',
    'images/train/CLEVR_train_000001.png': '',
    'images/test/CLEVR_test_000000.png': '',
  };

  it('reads questions with the last step of their program as type', async () => {
    await withFolder(content, async (folder) => {
      const { splits, measure } = await readClevr(folder);
      expect(measure).toBe('exact');
      expect(
        splits.train?.map(({ id, imageId, answer, questionType }) => [id, imageId, answer, questionType]),
      ).toEqual([
        ['train/0', '0', '3', 'count'],
        ['train/1', '0', 'yes', 'count'],
        ['train/2', '1', '0', 'count'],
      ]);
      expect(splits.train?.[2]?.image).toEqual({
        kind: 'file',
        path: join(folder, 'images/train/CLEVR_train_000001.png'),
      });
      expect(splits.test?.[0]?.answers).toEqual([]);
      expect(splits.validation).toBeUndefined();
    });
  });

  it('names missing pictures, and files that are not there', async () => {
    const bad = JSON.stringify({ questions: [clevrQuestion(0, 9, '3'), clevrQuestion(1, 0, '1')] });
    await withFolder({ ...content, 'questions/CLEVR_train_questions.json': bad }, async (folder) => {
      await expect(readClevr(folder)).rejects.toThrow(/row 1: picture "CLEVR_train_000009\.png" is not in/);
      const { splits, faults } = await readClevr(folder, { badRows: 'skip' });
      expect([splits.train?.length, faults.count]).toEqual([1, 1]);
    });
    await withFolder({ 'questions/notes.txt': '' }, async (folder) => {
      await expect(readClevr(folder)).rejects.toThrow(DataError);
      await expect(readClevr(folder)).rejects.toThrow(/no CLEVR_train_questions\.json/);
    });
    await expect(readClevr('/nowhere')).rejects.toThrow(/the folder cannot be read/);
  });
});
