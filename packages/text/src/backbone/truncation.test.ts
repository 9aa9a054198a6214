import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { ConfigurationError, DataError, nullThrows } from '@dynaprompt/core';
import { openTextBackbone } from '../open-text-backbone.js';
import {
  DECODERS,
  ENCODERS,
  T5,
  textOf,
  wordOf,
  writeFixture,
  type FixtureModel,
} from '../testing/fixture-folders.js';
import { temporaryFolder } from '../testing/folders.js';
import { distance } from '../testing/numbers.js';
import { normals, planOf } from '../testing/plans.js';
import type { TextExample } from '../tokenization/encode.js';
import { openExampleTokens } from '../tokenization/example-tokens.js';
import type { HeadOptions } from './head.js';

const temporary = temporaryFolder();
afterAll(() => {
  temporary.remove();
});
let folders = 0;
const SLOTS = 4;
const MAXIMUM = 20;
const linear: HeadOptions = { kind: 'linear', classes: 2 };
const template = 'wbk {text} wbl {pair} wbk';
const phrases: HeadOptions = { kind: 'verbalizer', template, words: ['wbm wbn wbo', 'wbn'] };
const words: HeadOptions = { ...phrases, words: ['wbm', 'wbn'] };
const choices: HeadOptions = { kind: 'choices', template, classes: 3 };
const heads = { linear, words, phrases, choices };

interface Case {
  readonly name: string;
  readonly model: FixtureModel | undefined;
  readonly head: keyof typeof heads;
  readonly padding?: 'left' | 'right';
  /** Tokens of the longest answer that are read behind the text. */
  readonly answer: number;
}
const cases: readonly Case[] = [
  { name: 'an encoder', model: ENCODERS.bert, head: 'linear', answer: 0 },
  { name: 'roberta', model: ENCODERS.roberta, head: 'linear', answer: 0 },
  ...(['left', 'right'] as const).flatMap((padding) => [
    { name: 'llama', model: DECODERS.llama, head: 'linear', padding, answer: 0 } as const,
    { name: 'llama', model: DECODERS.llama, head: 'phrases', padding, answer: 2 } as const,
    { name: 'gpt2', model: DECODERS.gpt2, head: 'words', padding, answer: 0 } as const,
    { name: 'opt', model: DECODERS.opt, head: 'choices', padding, answer: 2 } as const,
  ]),
  { name: 't5', model: T5, head: 'linear', answer: 0 },
  { name: 't5', model: T5, head: 'phrases', answer: 0 },
  { name: 't5', model: T5, head: 'choices', answer: 0 },
];

const repeated = (id: number, count: number): string => textOf(...new Array<number>(count).fill(id));

describe.each(cases)('$name, $head, padding $padding', ({ model, head, padding = 'right', answer }) => {
  const folder = writeFixture(
    join(temporary.folder, `${(folders += 1)}`),
    nullThrows(model, 'no such fixture'),
  );
  const options = { head: heads[head], reserve: SLOTS, maximumTokens: MAXIMUM, threads: 1, padding };
  const own = { choices: ['wbm wbn wbo', 'wbn'] };
  const long: TextExample = { text: repeated(15, 40), pair: repeated(25, 6), ...own };

  it('cuts texts until everything else fits, the longer of a pair first', async () => {
    const read = await openExampleTokens(folder, options);
    const { tokens } = read(long);
    expect(tokens).toHaveLength(MAXIMUM - answer);
    const kept = (id: number): number => tokens.filter((token) => token === wordOf(id)).length;
    const rest = tokens.filter((token) => token !== wordOf(15) && token !== wordOf(25));
    expect(rest).toEqual(read({ text: '', pair: '', ...own }).tokens);
    expect([kept(15) + kept(25), Math.min(6, kept(15)) - kept(25) <= 1]).toEqual([
      MAXIMUM - answer - rest.length,
      true,
    ]);
    expect(kept(25)).toBeGreaterThanOrEqual(Math.min(6, Math.floor((kept(15) + kept(25)) / 2)));
  });

  it('reads what is cut as the shorter text, with a whole prompt, in a batch of other lengths', async () => {
    const backbone = await openTextBackbone(folder, options);
    const read = await openExampleTokens(folder, options);
    const { tokens } = read(long);
    const kept = (id: number): number => tokens.filter((token) => token === wordOf(id)).length;
    const short: TextExample = { text: repeated(15, kept(15)), pair: repeated(25, kept(25)), ...own };
    const other: TextExample = { text: textOf(11), pair: textOf(12), ...own };
    const { width } = backbone;
    const headValues = backbone.initialHead(1);
    headValues.get('head.weight')?.values.set(normals('weight', 2 * width, 0.2));
    const rows = normals('prompts', 2 * SLOTS * width, 0.5);
    const plan = (values: Float32Array, batch: number, choice: number) =>
      planOf({ batch, slots: SLOTS, width, prompts: values, choice: new Array<number>(batch).fill(choice) });
    for (const choice of [0, 2, SLOTS]) {
      const together = await backbone.predict([long, other], plan(rows, 2, choice), headValues);
      const alone = await backbone.predict(
        [short],
        plan(rows.slice(0, SLOTS * width), 1, choice),
        headValues,
      );
      expect(distance(together.subarray(0, alone.length), alone)).toBeLessThan(1e-5);
      // Every slot takes part.
      for (let slot = 0; slot < SLOTS; slot++) {
        const changed = rows.slice();
        for (let column = 0; column < width; column++) changed[slot * width + column] = 0.1;
        const moved = await backbone.predict([long, other], plan(changed, 2, choice), headValues);
        expect(distance(moved.subarray(0, 2), together.subarray(0, 2))).toBeGreaterThan(1e-6);
      }
    }
    await backbone.release();
  });

  it('refuses a text that would be cut to nothing, and a template that leaves room for none', async () => {
    const fixed = (await openExampleTokens(folder, options))({ text: '', pair: '', ...own }).tokens.length;
    const maximumTokens = fixed + answer + 1;
    const reading = openExampleTokens(folder, { ...options, maximumTokens }).then((read) => read(long));
    // Fewer than 4 tokens, or a template that no pair fits into, are refused before there is an example.
    const isOfExample = maximumTokens >= 4 && (head === 'linear' || answer > 0);
    await expect(reading).rejects.toBeInstanceOf(isOfExample ? DataError : ConfigurationError);
  });
});
