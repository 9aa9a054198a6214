import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { DataError } from '@dynaprompt/core';
import { withFolder } from '../../testing/temporary-folder.js';
import { type JsonItem, jsonItems } from './json-items.js';

async function items(text: string | Uint8Array, member?: string): Promise<readonly JsonItem[]> {
  return withFolder({ 'a.json': text }, async (folder) => [
    ...(await jsonItems(join(folder, 'a.json'), member)),
  ]);
}

const tricky = [
  { text: 'brackets ]}[{ and "quotes" \\ and \\" too', empty: [], nothing: {} },
  [1, [2, [3]], -1.5e3],
  'plain \u00e9 \u{1f408} \\',
  null,
  true,
  0,
];

describe('jsonItems', () => {
  it('gives what JSON.parse gives, item by item, however the file is laid out', async () => {
    for (const space of [undefined, 2, '\t']) {
      const listed = await items(
        JSON.stringify({ info: tricky[0], list: tricky, rest: 'x' }, null, space),
        'list',
      );
      expect(listed).toEqual(tricky.map((value, index) => ({ key: index + 1, value })));
      const named = await items(JSON.stringify({ 'a"]': tricky[0], b: tricky[1], c: 2 }, null, space));
      expect(named).toEqual([
        { key: 'a"]', value: tricky[0] },
        { key: 'b', value: tricky[1] },
        { key: 'c', value: 2 },
      ]);
    }
  });

  it('takes a byte order mark, empty lists and objects as members', async () => {
    expect(await items('\ufeff{"list": [ ] }\r\n', 'list')).toEqual([]);
    expect(await items(' { } ')).toEqual([]);
    expect(await items('{"list": {"7": 1}}', 'list')).toEqual([{ key: '7', value: 1 }]);
  });

  it('gives an item alone that is no JSON as undefined', async () => {
    const broken = await items('{"list": [1, {"a" 2}, nul, {"b": 3}]}', 'list');
    expect(broken.map(({ value }) => value)).toEqual([1, undefined, undefined, { b: 3 }]);
  });

  it('refuses every file that is cut off', async () => {
    const whole = JSON.stringify({ info: { a: 'x"]' }, list: [{ b: 'y' }, [1], 'z'] });
    for (let length = 1; length < whole.length; length += 1) {
      await expect(items(whole.slice(0, length), 'list')).rejects.toThrow(DataError);
    }
    await expect(items('{"list": [{"a": 1}, {"b": "', 'list')).rejects.toThrow(
      /a\.json: the JSON is cut off after 1 whole items/,
    );
  });

  it.each([
    ['{"list": [1, 2] "more": 1}', /not the expected JSON at byte 17, after 2 items/],
    ['{"list": [1 2]}', /not the expected JSON at byte 13, after 1 items/],
    ['{"list": [1]} 2', /not the expected JSON at byte 15/],
    ['{"list": 7}', /not the expected JSON at byte 10/],
    ['{7: [1]}', /not the expected JSON/],
    ['[1]', /not the expected JSON at byte 1, after 0 items/],
    ['{"questions": []}', /it has no "list"/],
    ['', /the file is empty/],
  ])('refuses %s', async (text, message) => {
    await expect(items(text, 'list')).rejects.toThrow(message);
    await expect(items(text, 'list')).rejects.toThrow(DataError);
  });
});
