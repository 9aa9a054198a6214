import { describe, expect, it } from '@jest/globals';
import { stream } from '@dynaprompt/core';
import type { NumberedScene } from './files.js';
import { heldOutCodes } from './held-out.test.fixture.js';
import { balanced } from './quotas.js';
import { planScenes } from './write-scenes.js';

const held = new Set(heldOutCodes.map((code) => `${code}.svg`));
const counts = { train: 1800, validation: 900, test: 900 };
const { concepts, scenes } = planScenes({ seed: 7, ...counts }, held, 'heldout.json');
const of = (split: keyof typeof counts): readonly NumberedScene[] => scenes.get(split) ?? [];
const everything = [...of('train'), ...of('validation'), ...of('test')];
const things = ({ cells }: NumberedScene) => cells.filter((thing) => thing !== undefined);
const byName = (name: string) => concepts.find((concept) => concept.name === name || concept.plural === name);

/** Colours behind things, and things together, as `a+b`. */
function combinationsOf(scene: NumberedScene): readonly string[] {
  const shown = things(scene);
  return shown.flatMap(({ concept, color }) => [
    `${color}+${concept.name}`,
    ...shown
      .filter((other) => other.concept.name > concept.name)
      .map((other) => `${concept.name}+${other.concept.name}`),
  ]);
}

/** What is right, found out from the picture and the question as they are. */
function answerTo({ question, cells }: NumberedScene): unknown {
  const at = (name: string) => cells.flatMap((thing, cell) => (thing?.concept.name === name ? [cell] : []));
  const [only] = cells;
  if (question === 'What is this?') return cells.length === 1 && only?.concept.name;
  if (question === 'What kind of thing is this?') return cells.length === 1 && only?.concept.category;
  const [, plural] = /^How many (.+) are there\?$/.exec(question) ?? [];
  if (plural !== undefined) return `${at(byName(plural)?.name ?? '').length}`;
  const [, one] = /^Is there a (?:loaf of )?(.+)\?$/.exec(question) ?? [];
  if (one !== undefined) return at(byName(one)?.name ?? '').length > 0 ? 'yes' : 'no';
  const [, behind] = /^What color is behind the (.+)\?$/.exec(question) ?? [];
  if (behind !== undefined) {
    const [cell = -1, ...more] = at(behind);
    return more.length === 0 && cells[cell]?.color;
  }
  const [, where, anchor = ''] =
    /^What is (?:to the )?(left of|right of|above|below) the (.+)\?$/.exec(question) ?? [];
  const [from = -1, ...more] = at(anchor);
  const inHalf = cells.filter((thing, cell) => {
    if (thing === undefined) return false;
    const across = (cell % 2) - (from % 2);
    const down = Math.floor(cell / 2) - Math.floor(from / 2);
    return { 'left of': across < 0, 'right of': across > 0, above: down < 0, below: down > 0 }[where ?? ''];
  });
  return more.length === 0 && inHalf.length === 1 && inHalf[0]?.concept.name;
}

