import { mkdir, readFile, writeFile } from 'node:fs/promises';

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

import { Workplace } from './predict/program.test.fixture.js';

/** Results as far as these tests read them. */
interface Results {
  readonly majority: { readonly label: string; readonly score: number };
  readonly methods: Readonly<
    Record<
      string,
      { readonly final: readonly number[]; readonly measures?: Readonly<Record<string, number[]>> }
    >
  >;
}

let place: Workplace;
beforeAll(async () => {
  place = await Workplace.open();
});
afterAll(() => place.remove());

async function write(folder: string, files: Readonly<Record<string, readonly string[]>>): Promise<void> {
  await mkdir(place.path(folder));
  for (const [name, rows] of Object.entries(files)) {
    await writeFile(place.path(folder, name), `${rows.join('\n')}\n`);
  }
}

async function resultsIn(folder: string): Promise<Results> {
  return JSON.parse(await readFile(place.path(folder, 'results.json'), 'utf8')) as Results;
}

describe('a task whose answer is a number', () => {
  const rows = [4.8, 0.2, 2.5, 1, 5].map((score, index) =>
    [index, '', '', '', '', '', '', 'A man runs.', `A man ${'runs '.repeat(index)}.`, score].join('\t'),
  );
  const names = ['index', 'genre', 'filename', 'year', 'old_index', 'source1', 'source2'];
  const header = [...names, 'sentence1', 'sentence2', 'score'].join('\t');

  it('is trained, scored by both correlations, and predicted in its units', async () => {
    await write('STS-B', { 'train.tsv': [header, ...rows], 'dev.tsv': [header, ...rows] });
    await place.train('--task stsb --data STS-B --methods frozen,fixed,dynamic,fine-tuning --output sts');
    const { methods, majority } = await resultsIn('sts');
    expect(majority).toEqual({ label: 'the mean, 2.70', score: 0 });
    for (const { final, measures = {} } of Object.values(methods)) {
      const [pearson = NaN] = measures.pearson ?? [];
      const [spearman = NaN] = measures.spearman ?? [];
      expect(final[0]).toBeCloseTo((pearson + spearman) / 2, 10);
    }
    const { code, stdout } = await place.warm(
      'predict sts/adapters/dynamic-seed1 --json',
      'A man runs.\tA man runs.\nA dog.\tA cat sat.\n',
    );
    expect(code).toBe(0);
    const answers = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as { number: number });
    expect(answers).toHaveLength(2);
    for (const { number } of answers) expect(Math.abs(number - 2.5)).toBeLessThan(5);
    const plain = await place.warm('predict sts/adapters/dynamic-seed1', 'A man runs.\tA man runs.\n');
    expect(plain.stdout).toBe(`${answers[0]?.number.toFixed(4)}\tA man runs.\tA man runs.\n`);
    const { stdout: shown } = await place.warm(['inspect', 'sts/adapters/dynamic-seed1', 'A.\tB.']);
    expect(shown).toMatch(/prediction {2}-?\d+\.\d{4}\n/);
  }, 120_000);
});

describe('a task whose answer is a candidate', () => {
  const texts = ['Ann met Bob.', 'Bob left Eve with Ann Lee.', 'Eve saw Bob.'];
  const rows = texts.map((text, idx) => {
    const entities = [...text.matchAll(/Ann Lee|Ann|Bob|Eve/g)].map((match) => ({
      start: match.index,
      end: match.index + match[0].length - 1,
    }));
    const [first, last] = [entities[0], entities.at(-1)].map((span) => ({
      ...span,
      text: text.slice(span?.start, (span?.end ?? 0) + 1),
    }));
    const answers = idx === 1 ? [first, last] : [last];
    const qas = [{ query: 'It was @placeholder.', answers, idx }];
    return JSON.stringify({ source: '', passage: { text, entities }, qas, idx });
  });

  it('is trained, scored by exact match and F1, and predicted by name', async () => {
    await write('ReCoRD', { 'train.jsonl': rows, 'val.jsonl': rows });
    await place.train('--task record --data ReCoRD --methods frozen,fixed,dynamic --output gaps');
    const { methods } = await resultsIn('gaps');
    for (const { final, measures = {} } of Object.values(methods)) {
      // No candidate shares a word with an answer that it is not.
      expect(measures['exact-match']).toEqual(final);
      expect(measures['token-f1']).toEqual(final);
    }
    const { code, stdout, stderr } = await place.warm(
      'predict gaps/adapters/dynamic-seed1 --json --on-bad-line skip',
      'Ann met Bob.\tIt was Ann.\tIt was Bob.\nAnn.\n',
    );
    expect(code).toBe(0);
    expect(stderr).toContain('no candidates follow its text');
    const [first = ''] = stdout.split('\n');
    const { label, probabilities } = JSON.parse(first) as {
      label: string;
      probabilities: Record<string, number>;
    };
    expect(Object.keys(probabilities)).toEqual(['It was Ann.', 'It was Bob.']);
    const [ann = NaN, bob = NaN] = Object.values(probabilities);
    expect(ann + bob).toBeCloseTo(1, 6);
    expect(label).toBe(ann > bob ? 'It was Ann.' : 'It was Bob.');
  }, 120_000);

  it('asks for a language head that an encoder has not', async () => {
    const { code, stderr } = await place.warm(
      'run --task record --data ReCoRD --head verbalizer --methods frozen --output never',
    );
    expect(code).toBe(1);
    expect(stderr).toMatch(/an encoder gives texts no likelihood/);
  }, 60_000);
});
