import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { nullThrows, type ParameterSet } from '@dynaprompt/core';
import { openVisionBackbone } from '../open-vision-backbone.js';
import {
  pictureOf,
  temporaryFolder,
  VISION_MODELS,
  writeFixture,
  type FixtureModel,
} from '../testing/fixture-folders.js';
import { along, crossEntropy, derivative, distance, inner, normals } from '../testing/plans.js';

const examples = ['a', 'b', 'c'].map((name) => pictureOf(name));
const labels = [1, 0, 1];
const { folder, remove } = temporaryFolder();
afterAll(remove);

describe.each(Object.entries<FixtureModel>(VISION_MODELS))('fine-tuning of %s', (name, fixture) => {
  it('starts from the frozen model, and has the gradient that finite differences say', async () => {
    const location = writeFixture(join(folder, name), fixture);
    const backbone = await openVisionBackbone(location, {
      threads: 1,
      reserve: 2,
      head: { kind: 'linear', classes: 2 },
    });
    const tuning = nullThrows(await backbone.fineTuning?.(), 'it can be fine-tuned');
    const weights = tuning.initialWeights();
    const head = new Map(
      [...backbone.initialHead(1)].map(([key, { shape, values }]) => [
        key,
        { shape, values: normals(key, values.length, 0.4) },
      ]),
    );
    const frozen = await backbone.predict(examples, undefined, head);
    expect(distance(await tuning.predict(examples, weights, head), frozen)).toBeLessThan(1e-5);
    const step = await tuning.differentiate({ examples, labels: Int32Array.from(labels) }, weights, head);
    expect(Math.abs(step.loss - crossEntropy(frozen, labels))).toBeLessThan(1e-5);
    const kernel = [...weights].find(([, { shape }]) => shape.length === 4)?.[0];
    expect(kernel).toBeDefined();
    const groups = [[kernel ?? ''], [...weights.keys()].slice(0, 12), [...weights.keys()].slice(12)];
    for (const names of groups) {
      const directions = new Map(
        names.map((key) => [key, normals(key, weights.get(key)?.values.length ?? 0, 0.1)]),
      );
      const moved = (h: number): ParameterSet =>
        new Map(
          [...weights].map(([key, { shape, values }]) => {
            return [
              key,
              { shape, values: along(values, directions.get(key) ?? new Float32Array(values.length), h) },
            ];
          }),
        );
      const numeric = await derivative(
        async (h) => crossEntropy(await tuning.predict(examples, moved(h), head), labels),
        0.05,
      );
      const analytic = names.reduce(
        (sum, key) => sum + inner(step.weights.get(key) ?? [], directions.get(key) ?? []),
        0,
      );
      expect(Math.abs(analytic - numeric)).toBeLessThan(0.01 * Math.abs(numeric) + 5e-4);
    }
    await tuning.release();
    await backbone.release();
  });
});
