import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { selectBackend, stream, type FrozenBackbone, type ImageExample } from '@dynaprompt/core';
import { miniClip } from '@dynaprompt/mini-models';
import {
  FeatureCache,
  methodNamed,
  trainPrompt,
  type TrainingExample,
  type TrainingResult,
} from '@dynaprompt/training';
import { drawn, type VisionExample } from './backbone/example.js';
import { openVisionBackbone } from './open-vision-backbone.js';
import { temporaryFolder, VISION_MODELS, writeFixture } from './testing/fixture-folders.js';

const { folder, remove } = temporaryFolder();
beforeAll(async () => {
  await selectBackend();
});
afterAll(remove);

/** Discs of a class's colour, of any size and place, on noise. */
function coloured(count: number, seed: number, side: number): readonly TrainingExample<VisionExample>[] {
  const random = stream(seed, 'coloured pictures');
  return Array.from({ length: count }, (_, index) => {
    const label = index % 3;
    const radius = side * (0.2 + 0.2 * random.uniform());
    const [x, y] = [side * (0.3 + 0.4 * random.uniform()), side * (0.3 + 0.4 * random.uniform())];
    const data = new Uint8Array(side * side * 3).map((_value, at) => {
      const [pixel, channel] = [Math.floor(at / 3), at % 3];
      const isInside = Math.hypot((pixel % side) - x, Math.floor(pixel / side) - y) < radius;
      return isInside ? (channel === label ? 230 : 40) : 100 + random.integer(60);
    });
    const id = `disc ${index}`;
    const image: ImageExample['image'] = { kind: 'pixels', width: side, height: side, channels: 3, data };
    return { id, label, example: { id, image } };
  });
}

function accuracy(predicted: ArrayLike<number>, expected: ArrayLike<number>): number {
  return Array.from(predicted).filter((label, index) => label === expected[index]).length / expected.length;
}

function train(
  backbone: FrozenBackbone<VisionExample>,
  preset: 'dynamic' | 'deep',
  side: number,
  steps: number,
  isAugmented: boolean,
): Promise<TrainingResult> {
  return trainPrompt({
    backbone,
    train: coloured(12, 1, side),
    validation: coloured(6, 2, side),
    metric: accuracy,
    method: methodNamed(preset, { slots: 4 }),
    seed: 3,
    steps,
    batch: 4,
    features: new FeatureCache(backbone, { folder: false }),
    ...(isAugmented ? { augment: drawn } : {}),
  });
}

describe('trainPrompt', () => {
  it.each(['dynamic', 'deep'] as const)('teaches mini-clip colours with a %s prompt', async (preset) => {
    const backbone = await openVisionBackbone(miniClip, {
      reserve: 4,
      head: { kind: 'linear', classes: 3 },
    });
    const { loss, final } = await train(backbone, preset, 64, 18, false);
    const mean = (points: typeof loss): number =>
      points.reduce((sum, { value }) => sum + value, 0) / points.length;
    expect(mean(loss.slice(-3))).toBeLessThan(0.6 * mean(loss.slice(0, 3)));
    expect(final).toBeGreaterThan(0.6);
    await backbone.release();
  });

  it('gives the same parameters to the last bit for the same seed, others for augmented pictures', async () => {
    const location = writeFixture(join(folder, 'vit'), VISION_MODELS.vit);
    const run = async (isAugmented: boolean): Promise<Record<string, number[]>> => {
      const backbone = await openVisionBackbone(location, {
        threads: 1,
        reserve: 4,
        head: { kind: 'linear', classes: 3 },
        augmentation: { seed: 5, scale: [0.3, 1] },
      });
      const { parameters } = await train(backbone, 'dynamic', 32, 20, isAugmented);
      await backbone.release();
      return Object.fromEntries(
        [...parameters.prompt, ...parameters.head].map(([name, { values }]) => [name, [...values]]),
      );
    };
    const [first, plain] = [await run(true), await run(false)];
    expect(await run(true)).toEqual(first);
    expect(await run(false)).toEqual(plain);
    expect(first).not.toEqual(plain);
  });
});
