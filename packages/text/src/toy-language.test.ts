import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { preset, selectBackend } from '@dynaprompt/core';
import { openTextBackbone } from './open-text-backbone.js';
import { DECODERS, SEQ2SEQ, wordOf, writeFixture, type FixtureModel } from './testing/fixture-folders.js';
import { temporaryFolder } from './testing/folders.js';
import { crossEntropy } from './testing/numbers.js';
import { toyTexts, trainOnToy } from './testing/toy-language.js';

const SLOTS = 4;
const temporary = temporaryFolder();
beforeAll(async () => {
  await selectBackend();
});
afterAll(() => {
  temporary.remove();
});

/** With the loss to be reached on texts that were not trained on; T5's logits are small, for its output layer is scaled. */
const models: readonly (readonly [string, FixtureModel | undefined, number])[] = [
  ['gpt2', DECODERS.gpt2, 0.35],
  ['llama', DECODERS.llama, 0.35],
  ['t5', SEQ2SEQ.t5, 0.62],
  ['bart', SEQ2SEQ.bart, 0.35],
  ['mbart', SEQ2SEQ.mbart, 0.35],
];

it.each(models)('%s learns a toy language by a dynamic prompt', async (name, model, reached) => {
  if (!model) throw new Error('no such fixture');
  const folder = writeFixture(join(temporary.folder, name), model);
  const head = { kind: 'verbalizer', template: '{text} wbk', words: [wordOf(38), wordOf(39)] } as const;
  const backbone = await openTextBackbone(folder, { head, reserve: SLOTS, threads: 1 });
  const [own, others] = [toyTexts(1, 64), toyTexts(2, 64)];
  const untuned = await backbone.predict(others.examples, undefined, new Map());
  expect(crossEntropy(untuned, [...others.labels])).toBeGreaterThan(Math.LN2 - 0.01);
  const run = await trainOnToy(backbone, preset('dynamic', { slots: SLOTS }), own, {
    steps: 80,
    learningRate: 0.03,
  });
  const last = run.losses.slice(-10).reduce((sum, loss) => sum + loss / 10, 0);
  expect(last).toBeLessThan(0.8 * (run.losses[0] ?? 0));
  for (const texts of [own, others]) expect(await run.evaluate(texts)).toBeLessThan(reached);
  await backbone.release();
});
