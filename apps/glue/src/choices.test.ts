import { mkdir, readFile, writeFile } from 'node:fs/promises';

import { afterAll, beforeAll, expect, it } from '@jest/globals';

import { selectBackend } from '@dynaprompt/core';
import { openTextBackbone } from '@dynaprompt/text';
import { loadAdapter, restorePrompt } from '@dynaprompt/training';

import { writeDecoder } from './decoder.test.fixture.js';
import { Workplace } from './predict/program.test.fixture.js';

const adapter = 'out/adapters/dynamic-seed1';
const questions = [
  { premise: 'it fell', choice1: 'it broke', choice2: 'it flew far away', question: 'effect', label: 0 },
  { premise: 'it flew', choice1: 'it fell', choice2: 'a man ran', question: 'cause', label: 1 },
  { premise: 'a man ran', choice1: 'it flew', choice2: 'it broke', question: 'effect', label: 1 },
  { premise: 'a man fell', choice1: 'it broke', choice2: 'a man flew away', question: 'cause', label: 0 },
];
const words = ['it', 'fell', 'broke', 'flew', 'far', 'away', 'a', 'man', 'ran', 'so', 'because'];
let place: Workplace;

beforeAll(async () => {
  place = await Workplace.open();
  await writeDecoder(place.path('gpt2'), words);
  await mkdir(place.path('COPA'));
  const rows = questions.map((question, idx) => JSON.stringify({ ...question, idx }));
  for (const name of ['train.jsonl', 'val.jsonl'])
    await writeFile(place.path('COPA', name), `${rows.join('\n')}\n`);
  const methods = '--methods frozen,fixed,dynamic --head verbalizer';
  await place.train(`--task copa --data COPA --backbone gpt2 ${methods} --output out`);
}, 120_000);
afterAll(() => place.remove());

it('scores choices by the language head of a decoder, without training the zero-shot', async () => {
  const { methods } = JSON.parse(await readFile(place.path('out', 'results.json'), 'utf8')) as {
    methods: Record<string, { final: number[]; trainableParameters: number }>;
  };
  expect(Object.keys(methods)).toEqual(['frozen', 'fixed', 'dynamic']);
  expect(methods.frozen?.trainableParameters).toBe(0);
  for (const { final } of Object.values(methods)) expect([0, 0.25, 0.5, 0.75, 1]).toContain(final[0]);
});

it('predicts the softmax of the log-likelihoods, in the candidates’ names', async () => {
  const input = 'it fell so\tit broke\tit flew far away\na man ran\tit flew\tit broke\n';
  const { code, stdout, stderr } = await place.warm(`predict ${adapter} --backbone gpt2 --json`, input);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  await selectBackend();
  const saved = await loadAdapter(place.path(adapter));
  expect(saved.head).toMatchObject({ kind: 'choices', classes: 2 });
  const prompt = await restorePrompt(saved);
  const head = { kind: 'choices', classes: 2, template: '{text}' } as const;
  const backbone = await openTextBackbone(place.path('gpt2'), { head, reserve: 4 });
  for (const [row, line] of stdout.trimEnd().split('\n').entries()) {
    const [text = '', ...choices] = input.split('\n')[row]?.split('\t') ?? [];
    const features = await backbone.features([{ text, choices }]);
    const { plan } = prompt.plan(features, 1, { training: false });
    const [first = NaN, second = NaN] = await backbone.predict([{ text, choices }], plan, new Map());
    const answer = JSON.parse(line) as { label: string; probabilities: Record<string, number> };
    expect(Object.keys(answer.probabilities)).toEqual(choices);
    expect(answer.probabilities[choices[0] ?? '']).toBeCloseTo(1 / (1 + Math.exp(second - first)), 5);
    expect(answer.label).toBe(choices[first > second ? 0 : 1]);
  }
  await backbone.release();
});

it('shows prompt and text of a choice', async () => {
  const words = ['inspect', adapter, '--backbone', 'gpt2', 'it fell so\tit broke\tit flew far away'];
  const { code, stdout } = await place.warm(words);
  expect(code).toBe(0);
  expect(stdout).toMatch(/‹p\d.*› ?.*\n/);
  expect(stdout).toMatch(/prediction {2}it (broke|flew far away) 0\.\d{4} \(it (broke|flew far away) /);
});
