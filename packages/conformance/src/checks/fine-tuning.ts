import { nullThrows, sizeOf, type ParameterSet } from '@dynaprompt/core';
import { along, distance, sizeOfValues } from '../numbers.js';
import { checkSlope } from '../slope.js';
import type { Check } from './check.js';

/** Weights whose gradients are compared: the largest, the smallest, and some between. */
const COMPARED = 3;

/** The model's own weights as parameters. */
export const fineTuning: Check = {
  title: 'can be fine-tuned: the same logits, and gradients of its weights',
  applies: ({ capabilities }) => capabilities.fineTuning,
  async run(subject) {
    const { backbone, batch, head } = subject;
    const make = backbone.fineTuning?.bind(backbone);
    if (!make)
      throw subject.broken(
        'fineTuning',
        'it is declared and missing',
        'fineTuning is there where a backbone can',
      );
    const before = await subject.predict();
    const tuning = await make();
    try {
      const weights = tuning.initialWeights();
      const odd = [...weights].find(([, { shape, values }]) => values.length !== sizeOf(shape));
      if (weights.size === 0 || odd)
        throw subject.broken(
          'initialWeights',
          odd ? `${odd[0]} has not the size of its shape` : 'there are none',
          'every weight that logits depend on, with its values',
        );
      const logits = await tuning.predict(batch.examples, weights, head);
      const apart = distance(logits, before);
      if (!(apart <= subject.tolerances.logits * sizeOfValues(before)))
        throw subject.broken(
          'fineTuning, predict',
          `with the pretrained weights its logits are ${apart.toPrecision(3)} from those of the backbone`,
          'a copy starts as the backbone is',
        );
      const step = await tuning.differentiate(batch, weights, head);
      const expected = subject.lossOf(step.logits);
      if (!(Math.abs(step.loss - expected) <= 1e-5 * (1 + Math.abs(expected))))
        throw subject.broken(
          'fineTuning, differentiate',
          `its loss is ${step.loss.toPrecision(7)}, that of its logits ${expected.toPrecision(7)}`,
          'the loss is that of the frozen backbone',
        );
      for (const name of someOf(weights)) {
        const { shape, values } = nullThrows(weights.get(name), name);
        await checkSlope(subject, {
          what: `weight ${name}`,
          gradient: step.weights.get(name) ?? new Float32Array(),
          values,
          random: 1,
          loss: async (direction, part) => {
            const changed = new Map(weights).set(name, { shape, values: along(values, direction, part) });
            return subject.lossOf(await tuning.predict(batch.examples, changed, head));
          },
        });
      }
    } finally {
      await tuning.release();
    }
    if (distance(await subject.predict(), before) !== 0)
      throw subject.broken(
        'predict',
        'its logits are others after a copy was trained',
        'the backbone itself stays frozen',
      );
  },
};

/** Names of weights by size, evenly spaced. */
function someOf(weights: ParameterSet): readonly string[] {
  const names = [...weights.keys()].sort((left, right) => extent(weights, left) - extent(weights, right));
  const count = Math.min(COMPARED, names.length);
  return Array.from({ length: count }, (_, index) =>
    nullThrows(
      names[Math.round((index * (names.length - 1)) / Math.max(1, count - 1))],
      'there is such a weight',
    ),
  );
}

function extent(weights: ParameterSet, name: string): number {
  return weights.get(name)?.values.length ?? 0;
}
