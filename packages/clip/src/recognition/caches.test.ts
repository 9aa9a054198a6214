import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import type { FrozenBackbone } from '@dynaprompt/core';
import { prepareGraph } from '@dynaprompt/onnx-autodiff';
import { miniClip } from '@dynaprompt/mini-models';
import { FeatureCache } from '@dynaprompt/training';
import { drawn, type VisionExample } from '@dynaprompt/vision';
import { distance } from '../testing/numbers.js';
import { pictures } from '../testing/pictures.js';
import { planOf, repeated } from '../testing/plans.js';
import { keepOutput } from '../towers/single-tower.js';
import { openClip, type ClipOptions } from './open-clip.js';

const classNames = ['cat', 'flag', 'tree'];
const examples = pictures(3);
const labels = Int32Array.of(0, 1, 2);
const options: ClipOptions = { classNames, reserve: 2, threads: 1 };

it('what is known changes no bit: of embeddings of images, of classes, and of steps on them', async () => {
  const [kept, forgetful] = await Promise.all([
    openClip(miniClip, options),
    openClip(miniClip, { ...options, embeddingBytes: 0 }),
  ]);
  const row = planOf({ batch: 1, slots: 2, width: kept.width });
  const three = planOf({ batch: 3, slots: 2, width: kept.width });
  const plan = { ...three, prompts: repeated(three.prompts, 3) };
  const first = await kept.predict(examples, plan, new Map());
  // Another prompt in between, and the examples in another company.
  await kept.predict(examples, { ...plan, prompts: plan.prompts.map((value) => 2 * value) }, new Map());
  await kept.predict(examples.slice(1, 2), row, new Map());
  expect(await kept.predict(examples, plan, new Map())).toEqual(first);
  expect(await forgetful.predict(examples, plan, new Map())).toEqual(first);
  const request = { position: true, gates: false };
  const [known, unknown] = [
    await kept.differentiate({ examples, labels }, plan, new Map(), request),
    await forgetful.differentiate({ examples, labels }, plan, new Map(), request),
  ];
  expect(known).toEqual(unknown);
  expect(await kept.features(examples)).toEqual(await forgetful.features(examples));
  await kept.release();
  await forgetful.release();
  await expect(kept.predict(examples, plan, new Map())).rejects.toThrow('was released');
});

it('a prompt that an optimiser wrote over is another prompt', async () => {
  const backbone = await openClip(miniClip, options);
  const plan = planOf({ batch: 1, slots: 2, width: backbone.width });
  const before = await backbone.predict(examples.slice(0, 1), plan, new Map());
  plan.prompts[0] = 3;
  expect(distance(await backbone.predict(examples.slice(0, 1), plan, new Map()), before)).toBeGreaterThan(
    1e-4,
  );
  await backbone.release();
});

it('embeddings of images that are kept on disk are not computed again, and augmented ones are', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'clip-'));
  const plain = await openClip(miniClip, options);
  const expected = await plain.predict(examples, undefined, new Map());
  const tower: FrozenBackbone<VisionExample>[] = [];
  const first = await openClip(miniClip, {
    ...options,
    imageCache: (images) => {
      tower.push(images);
      return new FeatureCache(images, { folder });
    },
  });
  expect(tower[0]?.width).toBe(128);
  expect(await first.predict(examples, undefined, new Map())).toEqual(expected);
  const refusing = (images: FrozenBackbone<VisionExample>): FeatureCache<VisionExample> =>
    new FeatureCache({ ...images, pooled: () => Promise.reject(new Error('computed')) }, { folder });
  const second = await openClip(miniClip, { ...options, imageCache: refusing, augmentation: { seed: 1 } });
  expect(await second.predict(examples, undefined, new Map())).toEqual(expected);
  await expect(second.predict(pictures(4), undefined, new Map())).rejects.toThrow('computed');
  // Pictures as a training step changes them are in no cache.
  const plan = planOf({ batch: 3, slots: 2, width: second.width });
  const batch = { labels, examples: examples.map((example, index) => drawn(example, { epoch: 1, index })) };
  const step = { ...plan, prompts: repeated(plan.prompts, 3) };
  const request = { position: false, gates: false };
  const { logits } = await second.differentiate(batch, step, new Map(), request);
  const unchanged = await second.differentiate({ examples, labels }, step, new Map(), request);
  expect(distance(logits, unchanged.logits)).toBeGreaterThan(1e-3);
  await Promise.all([plain, first, second].map((backbone) => backbone.release()));
  rmSync(folder, { recursive: true });
});

