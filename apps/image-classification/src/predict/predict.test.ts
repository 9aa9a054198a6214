import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

import { type PlannedBatch, selectBackend } from '@dynaprompt/core';
import { miniClip } from '@dynaprompt/mini-models';
import { loadAdapter, restorePrompt } from '@dynaprompt/training';
import { type HeadOptions, openVisionBackbone } from '@dynaprompt/vision';

import { Workplace } from '../program.test.fixture.js';

let place: Workplace;
const pictures = ['0', '1', '2'].flatMap((name) => [
  `shapes/val/disc/${name}.svg`,
  `shapes/val/square/${name}.svg`,
]);

beforeAll(async () => {
  place = await Workplace.open();
  await place.writeShapes('shapes', { train: 6, val: 3 });
  await place.write('broken.png', 'no picture');
  const words =
    'run --task image-folder --data shapes --methods frozen,fixed,dynamic --seeds 1 --steps 4 --batch 4';
  const { code, stderr } = await place.warm(`${words} --slots 4 --output out`);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
}, 120_000);

afterAll(() => place.remove());

/** What an adapter makes of each picture, asked of the libraries themselves, one at a time. */
async function directAnswers(
  folder: string,
): Promise<{ readonly probabilities: readonly number[]; readonly planned: PlannedBatch | undefined }[]> {
  await selectBackend();
  const adapter = await loadAdapter(place.path(folder));
  const { kind, options } = adapter.head;
  const head = { kind, ...options } as HeadOptions;
  const backbone = await openVisionBackbone(miniClip, { head, reserve: 4 });
  const prompt = adapter.configuration && (await restorePrompt(adapter));
  const answers = [];
  for (const picture of pictures) {
    const example = { id: picture, image: { kind: 'file', path: place.path(picture) } } as const;
    const features = await backbone.features([example]);
    const planned = prompt?.plan(features, 1, { training: false });
    const logits = await backbone.predict([example], planned?.plan, adapter.parameters.head);
    const sum = logits.reduce((total, logit) => total + Math.exp(logit), 0);
    answers.push({ probabilities: Array.from(logits, (logit) => Math.exp(logit) / sum), planned });
  }
  await backbone.release();
  return answers;
}

interface Answered {
  readonly picture: string;
  readonly label: string;
  readonly probabilities: Readonly<Record<string, number>>;
  readonly prompt: {
    readonly length: number;
    readonly position: { readonly choice: number };
    readonly pool: readonly number[];
  };
}

function answersOf(stdout: string): readonly Answered[] {
  return stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Answered);
}

describe('predict', () => {
  it.each(['frozen', 'fixed', 'dynamic'])('gives the probabilities of the libraries, %s', async (method) => {
    const adapter = `out/adapters/${method}-seed1`;
    const expected = await directAnswers(adapter);
    const { code, stdout, stderr } = await place.warm(
      `predict ${adapter} ${pictures.join(' ')} --json --batch 4`,
    );
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const answers = answersOf(stdout);
    expect(answers.map(({ picture }) => picture)).toEqual(pictures);
    for (const [index, { probabilities, label }] of answers.entries()) {
      const [ofDisc = NaN, ofSquare = NaN] = expected[index]?.probabilities ?? [];
      expect(probabilities.disc).toBeCloseTo(ofDisc, 5);
      expect(probabilities.square).toBeCloseTo(ofSquare, 5);
      expect(label).toBe(ofDisc >= ofSquare ? 'disc' : 'square');
    }
  });

  it('takes paths from standard input, and writes class, probability and path', async () => {
    const { code, stdout } = await place.run('predict out/adapters/fixed-seed1', {
      input: pictures.join('\n'),
    });
    expect(code).toBe(0);
    const rows = stdout
      .trimEnd()
      .split('\n')
      .map((row) => row.split('\t'));
    expect(rows.map(([, , picture]) => picture)).toEqual(pictures);
    for (const [label, probability] of rows) {
      expect(label).toMatch(/^(disc|square)$/);
      expect(probability).toMatch(/^[01]\.\d{4}$/);
    }
  });

  it('stops at a bad picture after the answers before it, or answers it in place', async () => {
    const words = 'predict out/adapters/fixed-seed1 shapes/val/disc/0.svg broken.png shapes/val/disc/1.svg';
    const stopped = await place.run(words);
    expect(stopped.code).toBe(1);
    expect(stopped.stdout).toMatch(/^\w+\t[\d.]+\tshapes\/val\/disc\/0\.svg\n$/);
    expect(stopped.stderr.trimEnd().split('\n')).toHaveLength(1);
    expect(stopped.stderr).toContain("'broken.png'");
    const skipped = await place.warm(`${words} --on-bad-sample skip`);
    expect(skipped.code).toBe(0);
    expect(skipped.stdout.split('\n').map((row) => row.split('\t')[2] ?? '')).toEqual([
      'shapes/val/disc/0.svg',
      '',
      'shapes/val/disc/1.svg',
      '',
    ]);
    expect(skipped.stderr).toMatch(/bad pictures: 1 \(broken\.png: .*\)\n$/);
    const [, bad] = answersOf((await place.warm(`${words} --on-bad-sample skip --json`)).stdout);
    expect(bad).toMatchObject({ picture: 'broken.png', label: null, probabilities: null });
  });

  it.each([
    ['nowhere shapes/val/disc/0.svg', 'there is no such file'],
    ['out/adapters shapes/val/disc/0.svg', 'only the folders dynamic-seed1, fixed-seed1, frozen-seed1'],
    ['out/adapters/fixed-seed1 shapes', 'is not a file'],
    ['out/adapters/fixed-seed1 missing.png', 'missing.png'],
    ['out/adapters/fixed-seed1 shapes/val/disc/0.svg --backbone mini-bert', 'mini-bert'],
  ])('says in one line what is wrong: %s', async (words, part) => {
    const { code, stdout, stderr } = await place.warm(`predict ${words}`);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr.trimEnd().split('\n')).toHaveLength(1);
    expect(stderr).toContain(part);
    expect(stderr).not.toContain('unexpected error');
  });
});

describe('inspect', () => {
  it('shows what the plan of every picture chose', async () => {
    const adapter = 'out/adapters/dynamic-seed1';
    const expected = await directAnswers(adapter);
    const { code, stdout } = await place.run(`inspect ${adapter} ${pictures.join(' ')} --json`);
    expect(code).toBe(0);
    for (const [index, { prompt }] of answersOf(stdout).entries()) {
      const choices = expected[index]?.planned?.choices;
      expect(prompt.length).toBe(choices?.length[0]);
      expect(prompt.position.choice).toBe(choices?.position[0]);
      prompt.pool.forEach((weight, entry) => {
        expect(weight).toBeCloseTo(choices?.weights?.[entry] ?? NaN, 5);
      });
    }
  });

  it('draws it for people, without colours outside a terminal', async () => {
    const { stdout } = await place.warm('inspect out/adapters/fixed-seed1 shapes/val/disc/0.svg');
    expect(stdout).toContain('shapes/val/disc/0.svg\n  ‹p1 p2 p3 p4› patches\n');
    expect(stdout).toMatch(/length {6}4 of 4 tokens\n {2}prediction {2}\w+ 0\.\d{4} \(/);
    expect(stdout).not.toContain('\u001b');
  });
});
