import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { ConfigurationError, DataError } from '@dynaprompt/core';
import { parquetBytes } from '../testing/parquet-bytes.js';
import { withFolder } from '../testing/temporary-folder.js';
import { loadTask, type LoadTaskOptions } from './load-task.js';
import { tasks } from './tasks.js';

const sst2 = {
  'train.tsv': 'sentence\tlabel\nit "sparkles" , truly \t1\ndull\t0\ndire\t0\nfine\t1\n',
  'dev.tsv': 'sentence\tlabel\r\nnot bad\t1\r\n',
};

/** Loads from a folder of given files. */
function load(
  files: Readonly<Record<string, string | Uint8Array>>,
  name = 'sst2',
  options: Partial<LoadTaskOptions> = {},
) {
  return withFolder(files, (folder) => loadTask(name, folder, { seed: 1, ...options }));
}

describe('loadTask on tab-separated files', () => {
  it('reads single texts, quotation marks and CRLF line ends included', async () => {
    const dataset = await load(sst2);
    expect(dataset).toMatchObject({ name: 'sst2', labels: ['negative', 'positive'], metric: 'accuracy' });
    expect(dataset.train[0]).toEqual({ id: 'train.tsv:2', text: 'it "sparkles" , truly', label: 1 });
    expect(dataset.train.map(({ label }) => label)).toEqual([1, 0, 0, 1]);
    expect(dataset.validation).toEqual([{ id: 'dev.tsv:2', text: 'not bad', label: 1 }]);
  });

  it('reads pairs and ignores columns that it does not need', async () => {
    const file = 'index\tsentence1\tsentence2\tlabel\n0\tA dog runs.\tAn animal moves.\tentailment\n';
    const dataset = await load({ 'train.tsv': file, 'dev.tsv': file }, 'rte');
    expect(dataset.train).toEqual([
      { id: 'train.tsv:2', text: 'A dog runs.', pair: 'An animal moves.', label: 0 },
    ]);
  });

  it('finds the classes of your own data in the training file', async () => {
    const dataset = await load(
      { 'train.tsv': 'say\tkind\nmoo\tcow\nbaa\tsheep\n', 'dev.tsv': 'kind\tsay\nsheep\tmaa\n' },
      'tsv',
      { columns: { text: 'say', label: 'kind' } },
    );
    expect(dataset.labels).toEqual(['cow', 'sheep']);
    expect(dataset.validation).toEqual([{ id: 'dev.tsv:2', text: 'maa', label: 1 }]);
  });

  it.each([
    ['csv', { 'train.csv': 'say,kind\n"moo, moo",cow\nbaa,sheep\n', 'val.csv': 'kind,say\nsheep,maa\n' }],
    [
      'jsonl',
      {
        'train.jsonl': '{"say": "moo, moo", "kind": "cow"}\n{"say": "baa", "kind": "sheep"}\n',
        'validation.jsonl': '{"say": "maa", "kind": "sheep"}\n',
      },
    ],
    [
      'parquet',
      {
        'train.parquet': parquetBytes(
          [
            { say: 'moo, moo', kind: 'cow' },
            { say: 'baa', kind: 'sheep' },
          ],
          { say: 'string', kind: 'string' },
          'zstd',
        ),
        'test.parquet': parquetBytes([{ say: 'maa', kind: 'sheep' }], { say: 'string', kind: 'string' }),
      },
    ],
  ])('reads your own data as %s', async (format, files) => {
    const dataset = await load(files, format, { columns: { text: 'say', label: 'kind' } });
    expect(dataset).toMatchObject({ labels: ['cow', 'sheep'], answer: 'class' });
    expect(dataset.train.map(({ text, label }) => [text, label])).toEqual([
      ['moo, moo', 0],
      ['baa', 1],
    ]);
    expect(dataset.validation).toMatchObject([{ text: 'maa', label: 1 }]);
  });

  it('draws few shots from the training file, and keeps the validation file for testing', async () => {
    const rows = Array.from({ length: 12 }, (_, index) => `text ${index}\t${index % 3 === 0 ? 1 : 0}`);
    const files = { 'train.tsv': ['sentence\tlabel', ...rows, ''].join('\n'), 'dev.tsv': sst2['dev.tsv'] };
    const { train, validation, test } = await load(files, 'mr', { shots: 2 });
    expect([train.length, validation.length, test?.length]).toEqual([4, 4, 1]);
    expect(train.every(({ id }) => id.startsWith('train.tsv'))).toBe(true);
    await expect(load(files, 'mr', { shots: 2, limit: 4 })).rejects.toThrow(ConfigurationError);
  });

  it('draws a stratified sample by seed', async () => {
    const rows = Array.from({ length: 40 }, (_, index) => `text ${index}\t${index % 4 === 0 ? 1 : 0}`);
    const file = ['sentence\tlabel', ...rows, ''].join('\n');
    const files = { 'train.tsv': file, 'dev.tsv': file };
    const first = await load(files, 'mr', { limit: 8, validationLimit: 4 });
    expect(first.train.filter(({ label }) => label === 1)).toHaveLength(2);
    expect([first.train.length, first.validation.length]).toEqual([8, 4]);
    expect((await load(files, 'mr', { limit: 8, seed: 2 })).train).not.toEqual(first.train);
    expect((await load(files, 'mr', { limit: 8 })).validation).toHaveLength(40);
  });
});

