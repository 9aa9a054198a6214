import { expect, it } from '@jest/globals';
import { miniClip } from '@dynaprompt/mini-models';
import { picture } from '../testing/pictures.js';
import { openVqa, openVqaProbe } from './open-vqa.js';
import type { VqaOptions } from './vqa-options.js';

const answers = ['yes', 'no'];
const example = { ...picture('a', 10, 3), question: 'what is this?' };
const words = ['what', 'is', 'this', '?'];
const layout = (content: number) => ({ before: 1, content, after: 1 });

async function textsOf(options: Omit<VqaOptions, 'reserve'>) {
  const backbone = await openVqa(miniClip, { ...options, reserve: 2, threads: 1 });
  const texts = backbone.textsOf(example);
  await backbone.release();
  return texts;
}

it('spells the question, or the statement of every answer', async () => {
  const question = { tokens: ['[CLS]', ...words, '[SEP]'], layout: layout(4) };
  const classification = { kind: 'classification', answers } as const;
  expect(await textsOf({ head: classification })).toEqual([question]);
  expect(await textsOf({ head: classification, use: 'image', prompts: 'vision' })).toEqual([]);
  expect(await textsOf({ head: { kind: 'candidates', answers } })).toEqual(
    answers.map((answer) => ({ tokens: ['[CLS]', ...words, answer, '[SEP]'], layout: layout(5) })),
  );
  const probe = await openVqaProbe(miniClip, { answers, threads: 1 });
  expect(probe.textsOf(example)).toEqual([question]);
  await probe.release();
});

it('leaves the question out of statements whose template does not have it', async () => {
  const head = { kind: 'candidates', answers, template: '{answer}' } as const;
  expect(await textsOf({ head })).toEqual(
    answers.map((answer) => ({ tokens: ['[CLS]', answer, '[SEP]'], layout: layout(1) })),
  );
});
