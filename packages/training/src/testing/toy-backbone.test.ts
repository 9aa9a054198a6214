import { describe, expect, it } from '@jest/globals';

import type { ParameterSet, PromptPlan } from '@dynaprompt/core';

import { ToyBackbone } from './toy-backbone.test.fixture.js';
import { weights, weightStream } from './toy-network.test.fixture.js';

const slots = 3;
const width = 4;
const examples = [
  [1, 2, 3],
  [4, 5, 6, 7],
];
const labels = Int32Array.of(0, 2);
const backbone = new ToyBackbone({ width, classes: 3 });

function plan(changes: Partial<PromptPlan> = {}): PromptPlan {
  return {
    batch: 2,
    slots,
    width,
    prompts: Float32Array.from(weights(2 * slots * width, 1, weightStream(5))),
    position: { mode: 'split', candidates: slots + 1, choice: Int32Array.of(1, 3) },
    gates: Float32Array.of(1, 1, 0, 1, 1, 1),
    ...changes,
  };
}

function nudged(values: Float32Array, index: number, amount: number): Float32Array {
  return values.map((value, at) => (at === index ? value + amount : value));
}

async function slope(loss: (amount: number) => Promise<number>, amount = 1e-3): Promise<number> {
  return ((await loss(amount)) - (await loss(-amount))) / (2 * amount);
}

describe('ToyBackbone', () => {
  const head = backbone.initialHead(1);
  const lossOf = async (asked: PromptPlan, parameters: ParameterSet): Promise<number> =>
    (await backbone.differentiate({ examples, labels }, asked, parameters, { position: false, gates: false }))
      .loss;

  it.each(['split', 'insert'] as const)('has gradients equal to finite differences, %s', async (mode) => {
    const asked = plan({ position: { mode, candidates: slots + 1, choice: Int32Array.of(1, 3) } });
    const step = await backbone.differentiate({ examples, labels }, asked, head, {
      position: true,
      gates: true,
    });
    for (let index = 0; index < asked.prompts.length; index++) {
      const expected = await slope((amount) =>
        lossOf({ ...asked, prompts: nudged(asked.prompts, index, amount) }, head),
      );
      expect(step.plan.prompts[index]).toBeCloseTo(expected, 5);
    }
    const weight = head.get('head.weight');
    for (let index = 0; index < (weight?.values.length ?? 0); index++) {
      const expected = await slope((amount) =>
        lossOf(
          asked,
          new Map(head).set('head.weight', {
            shape: [3, width],
            values: nudged(weight?.values ?? new Float32Array(), index, amount),
          }),
        ),
      );
      expect(step.head.get('head.weight')?.[index]).toBeCloseTo(expected, 5);
    }
  });

  it('has gate gradients equal to finite differences', async () => {
    const gates = Float32Array.of(1, 0.8, 0.4, 1, 1, 0.2);
    const asked = plan({ gates });
    const step = await backbone.differentiate({ examples, labels }, asked, head, {
      position: false,
      gates: true,
    });
    for (let index = 0; index < gates.length; index++) {
      const expected = await slope((amount) =>
        lossOf({ ...asked, gates: nudged(gates, index, amount) }, head),
      );
      expect(step.plan.gates?.[index]).toBeCloseTo(expected, 5);
    }
  });

  it('has position gradients equal to the derivative of the mixture at the one-hot point', async () => {
    const asked = plan();
    const single = { examples: examples.slice(0, 1), labels: labels.slice(0, 1) };
    const step = await backbone.differentiate(single, asked, head, { position: true, gates: false });
    for (let candidate = 0; candidate <= slots; candidate++) {
      const expected = await slope((amount) => {
        const mixture = [0, 1, 0, 0].map((value, at) => (at === candidate ? value + amount : value));
        return Promise.resolve(backbone.mixtureLoss([1, 2, 3], 0, asked, head, mixture));
      });
      expect(step.plan.position?.[candidate]).toBeCloseTo(expected, 5);
    }
  });
});
