import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { selectBackend, type FrozenBackbone } from '@dynaprompt/core';
import { miniClip } from '@dynaprompt/mini-models';
import {
  adapterOf,
  FeatureCache,
  loadAdapter,
  restorePrompt,
  saveAdapter,
  trainPrompt,
  type TrainingExample,
} from '@dynaprompt/training';
import type { VisionExample } from '@dynaprompt/vision';
import { clipPreset, type ClipPresetName } from '../presets.js';
import { picture } from '../testing/pictures.js';
import { openClip } from './open-clip.js';
import { openClipProbe } from './open-clip-probe.js';

const classNames = ['a first kind', 'a second kind'];
/** Pictures in turn reddish and bluish, of any brightness and with noise. */
function labelled(name: string, count: number): readonly TrainingExample<VisionExample>[] {
  return Array.from({ length: count }, (_, index) => {
    const { id, image } = picture(`${name} ${index}`);
    if (image.kind !== 'pixels') throw new Error('pictures are pixels');
    const weak = index % 2 === 0 ? 2 : 0;
    const data = image.data.map((value, at) => (at % 3 === weak ? value / 3 : value));
    return { id, example: { id, image: { ...image, data } }, label: index % 2 };
  });
}

const data = labelled('seen', 12);
const unseen = labelled('unseen', 8);
const accuracy = (predicted: ArrayLike<number>, expected: ArrayLike<number>): number =>
  Array.from(predicted).filter((label, index) => label === expected[index]).length / expected.length;

const folder = mkdtempSync(join(tmpdir(), 'dynaprompt-clip-'));

beforeAll(async () => {
  await selectBackend();
});
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

const dynamic = { position: { level: 'task' }, length: { level: 'task' } } as const;
const instance = { position: { level: 'instance' }, length: { level: 'instance' } } as const;
/** Steps and pictures. A shared context of the class names alone needs the most steps, coupled towers the most pictures. */
const cases: readonly (readonly [ClipPresetName, number, number, Parameters<typeof clipPreset>[1]])[] = [
  ['coop', 60, 6, { slots: 3, ...dynamic }],
  ['cocoop', 12, 6, { slots: 2, ...instance }],
  ['vpt', 12, 6, { slots: 4, ...instance, representation: { kind: 'select', pool: 2 } }],
  ['maple', 12, 12, { slots: 2, layers: 2, ...dynamic }],
  ['ivlp', 12, 12, { slots: 2, layers: 2, ...dynamic }],
];

describe.each(cases)('%s in %d steps on %d pictures %j', (name, steps, pictures, overrides) => {
  const { configuration, ...options } = clipPreset(name, overrides);
  const open = (): Promise<FrozenBackbone<VisionExample>> =>
    openClip(miniClip, { classNames, threads: 2, ...options });

  it('learns what unseen pictures show, and answers with the same bits from its adapter', async () => {
    const backbone = await open();
    const losses: number[] = [];
    const result = await trainPrompt({
      backbone,
      train: data.slice(0, pictures),
      validation: unseen,
      metric: accuracy,
      method: { name, configuration },
      seed: 1,
      steps,
      batch: pictures,
      learningRates: { prompt: 0.05, networks: 0.02, head: 0.005 },
      evaluateEvery: steps,
      features: new FeatureCache(backbone, { folder: false }),
      events: (event) => {
        if (event.type === 'step') losses.push(event.loss);
      },
    });
    expect(Math.min(...losses.slice(-3))).toBeLessThan(0.8 * (losses[0] ?? NaN));
    expect(result.final).toBeGreaterThanOrEqual(0.75);

    const context = { backbone, head: { kind: 'contrastive' }, task: { name: 'bright', metric: 'accuracy' } };
    await saveAdapter(join(folder, name), adapterOf(result, context));
    await backbone.release();
    const again = await open();
    const loaded = await loadAdapter(join(folder, name), { backbone: again });
    const prompt = await restorePrompt(loaded);
    const examples = unseen.map(({ example }) => example);
    const { plan } = prompt.plan(await again.features(examples), examples.length, { training: false });
    const logits = await again.predict(examples, plan, loaded.parameters.head);
    await again.release();
    expect(logits).toEqual(result.evaluation.logits);
  });
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
    batch: data.length,
    learningRates: { head: 0.1 },
    features: new FeatureCache(backbone, { folder: false }),
  });
  expect(result.final).toBe(1);
  await expect(backbone.promptRows(1, 0)).rejects.toThrow('takes no prompt');
  await backbone.release();
});
