import { describe, expect, it } from '@jest/globals';
import { DataError } from '@dynaprompt/core';
import { parquetBytes, type ParquetType } from '../../testing/parquet-bytes.js';
import { withFolder } from '../../testing/temporary-folder.js';
import { readVqaParquet } from './parquet.js';

/** Bytes that are no text, and start as a PNG does. */
const png = (value: number) => Uint8Array.of(0x89, 0x50, 0x4e, 0x47, value, 0xff, 0xfe, 0);
const texts = { structs: ['answer', 'answer_confidence'] } as const;

/** The columns of lmms-lab/VQAv2. */
const columns: Readonly<Record<string, ParquetType>> = {
  question_type: 'string',
  multiple_choice_answer: 'string',
  answers: texts,
  image_id: 'int64',
  answer_type: 'string',
  question_id: 'int64',
  question: 'string',
  image: 'image',
};
const row = (id: number, image: number, more: Readonly<Record<string, unknown>> = {}) => ({
  question_type: 'what is',
  multiple_choice_answer: 'cat',
  answers: Array.from({ length: 10 }, (_, index) => ({
    answer: index < 7 ? 'cat' : 'dog',
    answer_confidence: 'yes',
  })),
  image_id: image,
  answer_type: 'other',
  question_id: id,
  question: `Question ${id}?`,
  image: { bytes: png(image), path: `COCO_val2014_${image}.jpg` },
  ...more,
});
const hidden = {
  question_type: undefined,
  multiple_choice_answer: undefined,
  answers: undefined,
  answer_type: undefined,
};

