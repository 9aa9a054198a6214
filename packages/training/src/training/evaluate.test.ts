import { describe, expect, it } from '@jest/globals';

import { evaluate } from './evaluate.js';
import type { TrainingExample } from './options.js';

const classes = 3;
/** Says these classes. */
const said = [0, 1, 2, 1];

function evaluation(examples: readonly Partial<TrainingExample<number>>[]) {
  const earned: number[] = [];
  const asked = examples.map((example, index) => ({ id: `${index}`, example: index, label: 0, ...example }));
  const result = evaluate<number>({
    backbone: { classes, lengthOf: () => 1 },
    learner: {
      choiceSpace: undefined,
      predict: (batch) =>
        Promise.resolve({
          logits: Float32Array.from(
            batch.flatMap((index) => [0, 1, 2].map((label) => Number(label === said[index]))),
          ),
          choices: undefined,
        }),
    },
    examples: asked,
    metric: (_predicted, _expected, credits) => {
      earned.push(...Array.from(credits));
      return earned.reduce((sum, credit) => sum + credit, 0) / earned.length;
    },
    batch: 2,
  });
  return result.then(({ score }) => ({ score, earned }));
}

describe('credits', () => {
  it('are what each answer earns, nothing for those that are not named', async () => {
    const credits = new Map([
      [0, 0.3],
      [1, 0.9],
    ]);
    expect(await evaluation([{ credits }, { credits }, { credits }, { credits: new Map() }])).toEqual({
      score: (0.3 + 0.9) / 4,
      earned: [0.3, 0.9, 0, 0],
    });
  });

  it('are all or nothing where examples say no more, other right answers among them', async () => {
    const { earned } = await evaluation([{}, {}, { label: 2 }, { alsoRight: [1] }]);
    expect(earned).toEqual([1, 0, 1, 1]);
  });
});
