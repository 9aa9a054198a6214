import { beforeAll, describe, expect, it } from '@jest/globals';

import { DataError, type FrozenBackbone, selectBackend, stream } from '@dynaprompt/core';

import { FeatureCache } from '../features/features.js';
import { ToyBackbone, type ToyExample } from '../testing/toy-backbone.test.fixture.js';
import { options } from '../testing/toy-run.test.fixture.js';
import { toyTask } from '../testing/toy-task.test.fixture.js';
import { evaluate } from './evaluate.js';
import type { TrainingExample } from './options.js';
import { ProbeLearner } from './probe-learner.js';
import { trainPrompt } from './train-prompt.js';

const width = 24;
const range = [-2, 6] as const;

/** Pearson correlation by its definition. */
function pearson(left: ArrayLike<number>, right: ArrayLike<number>): number {
  const centred = (values: ArrayLike<number>): number[] => {
    const all = Array.from(values);
    const mean = all.reduce((sum, value) => sum + value, 0) / all.length;
    return all.map((value) => value - mean);
  };
  const [first, second] = [centred(left), centred(right)];
  const product = (one: number[], other: number[]): number =>
    one.reduce((sum, value, index) => sum + value * (other[index] ?? 0), 0);
  return product(first, second) / Math.sqrt(product(first, first) * product(second, second));
}

/** The examples of the toy task; the answer is the share of tokens of the upper half, within the range. */
function shares(count: number, seed: number): readonly TrainingExample<ToyExample>[] {
  return toyTask(count, seed).map(({ id, example }) => {
    const upper = example.filter((token) => token >= 6).length;
    return { id, example, label: 0, target: -2 + (8 * upper) / example.length };
  });
}

/** Checks gradients of a probe's head against differences of a loss that is computed by other means. */
async function expectSlopes(
  probe: ProbeLearner<ToyExample>,
  batch: Parameters<ProbeLearner<ToyExample>['step']>[0],
  lossOf: (logits: Float32Array) => number,
): Promise<void> {
  const { loss, gradients } = await probe.step(batch);
  const here = async (): Promise<number> => lossOf((await probe.predict(batch.examples)).logits);
  expect(loss).toBeCloseTo(await here(), 5);
  for (const [name, { values }] of probe.parameters) {
    for (let index = 0; index < values.length; index++) {
      const own = values[index] ?? 0;
      values[index] = own + 0.01;
      const above = await here();
      values[index] = own - 0.01;
      const below = await here();
      values[index] = own;
      expect(gradients.get(name)?.[index]).toBeCloseTo((above - below) / 0.02, 3);
    }
  }
}

beforeAll(async () => {
  await selectBackend();
});

describe('a number', () => {
  const backbone = new ToyBackbone({ classes: 1, range, width });
  const examples = shares(40, 1);

  it('has the gradient of the squared error of a linear probe', async () => {
    const probe = new ProbeLearner(backbone, new FeatureCache(backbone, { folder: false }), 1);
    const some = examples.slice(0, 5);
    const targets = Float32Array.from(some, ({ target }) => target ?? NaN);
    const batch = { examples: some.map(({ example }) => example), labels: new Int32Array(5), targets };
    await expectSlopes(probe, batch, (numbers) =>
      numbers.reduce((sum, number, row) => sum + ((number - (targets[row] ?? NaN)) / 8) ** 2 / 5, 0),
    );
  });

  it.each(['linear-probe', 'fixed', 'dynamic'] as const)('is learned by %s', async (method) => {
    const result = await trainPrompt({
      ...options(backbone, method, { steps: 200 }),
      train: shares(64, 1),
      validation: shares(60, 2),
      metric: pearson,
    });
    expect(result.final).toBeGreaterThan(0.8);
    expect(result.best).toBeGreaterThanOrEqual(result.final);
    const { predictions, logits, score } = result.evaluation;
    expect(predictions).toEqual(logits);
    const targets = shares(60, 2).map(({ target }) => target ?? NaN);
    expect(score).toBe(pearson(predictions, targets));
    // In the units of the data, and not only in proportion to it.
    const errors = targets.map((target, row) => ((predictions[row] ?? NaN) - target) ** 2);
    expect(errors.reduce((sum, error) => sum + error, 0) / errors.length).toBeLessThan(2.5);
  });

  it('is the same however a batch is cut', async () => {
    const run = (batch: number, accumulation: number): ReturnType<typeof trainPrompt<ToyExample>> =>
      trainPrompt({
        ...options(backbone, 'fixed', { steps: 3, batch, accumulation }),
        train: examples,
        validation: examples,
        metric: pearson,
      });
    const [whole, parts] = [await run(8, 1), await run(2, 4)];
    whole.loss.forEach(({ value }, step) => {
      expect(value).toBeCloseTo(parts.loss[step]?.value ?? NaN, 5);
    });
  });

  it.each([undefined, NaN])('has to be there: %p', async (target) => {
    const broken = [...examples.slice(0, 3), { id: 'x', example: [1], label: 0, target }];
    const training = trainPrompt({ ...options(backbone, 'fixed'), train: broken, validation: examples });
    await expect(training).rejects.toThrow(/training example x: its target .* is no number/);
    await expect(training).rejects.toBeInstanceOf(DataError);
  });
});