describe('loadTask refuses, naming file, line and remedy:', () => {
  const header = 'sentence\tlabel\n';
  const cases: readonly (readonly [string, Readonly<Record<string, string | Uint8Array>>, RegExp])[] = [
    [
      'a missing file',
      { 'train.tsv': sst2['train.tsv'] },
      /dev\.tsv: the file does not exist\. Put the file there/,
    ],
    ['an empty file', { ...sst2, 'dev.tsv': '' }, /dev\.tsv: the file is empty\. Give a file/],
    [
      'a header alone',
      { ...sst2, 'dev.tsv': header },
      /dev\.tsv: the file has a header line but no data rows/,
    ],
    [
      'a missing column',
      { ...sst2, 'train.tsv': 'text\tlabel\nfine\t1\n' },
      /train\.tsv line 1: there is no column "sentence"\. The columns found are "text", "label"/,
    ],
    [
      'a label outside the set',
      { ...sst2, 'train.tsv': `${header}fine\t1\nodd\t7\n` },
      /train\.tsv line 3: label "7" in column "label" is not one of the task's\. Use one of 0, 1\./,
    ],
    [
      'a label of the validation file outside the set',
      { ...sst2, 'dev.tsv': `${header}fine\t-1\n` },
      /dev\.tsv line 2: label "-1"/,
    ],
    [
      'an empty text',
      { ...sst2, 'train.tsv': `${header} \t1\n` },
      /train\.tsv line 2: column "sentence" is empty/,
    ],
    [
      'too many fields',
      { ...sst2, 'train.tsv': `${header}fine\t1\nfine\tindeed\t1\n` },
      /train\.tsv line 3: 3 tab-separated fields where the header has 2\. Make the line hold sentence, label/,
    ],
    [
      'a blank line',
      { ...sst2, 'train.tsv': `${header}\nfine\t1\n` },
      /train\.tsv line 2: 1 tab-separated field where/,
    ],
    [
      'text that is not UTF-8',
      { ...sst2, 'dev.tsv': Buffer.from(`${header}fine\t1\ncaf\xe9\t0\n`, 'latin1') },
      /dev\.tsv line 3: the text is not UTF-8\. Convert the file/,
    ],
  ];
  it.each(cases)('%s', async (_, files, message) => {
    const attempt = load(files);
    await expect(attempt).rejects.toThrow(DataError);
    await expect(attempt).rejects.toThrow(message);
  });

  it('a missing folder, and a file in its place', async () => {
    await withFolder(sst2, async (folder) => {
      const attempt = (name: string) => loadTask('sst2', join(folder, name), { seed: 1 });
      await expect(attempt('nowhere')).rejects.toThrow(
        /nowhere: the folder does not exist\. Name the folder/,
      );
      await expect(attempt('train.tsv')).rejects.toThrow(/train\.tsv: this is not a folder/);
    });
  });

  it('a folder without any of the files, naming what is looked for', async () => {
    await expect(load({ 'readme.txt': '' }, 'rte')).rejects.toThrow(
      /none of the files that are looked for.*train\.tsv and dev\.tsv, or train-\*\.parquet and validation-\*\.parquet/,
    );
  });

  it('a label column of one value', async () => {
    const file = 'say\tkind\nmoo\tcow\n';
    await expect(
      load({ 'train.tsv': file, 'dev.tsv': file }, 'tsv', { columns: { text: 'say', label: 'kind' } }),
    ).rejects.toThrow(/column "kind" holds only one value, "cow"/);
  });
});

