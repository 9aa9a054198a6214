import { describe, expect, it } from '@jest/globals';

import { readLines, type TextLine } from './lines.js';

async function* inChunks(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let start = 0; start < bytes.length; start += size) {
    await Promise.resolve();
    yield bytes.subarray(start, start + size);
  }
}

async function linesOf(bytes: Uint8Array, size: number, longest?: number): Promise<TextLine[]> {
  const lines: TextLine[] = [];
  for await (const some of readLines(inChunks(bytes, size), longest)) lines.push(...some);
  return lines;
}

describe('readLines', () => {
  it.each(['', '\n', 'a', 'a\n', '\n\na\n\n', 'one\r\ntwo\r\n', 'naïve 東京\n😀\n\nend', 'x'.repeat(100)])(
    'splits %j as String.split does, however it is cut into chunks',
    async (text) => {
      const expected = text.split('\n').map((line) => line.replace(/\r$/, ''));
      if (expected.at(-1) === '') expected.pop();
      for (let size = 1; size <= 8; size++) {
        const lines = await linesOf(Buffer.from(text), size);
        expect(lines).toEqual(expected.map((line, index) => ({ number: index + 1, text: line })));
      }
    },
  );

  it('says which lines are no text, and goes on behind them', async () => {
    const bytes = Buffer.concat([Buffer.from('ok\n'), Buffer.from([0xff, 0x0a]), Buffer.from('a\0b\nfine')]);
    expect(await linesOf(bytes, 3)).toEqual([
      { number: 1, text: 'ok' },
      { number: 2, text: '\ufffd', problem: 'it is not UTF-8' },
      { number: 3, text: 'a\0b', problem: 'it is no text, it has a NUL' },
      { number: 4, text: 'fine' },
    ]);
  });

  it('keeps nothing of a line that is too long', async () => {
    const bytes = Buffer.from('12345\n123456\n123456789012\n1');
    for (const size of [1, 4, 100]) {
      const lines = await linesOf(bytes, size, 5);
      expect(lines.map(({ text }) => text)).toEqual(['12345', '', '', '1']);
      const problem = 'it has more than 5 bytes';
      expect(lines.map((line) => line.problem)).toEqual([undefined, problem, problem, undefined]);
    }
  });
});