describe('candidates', () => {
  const toy = new ToyBackbone({ classes: 1, width });
  /** Every token of an example is a candidate: the token twice. */
  const candidates = new Map<ToyExample, readonly ToyExample[]>();
  const candidatesOf = (example: ToyExample): readonly ToyExample[] => {
    const own = candidates.get(example) ?? example.map((token) => [token, token]);
    candidates.set(example, own);
    return own;
  };
  const backbone: FrozenBackbone<ToyExample> = {
    description: toy.description,
    width,
    classes: 4,
    candidatesOf,
    initialHead: (seed) => toy.initialHead(seed),
    promptRows: (count, offset) => toy.promptRows(count, offset),
    features: (examples) => toy.features(examples),
    pooled: (examples) => toy.pooled(examples),
    predict: (examples, plan, head) => toy.predict(examples, plan, head),
    differentiate: (batch, plan, head, request) => toy.differentiate(batch, plan, head, request),
    lengthOf: (example) => example.length,
    identify: (example) => example.join(' '),
    release: () => Promise.resolve(),
  };
  const random = stream(3, 'candidates');
  /** The right candidate is the largest token. */
  const examples = Array.from({ length: 60 }, (_, index) => {
    const tokens = [...new Set(Array.from({ length: 1 + (index % 4) }, () => random.integer(12)))];
    return { id: `${index}`, example: tokens, label: tokens.indexOf(Math.max(...tokens)) };
  });

  it('have the gradient of the cross-entropy over those of each example', async () => {
    const probe = new ProbeLearner(backbone, new FeatureCache(backbone, { folder: false }), 1);
    const some = examples.slice(0, 6);
    const batch = {
      examples: some.map(({ example }) => example),
      labels: Int32Array.from(some, ({ label }) => label),
    };
    await expectSlopes(probe, batch, (logits) => {
      const losses = some.map(({ example, label }, row) => {
        const scores = logits.subarray(row * 4, row * 4 + example.length);
        const total = scores.reduce((sum, score) => sum + Math.exp(score), 0);
        return Math.log(total) - (scores[label] ?? NaN);
      });
      return losses.reduce((sum, loss) => sum + loss, 0) / losses.length;
    });
    const { logits } = await probe.predict(batch.examples);
    some.forEach(({ example }, row) => {
      expect(logits.subarray(row * 4 + example.length, (row + 1) * 4).every((logit) => logit < -1e8)).toBe(
        true,
      );
    });
  });

  it('are learned by a linear probe, one layer for all', async () => {
    const result = await trainPrompt({
      ...options(toy, 'linear-probe', { steps: 200 }),
      backbone,
      features: new FeatureCache(backbone, { folder: false }),
      train: examples,
      validation: examples,
    });
    expect(result.trainableParameters).toBe(width + 1);
    expect(result.final).toBeGreaterThan(0.85);
  });

  it('that are right too count as right', async () => {
    const learner = {
      predict: () => Promise.resolve({ logits: Float32Array.of(0, 5, 1, -1e9), choices: undefined }),
      choiceSpace: undefined,
    };
    const [only] = [{ id: 'a', example: [1, 2, 3], label: 0 }];
    const score = async (alsoRight: readonly number[] | undefined): Promise<number> => {
      const given = [{ ...only, id: 'a', example: [1, 2, 3], label: 0, alsoRight }];
      const { metric } = options(toy, 'fixed');
      return (await evaluate({ backbone, learner, examples: given, metric, batch: 1 })).score;
    };
    expect([await score(undefined), await score([2]), await score([1])]).toEqual([0, 0, 1]);
  });

  it('are as many as an example has', async () => {
    const broken = [...examples.slice(0, 3), { id: 'x', example: [1, 2], label: 2 }];
    const training = trainPrompt({
      ...options(toy, 'linear-probe'),
      backbone,
      train: broken,
      validation: examples,
    });
    await expect(training).rejects.toThrow(/training example x: its label 2 is not one of its 2 candidates/);
  });
});
