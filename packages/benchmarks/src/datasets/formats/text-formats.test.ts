import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { DataError } from '@dynaprompt/core';
import { withFolder } from '../../testing/temporary-folder.js';
import { readTable } from './read-table.js';
import type { TableFormat, TextLayout } from './table.js';

/** Reads a file of this content. */
function read(format: TableFormat, content: string | Uint8Array, layout?: TextLayout) {
  return withFolder({ 'data.txt': content }, (folder) => readTable(join(folder, 'data.txt'), format, layout));
}

/** Values of the good rows, and line and problem of the bad ones. */
async function outcome(format: TableFormat, content: string | Uint8Array, layout?: TextLayout) {
  const { rows, faults } = await read(format, content, layout);
  return {
    rows: rows.map(({ line, values }) => [line, ...Object.values(values)]),
    faults: faults.map(({ line, problem }) => [line, problem]),
  };
}

const latin1 = (text: string): Uint8Array => Buffer.from(text, 'latin1');

describe('tab-separated files', () => {
  it('take quotation marks as they are, CRLF and a byte order mark away', async () => {
    const { columns } = await read('tsv', '\ufeffa\tb\r\nx\ty\r\n');
    expect(columns).toEqual(['a', 'b']);
    expect(await outcome('tsv', 'a\tb\n"x\ty""\n')).toEqual({ rows: [[2, '"x', 'y""']], faults: [] });
  });

  it('have rows from the first line where the columns are named', async () => {
    expect(await outcome('tsv', 'x\ty\n', { header: ['a', 'b'] })).toEqual({
      rows: [[1, 'x', 'y']],
      faults: [],
    });
  });

  it('name every bad line and keep the others', async () => {
    expect(await outcome('tsv', latin1('a\tb\nx\ty\nx\ncaf\xe9\ty\nu\tv\nx\ty\tz\n'))).toEqual({
      rows: [
        [2, 'x', 'y'],
        [5, 'u', 'v'],
      ],
      faults: [
        [3, '1 tab-separated field where the header has 2'],
        [4, 'the text is not UTF-8'],
        [6, '3 tab-separated fields where the header has 2'],
      ],
    });
  });

  it('need a header that can be read', async () => {
    await expect(read('tsv', latin1('caf\xe9\tb\nx\ty\n'))).rejects.toThrow(
      /data\.txt line 1: the text is not UTF-8/,
    );
    await expect(read('tsv', 'a\ta\nx\ty\n')).rejects.toThrow(/two columns are called "a"/);
  });
});

describe('comma-separated files', () => {
  it('are read after RFC 4180', async () => {
    expect(await outcome('csv', 'a,b\r\n"x, ""y""",\r\n"two\nlines",z\n,\n')).toEqual({
      rows: [
        [2, 'x, "y"', ''],
        [3, 'two\nlines', 'z'],
        [5, '', ''],
      ],
      faults: [],
    });
  });

  it('lose one row to a stray quotation mark, and name its line', async () => {
    const problem = 'quotation marks do not enclose whole fields';
    expect(await outcome('csv', 'a,b\nx,y"\nu,v\n"p"q,r\nlast,"one\n')).toEqual({
      rows: [[3, 'u', 'v']],
      faults: [
        [2, problem],
        [4, problem],
        [5, problem],
      ],
    });
    expect((await outcome('csv', 'a,b\nx\nu,v\n')).faults).toEqual([
      [2, '1 comma-separated field where the header has 2'],
    ]);
  });
});

describe('files of JSON lines', () => {
  it('keep values as they are, skip blank lines and name bad ones', async () => {
    const lines = ['{"a": 1, "b": [true]}', '', '{"a": ', '[1]', '{"c": null}', ''];
    expect(await outcome('jsonl', lines.join('\n'))).toEqual({
      rows: [
        [1, 1, [true]],
        [5, null],
      ],
      faults: [
        [3, 'this is not JSON'],
        [4, 'this is not a JSON object'],
      ],
    });
    expect((await read('jsonl', lines.join('\n'))).columns).toEqual(['a', 'b', 'c']);
    expect((await outcome('jsonl', latin1('{"a": "caf\xe9"}\n{"a": 1}\n'))).faults).toEqual([
      [1, 'the text is not UTF-8'],
    ]);
  });
});

it.each(['tsv', 'csv', 'jsonl'] as const)('%s files that hold nothing are refused', async (format) => {
  await expect(read(format, '')).rejects.toThrow(DataError);
  await expect(read(format, '')).rejects.toThrow(/data\.txt: the file is empty/);
  await expect(read(format, '\n')).rejects.toThrow(/no data rows/);
});
