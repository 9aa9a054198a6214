import { describe, expect, it } from '@jest/globals';

import { sourceTables } from '@dynaprompt/core';

import { placePrompt, placeText } from './place-prompt.js';

const slots = 4;

/** What core puts where, for prompts and tokens by their numbers. */
function placedByCore(
  mode: 'split' | 'insert',
  candidates: number,
  [before, content, after]: readonly [number, number, number],
  [position, length]: readonly [number, number],
): unknown[] {
  const total = before + content + after + slots;
  const layout = { before, content, after, active: length };
  const table = sourceTables({ mode, candidates, slots, total }, [layout], Int32Array.of(position));
  return [...table.subarray(0, total - slots + length)].map((source) =>
    source < slots ? { prompt: source + 1 } : `x${source - slots}`,
  );
}

describe('placePrompt', () => {
  it.each([
    ['split', slots + 1],
    ['insert', 2],
    ['insert', 5],
    ['insert', 6],
  ] as const)('draws every choice where the method puts it, %s of %i', (mode, candidates) => {
    let compared = 0;
    for (const content of [0, 1, 2, 5, 8]) {
      for (const [before, after] of [
        [1, 1],
        [0, 1],
        [1, 0],
        [2, 3],
      ] as const) {
        const tokens = Array.from({ length: before + content + after }, (_, index) => `x${index}`);
        for (let position = 0; position < candidates; position++) {
          for (let length = 0; length <= slots; length++) {
            const drawn = placePrompt(
              tokens,
              { before, content, after },
              { mode, candidates },
              { position, length },
            );
            expect(drawn).toEqual(
              placedByCore(mode, candidates, [before, content, after], [position, length]),
            );
            compared++;
          }
        }
      }
    }
    expect(compared).toBe(5 * 4 * candidates * (slots + 1));
  });

  it('says the place in words', () => {
    const split = { mode: 'split', candidates: 5 } as const;
    expect(placeText(split, { position: 3, length: 4 }, 9)).toBe(
      'position 3 of 0 … 4: 3 in front of the text, 1 behind it',
    );
    expect(placeText(split, { position: 3, length: 2 }, 9)).toContain('2 in front of the text, 0 behind it');
    expect(placeText(split, { position: 3, length: 0 }, 9)).toContain('no prompt token is active');
    const insert = { mode: 'insert', candidates: 5 } as const;
    expect(placeText(insert, { position: 1, length: 4 }, 8)).toBe(
      'position 1 of 0 … 4: after 2 of 8 tokens of the text',
    );
  });
});
