import { afterAll, describe, expect, it } from '@jest/globals';
import { join } from 'node:path';
import { loadTokenizer } from '@dynaprompt/text';
import { startIds } from '../recognition/start-ids.js';
import { temporaryFolder, writeFamily } from '../testing/family-folders.js';
import { word } from '../testing/small-tokenizers.js';
import { cutRow, parseWording, tokenRow } from './token-rows.js';

const { folder, remove } = temporaryFolder();
afterAll(remove);

/** Ids in front of a text, of its first word, and behind it. */
const families = [
  ['clip', [62], 16, [63]],
  ['siglip', [], 4, [1]],
  ['chinese_clip', [2], 6, [3]],
] as const;

describe.each(families)('%s', (family, start, first, end) => {
  const location = writeFamily(join(folder, family), family);

  it('lays a class name between its words and its frame', async () => {
    const tokenizer = await loadTokenizer(location);
    const wording = parseWording(`${word(2)} ${word(4)} {class} ${word(6)}`, 'class');
    const row = tokenRow(tokenizer, wording, `${word(9)} ${word(30)}`);
    expect(row.ids).toEqual([...start, ...[2, 4, 9, 30, 6].map((n) => first + n), ...end]);
    expect(row.layout).toEqual({ before: start.length + 2, content: 2, after: 1 + end.length });
    const most = row.ids.length - 1;
    expect(cutRow(row, most)).toEqual({
      ids: [...start, ...[2, 4, 9, 6].map((n) => first + n), ...end],
      layout: { ...row.layout, content: 1 },
    });
  });

  it('starts prompts from the words of a template, then from whole words', async () => {
    const tokenizer = await loadTokenizer(location);
    const ids = startIds(tokenizer, `${word(5)} ${word(3)} {class} ${word(1)}`);
    expect(ids(4, 0)).toEqual([first + 5, first + 3, first, first + 1]);
    expect(ids(2, 3)).toEqual([first + 1, first + 2]);
  });
});

it.each(['a photo', '{class} and {class}', 'a {question}'])('refuses the wording "%s"', (template) => {
  expect(() => parseWording(template, 'class')).toThrow('{class} has to stand in it once');
});