describe('planScenes', () => {
  it('asks only what the picture answers in one way', () => {
    expect(everything).toHaveLength(3600);
    for (const scene of everything)
      expect([scene.question, scene.answer]).toEqual([scene.question, answerTo(scene)]);
  });

  it('shows held-out drawings in the test alone, and there no others', () => {
    const drawings = (scene: NumberedScene) => things(scene).map(({ drawing }) => `${drawing}.svg`);
    expect(
      of('test')
        .flatMap(drawings)
        .every((file) => held.has(file)),
    ).toBe(true);
    expect([...of('train'), ...of('validation')].flatMap(drawings).some((file) => held.has(file))).toBe(
      false,
    );
  });

  it('keeps a colour for every concept and pairs of concepts out of training', () => {
    const trained = new Set(of('train').flatMap(combinationsOf));
    // Every usual colour of every concept is trained on, the held-out one is not.
    for (const { name } of concepts) {
      expect(
        [...trained].filter(
          (text) => text.endsWith(`+${name}`) && /^(red|yellow|green|blue|purple|gray)/.test(text),
        ),
      ).toHaveLength(5);
    }
    for (const split of ['validation', 'test'] as const) {
      for (const scene of of(split)) {
        const isNew = combinationsOf(scene).some((combination) => !trained.has(combination));
        // 1,800 scenes show nearly every pair that is not held out.
        if (scene.combination === 'held-out') expect(isNew).toBe(true);
      }
      const share = of(split).filter(({ combination }) => combination === 'held-out').length / 900;
      expect(share).toBeGreaterThan(0.48);
      expect(share).toBeLessThan(0.52);
    }
    expect(of('train').every(({ combination }) => combination === 'seen')).toBe(true);
  });

  it('has as many questions of each kind, and answers with a prior that is small', () => {
    for (const [split, count] of Object.entries(counts)) {
      const kinds = new Map<string, Map<string, number>>();
      for (const { questionType, answer } of of(split as keyof typeof counts)) {
        const kind = /^what is (left|right|above|below)/.test(questionType) ? 'position' : questionType;
        const answers = kinds.get(kind) ?? new Map<string, number>();
        kinds.set(kind, answers.set(answer, (answers.get(answer) ?? 0) + 1));
      }
      expect([...kinds.keys()].sort()).toEqual(
        ['how many', 'is there', 'position', 'what color is', 'what is this', 'what kind'].sort(),
      );
      for (const answers of kinds.values()) {
        const all = [...answers.values()];
        expect(all.reduce((sum, number) => sum + number, 0)).toBe(count / 6);
        const even = count / 6 / all.length;
        expect(Math.max(...all)).toBeLessThanOrEqual(Math.ceil(1.2 * even));
        expect(Math.min(...all)).toBeGreaterThanOrEqual(Math.floor(0.8 * even));
        expect(Math.max(...all)).toBeGreaterThan(even);
      }
    }
  });

  it('has ten people answer, most of them alike', () => {
    for (const { answers, answer } of everything) {
      expect(answers).toHaveLength(10);
      expect(answers.filter((said) => said === answer).length).toBeGreaterThanOrEqual(7);
    }
    expect(everything.some(({ answers, answer }) => answers.some((said) => said !== answer))).toBe(true);
  });

  it('depends on the seed, and a split on nothing but its own size', () => {
    const plan = (options: Partial<typeof counts> & { readonly seed: number }) =>
      planScenes({ train: 60, validation: 30, test: 30, ...options }, held, 'heldout.json').scenes;
    const first = plan({ seed: 1 });
    expect(plan({ seed: 1 })).toEqual(first);
    expect(plan({ seed: 2 }).get('train')).not.toEqual(first.get('train'));
    expect(plan({ seed: 1, train: 600 }).get('test')).toEqual(first.get('test'));
    expect(new Set(everything.map(({ imageId }) => imageId)).size).toBe(3600);
    expect([...plan({ seed: 1, validation: 0 }).keys()]).toEqual(['train', 'test']);
  });

  it('takes any numbers of scenes', () => {
    for (let train = 1; train <= 13; train += 1) {
      const made = planScenes({ seed: 1, train, validation: 0, test: 0 }, held, 'heldout.json');
      expect(made.scenes.get('train')).toHaveLength(train);
    }
  });

  it('leaves out concepts that are held out altogether or not at all', () => {
    const fewer = new Set([...held, '1F431.svg'].filter((file) => file !== '1F430.svg'));
    const names = planScenes({ seed: 1, ...counts }, fewer, 'list').concepts.map(({ name }) => name);
    expect(names).not.toContain('cat');
    expect(names).not.toContain('rabbit');
    expect(names).toHaveLength(concepts.length - 2);
    expect(() => planScenes({ seed: 1, ...counts }, new Set(['1F408.svg']), 'list.json')).toThrow(
      /list\.json: only 1 things have a drawing/,
    );
  });
});

describe('balanced', () => {
  it('gives shares from 1.2 to 0.8 of the even one', () => {
    const drawn = balanced(['a', 'b', 'c'], 300, stream(1, 'test'));
    const countOf = (answer: string) => drawn.filter((item) => item === answer).length;
    expect(['a', 'b', 'c'].map(countOf)).toEqual([120, 100, 80]);
    expect(balanced(['yes', 'no'], 10, stream(1, 'test')).filter((item) => item === 'yes')).toHaveLength(6);
    expect(balanced(['only'], 3, stream(1, 'test'))).toEqual(['only', 'only', 'only']);
    expect(balanced(['a', 'b'], 0, stream(1, 'test'))).toEqual([]);
  });
});