it('towers in files of their own give what the one file gives, save for a scale that they do not hold', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'clip-'));
  mkdirSync(join(folder, 'onnx'));
  for (const file of ['config.json', 'preprocessor_config.json', 'tokenizer.json', 'tokenizer_config.json'])
    symlinkSync(join(miniClip, file), join(folder, file));
  // Only weights are read from the whole file.
  symlinkSync(join(miniClip, 'onnx/model.onnx'), join(folder, 'onnx/model.onnx'));
  const whole = join(folder, 'onnx/model.onnx');
  for (const [name, output] of [
    ['text', 'text_embeds'],
    ['vision', 'image_embeds'],
  ] as const) {
    const graph = prepareGraph(whole);
    keepOutput(graph, output);
    writeFileSync(join(folder, `onnx/${name}_model.onnx`), graph.serialize());
  }
  const one = await openClip(miniClip, { ...options, prompts: 'both' });
  const two = await openClip(folder, { ...options, prompts: 'both', logitScale: 2.778517007827759 });
  const made = planOf({ batch: 3, slots: 2, width: one.width });
  const plan = { ...made, prompts: repeated(made.prompts, 3) };
  const head = one.initialHead(1);
  const request = { position: true, gates: false };
  const [expected, step] = [
    await one.differentiate({ examples, labels }, plan, head, request),
    await two.differentiate({ examples, labels }, plan, head, request),
  ];
  expect(distance(step.logits, expected.logits)).toBeLessThan(1e-5);
  expect(distance(step.plan.prompts, expected.plan.prompts)).toBeLessThan(1e-4);
  const unscaled = await openClip(folder, options);
  const [hot, own] = [
    await unscaled.predict(examples, undefined, new Map()),
    await one.predict(examples, undefined, new Map()),
  ];
  expect((hot[0] ?? NaN) / (own[0] ?? NaN)).toBeCloseTo(100 / Math.exp(2.778517007827759), 3);
  await Promise.all([one, two, unscaled].map((backbone) => backbone.release()));
  rmSync(folder, { recursive: true });
});

it.each<[Partial<ClipOptions>, string]>([
  [{ classNames: ['cat'] }, 'at least two'],
  [{ classNames: ['cat', 'cat'] }, 'a name of its own'],
  [{ template: 'a photo' }, '{class} has to stand in it once'],
  [{ classNames: ['cat', 'a '.repeat(40)] }, 'class "a a'],
  [{ reserve: 30 }, '30 slots leave 2 of 32 tokens'],
  [{ reserve: -1 }, 'prompt slots'],
  [{ prompts: 'both', layers: 9 }, 'the towers have 4 layers'],
  [{ prompts: 'text', coupling: 'linear' }, "Open the backbone with prompts 'both'"],
  [{ prompts: 'text', layers: 2 }, 'only couplings have a number of layers'],
])('refuses %j', async (wrong, message) => {
  await expect(openClip(miniClip, { ...options, ...wrong })).rejects.toThrow(message);
});

it('refuses a plan of other layers than are coupled, a wrong label, and another family', async () => {
  const backbone = await openClip(miniClip, { ...options, prompts: 'both', layers: 2 });
  const plan = planOf({ batch: 3, slots: 2, width: backbone.width });
  const head = backbone.initialHead(1);
  await expect(backbone.predict(examples, plan, head)).rejects.toThrow('Open the backbone with layers: 1');
  const deep = planOf({ batch: 3, slots: 2, width: backbone.width, deep: 1 });
  const batch = { examples, labels: Int32Array.of(0, 1, 3) };
  const request = { position: false, gates: false };
  await expect(backbone.differentiate(batch, deep, head, request)).rejects.toThrow('label 3');
  await backbone.release();
  const other = join(miniClip, '..', 'mini-bert');
  await expect(openClip(other, options)).rejects.toThrow('mini-bert');
});
