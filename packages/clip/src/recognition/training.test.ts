import { beforeAll, expect, it } from '@jest/globals';
import { selectBackend } from '@dynaprompt/core';
import { miniClip } from '@dynaprompt/mini-models';
import { FeatureCache, trainPrompt } from '@dynaprompt/training';
import { clipPreset, type ClipPresetName } from '../presets.js';
import { picture } from '../testing/pictures.js';
import { openClip } from './open-clip.js';
import { openClipProbe } from './open-clip-probe.js';

const classNames = ['a dark picture', 'a bright picture'];
const data = Array.from({ length: 12 }, (_, index) => {
  const example = picture(`${index}`, 64, index % 2);
  return { id: example.id, example, label: index % 2 };
});
const accuracy = (predicted: ArrayLike<number>, expected: ArrayLike<number>): number =>
  Array.from(predicted).filter((label, index) => label === expected[index]).length / expected.length;

beforeAll(async () => {
  await selectBackend();
});

const dynamic = { position: { level: 'task' }, length: { level: 'task' } } as const;
const cases: readonly (readonly [ClipPresetName, Parameters<typeof clipPreset>[1]])[] = [
  ['coop', { slots: 3, ...dynamic }],
  ['cocoop', { slots: 2, position: { level: 'instance' } }],
  ['vpt', { slots: 4, position: { level: 'instance' } }],
  ['maple', { slots: 2, layers: 2, ...dynamic }],
  ['ivlp', { slots: 2 }],
];

it.each(cases)('%s %j: a few steps lower the loss', async (name, overrides) => {
  const { configuration, ...options } = clipPreset(name, overrides);
  const backbone = await openClip(miniClip, { classNames, threads: 2, ...options });
  const losses: number[] = [];
  const result = await trainPrompt({
    backbone,
    train: data,
    validation: data.slice(0, 4),
    metric: accuracy,
    method: { name, configuration },
    seed: 1,
    steps: 10,
    batch: 12,
    learningRates: { prompt: 0.05, networks: 0.02, head: 0.005 },
    evaluateEvery: 10,
    features: new FeatureCache(backbone, { folder: false }),
    events: (event) => {
      if (event.type === 'step') losses.push(event.loss);
    },
  });
  await backbone.release();
  expect(losses).toHaveLength(10);
  expect(Math.min(...losses.slice(-3))).toBeLessThan(0.8 * (losses[0] ?? NaN));
  expect(result.evaluation.logits).toHaveLength(4 * classNames.length);
});

it('a linear probe is trained on the embeddings alone', async () => {
  const backbone = await openClipProbe(miniClip, { classNames, threads: 2 });
  const result = await trainPrompt({
    backbone,
    train: data,
    validation: data,
    metric: accuracy,
    method: 'linear-probe',
    seed: 1,
    steps: 60,
    batch: 12,
    learningRates: { head: 0.1 },
    features: new FeatureCache(backbone, { folder: false }),
  });
  expect(result.final).toBe(1);
  await expect(backbone.promptRows(1, 0)).rejects.toThrow('takes no prompt');
  await backbone.release();
});
