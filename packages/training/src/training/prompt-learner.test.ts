import { beforeAll, describe, expect, it } from '@jest/globals';

import { type BackboneStep, type FrozenBackbone, parseConfiguration, selectBackend } from '@dynaprompt/core';

import { FeatureCache } from '../features/features.js';
import { ToyBackbone, type ToyExample } from '../testing/toy-backbone.test.fixture.js';
import { openPrompt, PromptLearner } from './prompt-learner.js';

const slots = 2;
const examples: readonly ToyExample[] = [[1, 2], [3, 4, 5], [6], [7, 8], [9, 1, 2], [3]];
const labels = Int32Array.of(0, 1, 0, 1, 0, 1);

/**
 * The toy with two layers more, in which a prompt pays Σ slope · prompt, with slopes of its own for every layer, slot and
 * column, weighted by the first token of the example.
 */
class DeepToy extends ToyBackbone {
  override readonly description = { ...new ToyBackbone().description, layers: 3 };

  override async differentiate(...given: Parameters<ToyBackbone['differentiate']>): Promise<BackboneStep> {
    const [batch, plan] = given;
    const answer = await super.differentiate(...given);
    if (plan.deep === undefined) return answer;
    const size = plan.deep.layers * plan.slots * plan.width;
    const count = batch.examples.length;
    const deep = plan.deep.prompts.map((_, index) => {
      const weight = batch.examples[Math.floor(index / size)]?.[0] ?? 0;
      return (weight * slopeOf(index % size)) / count;
    });
    const cost = deep.reduce((sum, slope, index) => sum + slope * (plan.deep?.prompts[index] ?? 0), 0);
    return { ...answer, loss: answer.loss + cost, plan: { ...answer.plan, deep } };
  }
}

function slopeOf(place: number): number {
  return Math.sin(1 + place);
}

async function learnerOf(backbone: FrozenBackbone<ToyExample>, configuration: object) {
  const features = new FeatureCache(backbone, { folder: false });
  const prompt = await openPrompt({
    backbone,
    configuration: parseConfiguration({ slots, ...configuration }),
    seed: 1,
    features: () => features.read('features', examples),
  });
  return new PromptLearner({ backbone, features, prompt, seed: 1 });
}

beforeAll(async () => {
  await selectBackend();
});

describe('PromptLearner', () => {
  it.each([6, 4, 1])('takes deep prompts through micro-batches of %d and back', async (microBatch) => {
    const learner = await learnerOf(new DeepToy(), { layers: 'all' });
    const context = { microBatch, step: 0, steps: 10 };
    const { gradients } = await learner.step({ examples, labels }, context);
    const gradient = gradients.get('representation.prompt') ?? new Float32Array();
    const layer = slots * 8;
    expect(gradient).toHaveLength(3 * layer);
    const weight = examples.reduce((sum, [first = 0]) => sum + first, 0) / examples.length;
    for (let place = 0; place < 2 * layer; place++) {
      expect(gradient[layer + place]).toBeCloseTo(weight * slopeOf(place), 4);
    }
  });

  it('adds penalty and balance to the objective, not to the loss it tells', async () => {
    const pool = { kind: 'select', pool: 3 };
    const step = async (configuration: object) => {
      const learner = await learnerOf(new ToyBackbone(), configuration);
      // Lets the pool lean to its first entry, so that there is an imbalance to pay for.
      learner.parameters.get('representation.bias')?.values.set([2, 0, 0]);
      return learner.step({ examples, labels }, { microBatch: 4, step: 0, steps: 10 });
    };
    const free = await step({ representation: pool });
    const balanced = await step({ representation: { ...pool, balance: 0.5 } });
    expect(free.penalty).toBe(0);
    expect(balanced.loss).toBe(free.loss);
    // Weights are softmax(2, 0, 0) for every example, as the weight matrix starts at zero: μ · 3 · Σ (w − 1/3)².
    const exponentials = [Math.exp(2), 1, 1];
    const total = Math.exp(2) + 2;
    const weights = exponentials.map((value) => value / total);
    const variation = 3 * weights.reduce((sum, value) => sum + (value - 1 / 3) ** 2, 0);
    expect(balanced.penalty).toBeCloseTo(0.5 * variation, 5);
    // d/dz_i of μ · 3 · Σ w² is μ · 6 · w_i (w_i − Σ w²).
    const squares = weights.reduce((sum, value) => sum + value * value, 0);
    weights.forEach((value, entry) => {
      const difference =
        (balanced.gradients.get('representation.bias')?.[entry] ?? NaN) -
        (free.gradients.get('representation.bias')?.[entry] ?? NaN);
      expect(difference).toBeCloseTo(0.5 * 6 * value * (value - squares), 4);
    });
  });
});
