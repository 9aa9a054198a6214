import { cp, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

import { miniBert } from '@dynaprompt/mini-models';
import type { TextExample } from '@dynaprompt/text';

import { directAnswers } from './direct-answers.test.fixture.js';
import { Workplace } from './program.test.fixture.js';

let place: Workplace;
const texts = ['a fine film', 'dull', 'a story that never ends, and is told twice', 'naïve 東京 😀', 'good'];

beforeAll(async () => {
  place = await Workplace.open();
  await place.train('--task sst2 --data . --methods frozen,fixed,p_tuning,deep,dynamic --output out');
  await place.train('--task sst2 --data . --methods fixed --head verbalizer --output words');
  await place.train('--task sst2 --data . --methods dynamic --compute int8 --output int8');
  await place.train('--task sst2,mr --data .,. --methods dynamic --output both');
  const pairs = [
    'sentence1\tsentence2\tlabel',
    'A cat sat.\tA cat.\tentailment',
    'A.\tB.\tnot_entailment',
    '',
  ];
  await mkdir(place.path('rte'));
  for (const name of ['train.tsv', 'dev.tsv']) await writeFile(place.path('rte', name), pairs.join('\n'));
  await place.train('--task rte --data rte --methods dynamic --output rte-out');
  await writeFile(place.path('films.txt'), `${texts.join('\n')}\n`);
}, 300_000);

afterAll(() => place.remove());

/** Objects of lines of JSON. */
function objectsOf(stdout: string): Record<string, unknown>[] {
  const lines = stdout.trimEnd().split('\n');
  return lines.map((line) => JSON.parse(line) as Record<string, unknown>);
}

async function expectDirect(
  adapter: string,
  stdout: string,
  examples: readonly TextExample[],
): Promise<void> {
  const objects = objectsOf(stdout);
  expect(objects).toHaveLength(examples.length);
  const expected = await directAnswers(place.path(adapter), examples);
  expected.forEach(({ probabilities }, index) => {
    const { label, probabilities: given, error, ...rest } = objects[index] ?? {};
    expect({ rest, error }).toEqual({ rest: examples[index], error: undefined });
    expect(Object.keys(given as object)).toEqual(Object.keys(probabilities));
    for (const [name, probability] of Object.entries(probabilities)) {
      expect((given as Record<string, number>)[name]).toBeCloseTo(probability, 5);
    }
    const [[best] = []] = Object.entries(probabilities).sort(([, left], [, right]) => right - left);
    expect(label).toBe(best);
  });
}

describe('predict', () => {
  it.each([
    'out/adapters/frozen-seed1',
    'out/adapters/fixed-seed1',
    'out/adapters/p_tuning-seed1',
    'out/adapters/deep-seed1',
    'out/adapters/dynamic-seed1',
    'words/adapters/fixed-seed1',
    'both/adapters/dynamic-seed1/mr',
    // Integer arithmetic scales the activations of a batch together.
    'int8/adapters/dynamic-seed1 --batch 1',
  ])('gives the probabilities of the libraries themselves, %s', async (words) => {
    const [adapter = '', ...flags] = words.split(' ');
    const program = ['predict', adapter, 'films.txt', '--json', '--batch', '3', ...flags];
    const { code, stdout, stderr } = await place.warm(program);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    await expectDirect(
      adapter,
      stdout,
      texts.map((text) => ({ text })),
    );
  });

  it('takes pairs', async () => {
    const adapter = 'rte-out/adapters/dynamic-seed1';
    const pairs = [
      { text: 'A cat sat on it.', pair: 'A cat sat.' },
      { text: 'Dogs | cats', pair: 'Cats' },
    ];
    for (const [separator, flag] of [
      ['\t', ''],
      ['||', ' --pair-separator ||'],
    ] as const) {
      const input = pairs.map(({ text, pair }) => `${text}${separator}${pair}`).join('\n');
      const { stdout } = await place.warm(`predict ${adapter} --json${flag}`, input);
      await expectDirect(adapter, stdout, pairs);
    }
  });

  it('writes label, probability and text of every line in order, and reads standard input', async () => {
    const adapter = 'out/adapters/dynamic-seed1';
    const { stdout, code } = await place.glue(`predict ${adapter} -`, texts.join('\r\n'));
    expect(code).toBe(0);
    const expected = (await directAnswers(place.path(adapter), [{ text: 'dull' }]))[0]?.probabilities ?? {};
    const rows = stdout.split('\n').map((row) => row.split('\t'));
    expect(rows.map(([, , text]) => text)).toEqual([...texts, undefined]);
    const [label = '', probability] = rows[1] ?? [];
    expect(probability).toMatch(/^[01]\.\d{4}$/);
    expect(Number(probability)).toBeCloseTo(expected[label] ?? NaN, 3);
    expect((await place.warm(`predict ${adapter}`)).stdout).toBe('');
  });

  it('answers while standard input is open', async () => {
    const run = place.start('predict', 'out/adapters/fixed-seed1', '--batch', '2');
    run.write('a fine film\n');
    expect(await run.lines(1)).toEqual([expect.stringMatching(/\ta fine film$/)]);
    run.write('one\ntwo\nthree\nhalf a li');
    expect(await run.lines(4)).toHaveLength(4);
    const { code, stdout } = await run.end('ne');
    expect(code).toBe(0);
    expect(stdout.trimEnd().split('\n').at(-1)).toMatch(/\thalf a line$/);
  });

  it('ends quietly when nobody reads on', async () => {
    const run = place.start('predict', 'out/adapters/fixed-seed1');
    run.write('a fine film\n');
    await run.lines(1);
    run.closeOutput();
    run.write('dull\n'.repeat(200));
    expect(await run.outcome()).toMatchObject({ code: 0, stderr: '' });
  });
});

describe('bad lines', () => {
  const bytes = Buffer.concat([Buffer.from('good\n \n'), Buffer.from([0xff, 0x0a]), Buffer.from('dull\n')]);

  it('stops at the first one, after the answers before it', async () => {
    const run = place.start('predict', 'out/adapters/fixed-seed1');
    run.write(bytes);
    const { code, stdout, stderr } = await run.outcome();
    expect(code).toBe(1);
    expect(stdout).toMatch(/^\w+\t[\d.]+\tgood\n$/);
    expect(stderr.trimEnd().split('\n')).toHaveLength(1);
    expect(stderr).toContain('standard input line 2: it is empty');
  });

  it('answers them in place when asked to', async () => {
    const adapter = 'out/adapters/fixed-seed1 --on-bad-line skip';
    const plain = await place.glue(`predict ${adapter}`, bytes);
    expect(plain.stdout.split('\n').map((row) => row.split('\t')[2] ?? '')).toEqual([
      'good',
      '',
      '',
      'dull',
      '',
    ]);
    expect(plain.code).toBe(0);
    expect(plain.stderr).toMatch(/: 2 \(line 2: .*; line 3: .*UTF-8\)\n$/);
    const [, empty, odd, dull] = objectsOf((await place.warm(`predict ${adapter} --json`, bytes)).stdout);
    expect(empty).toEqual({ text: ' ', label: null, probabilities: null, error: 'it is empty' });
    expect(odd).toMatchObject({ label: null, error: 'it is not UTF-8' });
    expect(dull).toMatchObject({ text: 'dull' });
    expect(dull).not.toHaveProperty('error');
  });
});

describe('bad input', () => {
  beforeAll(async () => {
    // The same model but for one weight.
    await cp(miniBert, place.path('other'), { recursive: true });
    const file = place.path('other', 'onnx', 'model.onnx');
    const model = await readFile(file);
    const middle = model.length >> 1;
    model[middle] = (model[middle] ?? 0) ^ 1;
    await writeFile(file, model);
    const rename = async (name: string, change: (description: string) => string): Promise<void> => {
      await cp(place.path('out', 'adapters', 'fixed-seed1'), place.path(name), { recursive: true });
      const path = join(place.path(name), 'dynamic_prompt.json');
      await writeFile(path, change(await readFile(path, 'utf8')));
    };
    await rename('stray', (text) => text.replaceAll('"mini-bert"', '"my-bert"'));
    await rename('odd-head', (text) => text.replace('"kind": "linear"', '"kind": "choices"'));
    await rename('torn', (text) => text.slice(0, 100));
  });

  it.each([
    ['nowhere films.txt', ['nowhere', 'there is no such file']],
    ['out/adapters films.txt', ['out/adapters', 'only the folders', 'fixed-seed1']],
    ['out/adapters/fine-tuning-seed1 films.txt', ['fine-tuned models are not saved']],
    ['torn films.txt', ['dynamic_prompt.json', 'it is no JSON']],
    ['odd-head films.txt', ['odd-head', 'choices', 'of the kinds that run saves']],
    ['stray films.txt', ['my-bert', '--backbone']],
    ['out/adapters/fixed-seed1 films.txt --backbone other', ['backbone other', 'its revision is']],
    ['out/adapters/fixed-seed1 films.txt --backbone ./nothing', ['./nothing', 'no such folder']],
    ['out/adapters/fixed-seed1 nothing.txt', ['nothing.txt', 'there is no such file']],
    ['out/adapters/fixed-seed1 out', ['out', 'it is a folder']],
    ['out/adapters/fixed-seed1 other/onnx/model.onnx', ['model.onnx line 1', 'UTF-8']],
    ['out/adapters/fixed-seed1 films.txt --pair-separator |', ['--pair-separator', 'single texts']],
    ['out/adapters/fixed-seed1 films.txt --batch 0', ['--batch']],
    ['rte-out/adapters/dynamic-seed1 films.txt', ['films.txt line 1', 'a pair']],
  ])('says in one line what is wrong: %s', async (words, parts) => {
    const { code, stdout, stderr } = await place.warm(`predict ${words}`);
    expect(stderr.trimEnd().split('\n')).toHaveLength(1);
    for (const part of parts) expect(stderr).toContain(part);
    expect(stderr).not.toContain('unexpected error');
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
  });

  it('takes the backbone that is named, and another export where that is asked for', async () => {
    const named = await place.warm(`predict stray films.txt --backbone ${miniBert}`);
    expect(named).toMatchObject({ code: 0, stderr: '' });
    expect((await place.warm('predict out/adapters/fixed-seed1 films.txt')).stdout).toBe(named.stdout);
    const other = 'predict out/adapters/fixed-seed1 films.txt --backbone other --any-revision';
    expect(await place.warm(other)).toMatchObject({ code: 0, stderr: '' });
  });
});
