import { writeFile } from 'node:fs/promises';

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

import { nullThrows } from '@dynaprompt/core';

import { directAnswers } from '../predict/direct-answers.test.fixture.js';
import { Workplace } from '../predict/program.test.fixture.js';

let place: Workplace;
// Words that the vocabulary has whole.
const texts = ['a fine film', 'the story is good and the end is bad'];
const adapter = 'out/adapters/dynamic-seed1';

beforeAll(async () => {
  place = await Workplace.open();
  await place.train('--task sst2 --data . --methods frozen,fixed,dynamic --output out');
  await writeFile(place.path('films.txt'), texts.join('\n'));
}, 300_000);

afterAll(() => place.remove());

interface Shown {
  readonly text: string;
  readonly probabilities: Readonly<Record<string, number>>;
  readonly sequence: readonly (string | { readonly prompt: number })[];
  readonly prompt: {
    readonly length: number;
    readonly position: { readonly choice: number; readonly candidates: number };
    readonly pool: readonly number[];
  };
}

describe('inspect', () => {
  it('shows what the plan of every text chose, and the tokens around it', async () => {
    const { code, stdout, stderr } = await place.glue(`inspect ${adapter} --file films.txt --json`);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const shown = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Shown);
    const direct = await directAnswers(
      place.path(adapter),
      texts.map((text) => ({ text })),
    );
    expect(shown.map(({ text }) => text)).toEqual(texts);
    for (const [index, { planned, probabilities }] of direct.entries()) {
      const { sequence, prompt, probabilities: given, text } = nullThrows(shown[index], 'all were shown');
      const choices = planned?.choices;
      const [choice = NaN, length = NaN] = [choices?.position[0], choices?.length[0]];
      expect(prompt).toMatchObject({ length, position: { mode: 'split', choice, candidates: 5 } });
      expect(prompt.pool).toHaveLength(4);
      prompt.pool.forEach((weight, entry) => {
        expect(weight).toBeCloseTo(choices?.weights?.[entry] ?? NaN, 5);
      });
      const numbers = Array.from({ length }, (_, token) => ({ prompt: token + 1 }));
      const front = Math.min(choice, length);
      expect(sequence).toEqual([
        '[CLS]',
        ...numbers.slice(0, front),
        ...text.split(' '),
        ...numbers.slice(front),
        '[SEP]',
      ]);
      for (const [name, value] of Object.entries(probabilities)) expect(given[name]).toBeCloseTo(value, 5);
    }
  });

  it('draws the prompt for people, without colours outside a terminal', async () => {
    const { code, stdout } = await place.warm(['inspect', 'out/adapters/fixed-seed1', ...texts]);
    expect(code).toBe(0);
    expect(stdout).toContain('a fine film\n  [CLS] ‹p1 p2 p3 p4› a fine film [SEP]\n');
    expect(stdout).toMatch(
      /position {4}4 of 0…4: .*\n {2}length {6}4 of 4 tokens\n {2}prediction {2}\w+ 0\.\d{4} \(/,
    );
    expect(stdout).not.toContain('\u001b');
    const bare = await place.warm(['inspect', 'out/adapters/frozen-seed1', 'a fine film']);
    expect(bare.stdout).toContain('[CLS] a fine film [SEP]\n  prompt      none');
  });

  it.each([
    ['out/adapters/fixed-seed1', 'there is no text to inspect'],
    ['out/adapters/fixed-seed1 text --file films.txt', 'both texts and a file'],
    ['out/adapters/fixed-seed1 --file none.txt', 'there is no such file'],
    ['nowhere text', 'there is no such file'],
  ])('says in one line what is wrong: %s', async (words, part) => {
    const { code, stdout, stderr } = await place.warm(`inspect ${words}`);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr.trimEnd().split('\n')).toHaveLength(1);
    expect(stderr).toContain(part);
  });
});