describe('loadTask leaves bad rows out where it is asked to:', () => {
  const rows = ['fine\t1', 'odd\t7', 'dull\t0', '\t1', 'so\tso\t1', 'poor\t0', 'x\ty', 'x', 'x', 'x', ''];
  const files = { 'train.tsv': ['sentence\tlabel', ...rows].join('\n'), 'dev.tsv': sst2['dev.tsv'] };

  it('they are counted, and the first few are named', async () => {
    const { train, skipped } = await load(files, 'sst2', { badRows: 'skip' });
    expect(train.map(({ id, label }) => [id, label])).toEqual([
      ['train.tsv:2', 1],
      ['train.tsv:4', 0],
      ['train.tsv:7', 0],
    ]);
    expect(skipped?.count).toBe(7);
    expect(skipped?.first.map((row) => row.replace(/^.*train\.tsv /, ''))).toEqual([
      'line 3: label "7" in column "label" is not one of the task\'s',
      'line 5: column "sentence" is empty',
      'line 6: 3 tab-separated fields where the header has 2',
      'line 8: label "y" in column "label" is not one of the task\'s',
      'line 9: 1 tab-separated field where the header has 2',
    ]);
    expect(await load(sst2, 'sst2', { badRows: 'skip' })).not.toHaveProperty('skipped');
  });

  it('they are named together where they stop the load', async () => {
    await expect(load(files)).rejects.toThrow(
      /train\.tsv line 3: label "7" .*Use one of 0, 1\. 7 rows are bad; the next: 5 \(column "sentence" is empty\), 6 .*and more\./,
    );
  });

  it('a file without a good row is refused all the same', async () => {
    await expect(
      load({ ...sst2, 'dev.tsv': 'sentence\tlabel\nodd\t7\n' }, 'sst2', { badRows: 'skip' }),
    ).rejects.toThrow(/dev\.tsv: none of its rows can be used; the first is bad: label "7"/);
  });

  it('a missing column, and a hidden answer, are no bad rows', async () => {
    const options = { badRows: 'skip' } as const;
    await expect(load({ ...sst2, 'dev.tsv': 'text\tlabel\nodd\t1\n' }, 'sst2', options)).rejects.toThrow(
      /there is no column "sentence"/,
    );
    await expect(load({ ...sst2, 'dev.tsv': 'sentence\tlabel\nodd\t-1\n' }, 'sst2', options)).rejects.toThrow(
      /dev\.tsv line 2: label "-1" in column "label": the answers of the validation split of "sst2" are hidden/,
    );
  });
});

describe('loadTask refuses what cannot be asked for:', () => {
  it('an unknown task, listing the known ones', async () => {
    const attempt = loadTask('sst3', undefined, { seed: 1 });
    await expect(attempt).rejects.toThrow(ConfigurationError);
    await expect(attempt).rejects.toThrow(
      /task "sst3".*Use one of spam-assassin, cola, sst2, .*, trec, mr, tsv, csv, jsonl, parquet/,
    );
  });

  it('a tab-separated task without a folder, and bundled data with one', async () => {
    await expect(loadTask('sst2', undefined, { seed: 1 })).rejects.toThrow(
      /task "sst2": the folder .* is not named/,
    );
    await expect(loadTask('spam-assassin', '/data', { seed: 1 })).rejects.toThrow(
      /takes no folder \(\/data\)/,
    );
  });

  it('a test split where none is known, and of bundled data', async () => {
    await expect(load({ 'MNLI/train.tsv': '' }, 'ax', { evaluation: 'test' })).rejects.toThrow(
      /test split of "ax": none is known/,
    );
    await expect(loadTask('spam-assassin', undefined, { seed: 1, evaluation: 'test' })).rejects.toThrow(
      /takes no test split/,
    );
  });

  it('your own data without column names', async () => {
    await expect(load(sst2, 'tsv')).rejects.toThrow(/task "tsv": the columns are not named/);
  });

  it.each([[0], [-3], [1.5], [Number.NaN]])('a limit of %p', async (limit) => {
    await expect(load(sst2, 'sst2', { limit })).rejects.toThrow(ConfigurationError);
  });
});

describe('the task table', () => {
  it('has consistent wordings and labels', () => {
    expect(new Set(tasks.map(({ name }) => name)).size).toBe(tasks.length);
    for (const { answer, layout, prompt } of tasks) {
      if (prompt === undefined) continue;
      expect(prompt.words).toHaveLength(answer === 'number' ? 2 : (layout.labels?.length ?? 0));
      expect(prompt.template).toContain('{text}');
      expect(prompt.template.includes('{mask}')).toBe(answer !== 'candidate');
      if (layout.columns !== undefined) {
        expect(prompt.template.includes('{pair}')).toBe(layout.columns.pair !== undefined);
      }
    }
  });

  it('says of every task what its examples are read from, and how they are scored', () => {
    for (const { answer, layout, measures, metric } of tasks) {
      expect(measures?.headline.length ?? 1).toBeGreaterThan(0);
      if (measures === undefined) expect(metric).toBe('accuracy');
      if (layout.kind === 'bundled') continue;
      const isOwn = layout.columns === undefined && layout.fields === undefined;
      expect(layout.labels !== undefined).toBe(!isOwn && (answer ?? 'class') === 'class');
      for (const { train, validation } of layout.variants) {
        expect(layout.fields !== undefined).toBe(train.read !== undefined && validation.read !== undefined);
      }
    }
  });

  it('loads the bundled task without a folder', async () => {
    const dataset = await loadTask('spam-assassin', undefined, { seed: 1, limit: 100 });
    expect(dataset.labels).toEqual(['wanted', 'spam']);
    expect(dataset.train).toHaveLength(100);
    expect(dataset.validation).toHaveLength(780);
  });
});
