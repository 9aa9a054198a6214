import { describe, expect, it } from '@jest/globals';
import { distinctSubjects, loadSpamAssassin } from './spam-assassin.js';
import { wordsOf } from './subject-line.js';

function message(id: string, group: string, subject: string) {
  return { id, group, text: `Subject: ${subject}\n\nbody` };
}

describe('distinctSubjects', () => {
  it('keeps a subject once and drops near duplicates of it', () => {
    const examples = distinctSubjects([
      message('1', 'easy-ham-1', 'apt problem on valhalla'),
      message('2', 'easy-ham-1', 'Re: Apt problem on Valhalla!'),
      message('3', 'easy-ham-2', 'Another apt problem on valhalla'),
      message('4', 'spam-1', 'Copy any DVD movie'),
    ]);
    expect(examples).toEqual([
      { id: 'easy-ham-1/1', text: 'apt problem on valhalla', label: 0 },
      { id: 'spam-1/4', text: 'Copy any DVD movie', label: 1 },
    ]);
  });

  it('keeps subjects that share few of their words', () => {
    expect(
      distinctSubjects([
        message('1', 'spam-1', 'save money on your next car'),
        message('2', 'spam-1', 'save money on a trip to the sea'),
      ]),
    ).toHaveLength(2);
  });

  it('drops subjects that occur in both classes', () => {
    expect(
      distinctSubjects([message('1', 'hard-ham-1', 'In the news'), message('2', 'spam-2', 'in the NEWS')]),
    ).toEqual([]);
  });
});

describe('loadSpamAssassin', () => {
  const { train, validation } = loadSpamAssassin();

  it('has the sizes that the README states', () => {
    const spam = (examples: readonly { label: number }[]) =>
      examples.filter(({ label }) => label === 1).length;
    expect([train.length, spam(train), validation.length, spam(validation)]).toEqual([2337, 973, 780, 325]);
  });

  it('is the same on every call', () => {
    expect(loadSpamAssassin()).toEqual({ train, validation });
  });

  it('has no near duplicate on both sides', () => {
    const trainWords = train.map(({ text }) => new Set(wordsOf(text)));
    const pairs = validation.flatMap(({ text }) => {
      const words = new Set(wordsOf(text));
      return trainWords.filter((other) => {
        const shared = [...words].filter((word) => other.has(word)).length;
        return shared >= 3 && shared / (words.size + other.size - shared) >= 0.6;
      });
    });
    expect(pairs).toEqual([]);
  });

  it('has unique ids and clean texts', () => {
    const all = [...train, ...validation];
    expect(new Set(all.map(({ id }) => id)).size).toBe(all.length);
    for (const { text } of all) expect(text).toMatch(/^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/);
    expect(all.filter(({ text }) => /^(?:re|fwd|adv):|@/i.test(text))).toEqual([]);
  });
});
