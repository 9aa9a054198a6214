import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { DataError } from '@dynaprompt/core';
import { withFolder } from '../../testing/temporary-folder.js';
import { readVqaFolder } from './vqa-folder.js';

type Fields = Readonly<Record<string, unknown>>;

const question = (id: number, image: number, more: Fields = {}): Fields => ({
  image_id: image,
  question: `Question ${id}?`,
  question_id: id,
  ...more,
});
const annotation = (id: number, image: number, more: Fields = {}): Fields => ({
  question_type: 'what is',
  multiple_choice_answer: 'cat',
  answers: Array.from({ length: 10 }, (_, index) => ({
    answer: index < 8 ? 'cat' : 'the dog',
    answer_confidence: 'yes',
    answer_id: index + 1,
  })),
  image_id: image,
  answer_type: 'other',
  question_id: id,
  ...more,
});

interface Part {
  readonly questions?: readonly unknown[];
  readonly annotations?: readonly unknown[] | null;
  readonly pictures?: readonly number[];
}

/** Files of a split as they are unpacked. */
function files(
  subset: string,
  {
    questions = [question(9001, 9), question(9002, 9), question(25001, 25)],
    annotations = [annotation(25001, 25), annotation(9001, 9), annotation(9002, 9)],
    pictures = [9, 25],
  }: Part = {},
  prefix = 'v2_',
  place = '',
): Readonly<Record<string, string>> {
  const head = { info: { version: '2.0' }, data_subtype: subset };
  return {
    [`${prefix}OpenEnded_mscoco_${subset}_questions.json`]: JSON.stringify({ ...head, questions }),
    ...(annotations && {
      [`${prefix}mscoco_${subset}_annotations.json`]: JSON.stringify({ annotations, ...head }),
    }),
    ...Object.fromEntries(
      pictures.map((id) => [`${place}${subset}/COCO_${subset}_${`${id}`.padStart(12, '0')}.jpg`, '']),
    ),
  };
}

