import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { ConfigurationError, DataError } from '@dynaprompt/core';
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

  it('a label column of one value', async () => {
    const file = 'say\tkind\nmoo\tcow\n';
    await expect(
      load({ 'train.tsv': file, 'dev.tsv': file }, 'tsv', { columns: { text: 'say', label: 'kind' } }),
    ).rejects.toThrow(/column "kind" holds only one value, "cow"/);
  });
});

describe('loadTask refuses what cannot be asked for:', () => {
  it('an unknown task, listing the known ones', async () => {
    const attempt = loadTask('sst3', undefined, { seed: 1 });
    await expect(attempt).rejects.toThrow(ConfigurationError);
    await expect(attempt).rejects.toThrow(/task "sst3".*Use one of spam-assassin, sst2, rte, trec, mr, tsv/);
  });

  it('a tab-separated task without a folder, and bundled data with one', async () => {
    await expect(loadTask('sst2', undefined, { seed: 1 })).rejects.toThrow(
      /task "sst2": the folder .* is not named/,
    );
    await expect(loadTask('spam-assassin', '/data', { seed: 1 })).rejects.toThrow(
      /takes no folder \(\/data\)/,
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
    for (const { layout, prompt } of tasks) {
      if (prompt === undefined) continue;
      expect(prompt.words).toHaveLength(layout.labels?.length ?? 0);
      expect(prompt.template).toContain('{text}');
      expect(prompt.template).toContain('{mask}');
      expect(prompt.template.includes('{pair}')).toBe(layout.columns?.pair !== undefined);
    }
  });

  it('loads the bundled task without a folder', async () => {
    const dataset = await loadTask('spam-assassin', undefined, { seed: 1, limit: 100 });
    expect(dataset.labels).toEqual(['wanted', 'spam']);
    expect(dataset.train).toHaveLength(100);
    expect(dataset.validation).toHaveLength(780);
  });
});