describe('readVqaParquet', () => {
  it('reads the layout of lmms-lab/VQAv2, pictures on demand and from several row groups', async () => {
    const rows = [row(9001, 9), row(9002, 9), row(25001, 25), row(42001, 42)];
    const content = {
      'data/validation-00000-of-00001.parquet': parquetBytes(rows, columns, 'snappy', { rowsPerGroup: 2 }),
      'data/testdev-00000-of-00001.parquet': parquetBytes([row(1, 7, hidden)], columns),
    };
    await withFolder(content, async (folder) => {
      const { splits, examples, ...facts } = await readVqaParquet(folder);
      expect(facts).toMatchObject({ measure: 'soft', faults: { count: 0 } });
      expect(splits.train).toBeUndefined();
      const { validation = [], test = [] } = splits;
      expect(validation.some((entry) => 'image' in entry)).toBe(false);
      const chosen = [validation[3], validation[0]].filter((entry) => entry !== undefined);
      expect(await examples(chosen)).toEqual([
        {
          id: 'validation-00000-of-00001.parquet:4',
          questionId: '42001',
          imageId: '42',
          question: 'Question 42001?',
          image: { kind: 'bytes', bytes: png(42) },
          answers: [...Array<string>(7).fill('cat'), 'dog', 'dog', 'dog'],
          answer: 'cat',
          questionType: 'what is',
          answerType: 'other',
        },
        expect.objectContaining({ questionId: '9001', image: { kind: 'bytes', bytes: png(9) } }),
      ]);
      expect(test).toEqual([expect.objectContaining({ questionId: '1', answers: [] })]);
    });
  });

  it('takes answers as plain texts, as lmms-lab/OK-VQA has them', async () => {
    const plain = {
      question_id: 'int64',
      image_id: 'int64',
      question: 'string',
      answers: 'strings',
      image: 'image',
    };
    const bytes = parquetBytes(
      [{ ...row(1, 2), answers: ['surf', 'surf', 'swim'] }],
      plain as Readonly<Record<string, ParquetType>>,
    );
    await withFolder({ 'val2014-00000-of-00001.parquet': bytes }, async (folder) => {
      const { splits, measure } = await readVqaParquet(folder);
      expect([splits.validation?.[0]?.answers, measure]).toEqual([['surf', 'surf', 'swim'], 'soft']);
    });
  });

  it('joins the two kinds of files of lmms-lab/GQA', async () => {
    const instructions = { id: 'string', imageId: 'string', question: 'string', answer: 'string' } as const;
    const asked = (id: string, imageId: string) => ({
      id,
      imageId,
      question: `Question ${id}?`,
      answer: 'T-shirt',
    });
    const picture = (id: string, value: number) => ({ id, image: { bytes: png(value) } });
    const pictures = { id: 'string', image: 'image' } as const;
    const content = {
      'val_balanced_instructions/val-00000-of-00001.parquet': parquetBytes(
        [asked('a', 'n2'), asked('b', 'n1'), asked('c', 'n2')],
        instructions,
      ),
      'val_balanced_images/val-00000-of-00001.parquet': parquetBytes(
        [picture('n1', 1), picture('n2', 2)],
        pictures,
      ),
    };
    await withFolder(content, async (folder) => {
      const { splits, examples, measure } = await readVqaParquet(folder);
      expect(measure).toBe('exact');
      const read = await examples(splits.validation ?? []);
      expect(
        read.map(({ questionId, image }) => [questionId, image.kind === 'bytes' && image.bytes[4]]),
      ).toEqual([
        ['a', 2],
        ['b', 1],
        ['c', 2],
      ]);
      expect(read[0]).toMatchObject({ imageId: 'n2', answers: ['T-shirt'], answer: 'T-shirt' });
    });
    const instructionsOnly = Object.fromEntries(Object.entries(content).slice(0, 1));
    await withFolder(instructionsOnly, async (folder) => {
      await expect(readVqaParquet(folder)).rejects.toThrow(/the parquet files of the pictures are missing/);
    });
    const lost = {
      ...content,
      'val_balanced_images/val-00000-of-00001.parquet': parquetBytes([picture('n1', 1)], pictures),
    };
    await withFolder(lost, async (folder) => {
      await expect(readVqaParquet(folder)).rejects.toThrow(/row 1: picture n2 is in no file.*2 rows are bad/);
      const { splits, faults } = await readVqaParquet(folder, { badRows: 'skip' });
      expect([splits.validation?.length, faults.count]).toEqual([1, 2]);
    });
  });

  it('names bad rows, or leaves them out', async () => {
    const rows = [
      row(1, 1),
      row(2, 1, { question: undefined }),
      row(3, 1, { question_id: undefined }),
      row(4, 1),
    ];
    await withFolder({ 'train.parquet': parquetBytes(rows, columns) }, async (folder) => {
      await expect(readVqaParquet(folder)).rejects.toThrow(
        /train\.parquet row 2: there is no "question".*2 rows are bad/,
      );
      const { splits, faults } = await readVqaParquet(folder, { badRows: 'skip' });
      expect(splits.train?.map(({ questionId }) => questionId)).toEqual(['1', '4']);
      expect(faults).toEqual({
        count: 2,
        first: [
          expect.stringMatching(/row 2: there is no "question"/),
          expect.stringMatching(/row 3: there is no "question_id"/),
        ],
      });
    });
  });

  it('names a row whose picture is not inside', async () => {
    const rows = [row(1, 1), row(2, 1, { image: { path: 'elsewhere.jpg' } })];
    await withFolder({ 'train.parquet': parquetBytes(rows, columns) }, async (folder) => {
      const { splits, examples } = await readVqaParquet(folder);
      await expect(examples(splits.train ?? [])).rejects.toThrow(
        /train\.parquet row 2: column "image" holds no bytes/,
      );
    });
  });

  it.each([
    [{}, /there are no parquet files of a split/],
    [
      { 'train.parquet': parquetBytes([{ a: 'x' }], { a: 'string' }) },
      /no column "image"; its columns are a/,
    ],
    [{ 'train.parquet': 'PAR1' }, /no whole parquet file/],
    [{ 'train-00000-of-00002.parquet': 'PAR1' }, /1 of its 2 parquet files are there/],
  ])('refuses a folder without questions: %#', async (content, message) => {
    await withFolder(content, async (folder) => {
      await expect(readVqaParquet(folder)).rejects.toThrow(DataError);
      await expect(readVqaParquet(folder)).rejects.toThrow(message);
    });
  });
});