describe('readVqaFolder', () => {
  it('joins questions, annotations and pictures of every split', async () => {
    const content = {
      ...files('train2014'),
      ...files('val2014', {
        questions: [question(42001, 42)],
        annotations: [annotation(42001, 42)],
        pictures: [42],
      }),
      ...files('test2015', { questions: [question(1, 1)], annotations: null, pictures: [1] }),
      ...files('test-dev2015', { questions: [question(2, 1)], annotations: null, pictures: [] }),
    };
    await withFolder(content, async (folder) => {
      const { splits, examples, faults, ...facts } = await readVqaFolder(folder, 'vqa-v2');
      expect(facts).toMatchObject({ name: 'vqa-v2', measure: 'soft', source: folder });
      expect(faults).toEqual({ count: 0, first: [] });
      expect(splits.train?.map(({ id }) => id)).toEqual([
        'train2014/9001',
        'train2014/9002',
        'train2014/25001',
      ]);
      const answers = [...Array<string>(8).fill('cat'), 'the dog', 'the dog'];
      expect(splits.train?.[2]).toEqual({
        id: 'train2014/25001',
        questionId: '25001',
        imageId: '25',
        question: 'Question 25001?',
        image: { kind: 'file', path: join(folder, 'train2014/COCO_train2014_000000000025.jpg') },
        answers,
        answer: 'cat',
        questionType: 'what is',
        answerType: 'other',
      });
      expect(splits.validation?.map(({ id }) => id)).toEqual(['val2014/42001']);
      expect(splits.test).toEqual([expect.objectContaining({ id: 'test2015/1', answers: [] })]);
      expect(await examples(splits.train?.slice(1, 2) ?? [])).toEqual(splits.train?.slice(1, 2));
    });
  });

  it('tells OK-VQA from VQAv2 in one folder, and finds pictures in images/', async () => {
    const content = {
      ...files('val2014', {}, 'v2_', 'images/'),
      ...files(
        'val2014',
        { questions: [question(5, 9)], annotations: [annotation(5, 9, { answer_type: 'other' })] },
        '',
        'images/',
      ),
    };
    await withFolder(content, async (folder) => {
      expect((await readVqaFolder(folder, 'vqa-v2')).splits.validation).toHaveLength(3);
      const { splits } = await readVqaFolder(folder, 'ok-vqa');
      expect(splits.validation?.map(({ questionId }) => questionId)).toEqual(['5']);
      expect(splits.train).toBeUndefined();
    });
  });

  it('names what does not match, or leaves it out and counts it once', async () => {
    const content = files('val2014', {
      questions: [
        question(1, 9),
        question(2, 9),
        question(3, 7), // no picture
        question(4, 9, { question: ' ' }),
        question(1, 25), // again
        question(5, 9), // no annotation
        'six',
        question(7, 25), // annotated for picture 9
        question(8, 25), // bad annotation
      ],
      annotations: [
        annotation(1, 9),
        annotation(2, 9),
        annotation(3, 7),
        annotation(4, 9),
        annotation(7, 9),
        annotation(8, 25, { answers: 'cat' }),
        annotation(99, 9), // no question
        annotation(2, 9), // again
      ],
    });
    await withFolder(content, async (folder) => {
      const attempt = readVqaFolder(folder, 'vqa-v2');
      await expect(attempt).rejects.toThrow(DataError);
      await expect(attempt).rejects.toThrow(
        /questions\.json row 3: picture 7 is not in .*val2014.*9 rows are bad/,
      );
      const { splits, faults } = await readVqaFolder(folder, 'vqa-v2', { badRows: 'skip' });
      expect(splits.validation?.map(({ questionId }) => questionId)).toEqual(['1', '2']);
      expect(faults.count).toBe(9);
      expect(faults.first.map((text) => text.replace(folder, ''))).toEqual([
        expect.stringMatching(/_questions\.json row 3: picture 7 is not in/),
        expect.stringMatching(/_questions\.json row 4: column "question" is empty/),
        expect.stringMatching(/_questions\.json row 5: question 1 stands there twice/),
        expect.stringMatching(/_questions\.json row 7: "six" is not an object/),
        expect.stringMatching(/_annotations\.json row 6: "answers" is "cat", not a list/),
      ]);
    });
    const few = { questions: [question(1, 9), question(5, 9), question(7, 25)] };
    const content2 = files('val2014', {
      ...few,
      annotations: [annotation(1, 9), annotation(7, 9), annotation(99, 9)],
    });
    await withFolder(content2, async (folder) => {
      const { faults } = await readVqaFolder(folder, 'vqa-v2', { badRows: 'skip' });
      expect(faults.first).toEqual([
        expect.stringMatching(/row 2: question 5 has no annotation/),
        expect.stringMatching(/row 3: question 7 is about picture 25, and its annotation about 9/),
        expect.stringMatching(/_annotations\.json row 3: question 99 is not in/),
      ]);
    });
  });

  it('refuses annotations of another split at once, whatever the policy', async () => {
    const content = files('train2014', { annotations: [annotation(1, 9), annotation(2, 9)] });
    await withFolder(content, async (folder) => {
      await expect(readVqaFolder(folder, 'vqa-v2', { badRows: 'skip' })).rejects.toThrow(
        /v2_mscoco_train2014_annotations\.json: none of its 2 annotations belongs to a question of/,
      );
    });
  });

  it.each([
    [{}, /no v2_OpenEnded_mscoco_…_questions\.json/],
    [files('train2014', { annotations: null }), /train2014_annotations\.json: the file does not exist/],
    [files('train2014', { pictures: [] }), /train2014: there is no such folder, and none of .*images/],
    [
      {
        ...files('train2014'),
        'v2_mscoco_train2014_annotations.json': '{"annotations": [{"question_id": 9001, ',
      },
      /annotations\.json: the JSON is cut off after 0 whole items/,
    ],
    [
      { ...files('train2014'), 'train2014/other_09.png': '' },
      /COCO_train2014_000000000009\.jpg and other_09\.png are both picture 9/,
    ],
  ])('refuses a folder that is not whole: %#', async (content, message) => {
    await withFolder(content, async (folder) => {
      const attempt = readVqaFolder(folder, 'vqa-v2', { badRows: 'skip' });
      await expect(attempt).rejects.toThrow(DataError);
      await expect(attempt).rejects.toThrow(message);
    });
  });
});
