import { beforeAll, describe, expect, it } from '@jest/globals';

import { selectBackend } from '@dynaprompt/core';

import { NonFiniteLossError } from '../errors.js';
import type { TrainingEvent } from '../events.js';
import { FeatureCache } from '../features/features.js';
import { ToyBackbone, type ToyExample } from '../testing/toy-backbone.test.fixture.js';
import { options, small, train, validation, valuesOf } from '../testing/toy-run.test.fixture.js';
import { methodNamed } from './method.js';
import type { TrainingOptions } from './options.js';
import { trainPrompt } from './train-prompt.js';

beforeAll(async () => {
  await selectBackend();
});

describe('trainPrompt', () => {
  it.each(['frozen', 'fixed', 'dynamic', 'adap_pos', 'adap_ins_pos', 'adap_ins_length'] as const)(
    'learns a task with a trainable head, %s',
    async (name) => {
      const result = await trainPrompt(options(new ToyBackbone(), methodNamed(name, small), { steps: 120 }));
      const losses = result.loss.map((point) => point.value);
      const mean = (values: readonly number[]): number =>
        values.reduce((sum, value) => sum + value, 0) / values.length;
      expect(mean(losses.slice(-10))).toBeLessThan(0.7 * mean(losses.slice(0, 10)));
      expect(result.final).toBeGreaterThan(0.75);
      expect(result.best).toBeGreaterThanOrEqual(result.final);
    },
  );

  it('moves the prompt where only its place can tell the classes apart', async () => {
    const score = async (name: string): Promise<number> => {
      const backbone = new ToyBackbone({ head: 'fixed', positionScale: 3, seed: 4 });
      const method = methodNamed(name, { slots: 6 });
      return (await trainPrompt(options(backbone, method, { steps: 200, batch: 16 }))).final;
    };
    const fixed = await score('fixed');
    expect(await score('adap_ins_pos')).toBeGreaterThan(fixed + 0.15);
    expect(await score('dynamic')).toBeGreaterThan(fixed + 0.15);
  });

  it.each(['frozen', 'fixed', 'dynamic', 'fine-tuning'])(
    'gives bit-identical parameters for the same seed, %s',
    async (name) => {
      const run = async (seed: number) => {
        const result = await trainPrompt(options(new ToyBackbone(), methodNamed(name, small), { seed }));
        const { prompt, head, weights } = result.parameters;
        return {
          ...valuesOf(prompt),
          ...valuesOf(head),
          ...valuesOf(weights),
          loss: result.loss.map((point) => point.value),
        };
      };
      const first = await run(1);
      expect(await run(1)).toEqual(first);
      expect(await run(2)).not.toEqual(first);
    },
  );

  it.each(['frozen', 'fixed', 'dynamic', 'fine-tuning'])(
    'takes 2 × 4 accumulated examples as it takes 8, %s',
    async (name) => {
      const run = async (batch: number, accumulation: number) => {
        const method = methodNamed(name, small);
        const changes = { batch, accumulation, steps: 10 };
        const result = await trainPrompt(options(new ToyBackbone(), method, changes));
        const { prompt, head, weights } = result.parameters;
        return { ...valuesOf(prompt), ...valuesOf(head), ...valuesOf(weights) };
      };
      const whole = await run(8, 1);
      const cut = await run(4, 2);
      expect(Object.keys(cut)).toEqual(Object.keys(whole));
      for (const [parameter, values] of Object.entries(whole)) {
        const furthest = Math.max(
          ...values.map((value, index) => Math.abs(value - (cut[parameter]?.[index] ?? NaN))),
        );
        expect({ parameter, close: furthest < 1e-6, furthest }).toMatchObject({ close: true });
      }
    },
  );

  it('says zero-shot scores once where the head has no parameters', async () => {
    const backbone = new ToyBackbone({ head: 'fixed' });
    const result = await trainPrompt(options(backbone, 'frozen'));
    expect(result).toMatchObject({ steps: 0, trainableParameters: 0, loss: [], bestStep: 0 });
    expect(result.validation).toEqual([{ step: 0, value: result.final }]);
    const logits = await backbone.predict(
      validation.map(({ example }) => example),
      undefined,
      new Map(),
    );
    expect(result.evaluation.logits).toEqual(logits);
  });

  it("trains the probe on the backbone's own head", async () => {
    const backbone = new ToyBackbone();
    const result = await trainPrompt(options(backbone, 'frozen'));
    const examples = validation.map(({ example }) => example);
    const logits = await backbone.predict(examples, undefined, result.parameters.head);
    result.evaluation.logits.forEach((logit, index) => {
      expect(logit).toBeCloseTo(logits[index] ?? NaN, 4);
    });
  });

  it('keeps the best parameters beside the final ones', async () => {
    const scores = [0.4, 0.9, 0.6, 0.5];
    const metric = (): number => scores.shift() ?? 0;
    const changes = { metric, steps: 40, evaluateEvery: 10 };
    const result = await trainPrompt(options(new ToyBackbone(), methodNamed('fixed', small), changes));
    expect(result).toMatchObject({ final: 0.5, best: 0.9, bestStep: 20 });
    expect(result.validation.map((point) => point.step)).toEqual([10, 20, 30, 40]);
    expect(valuesOf(result.bestParameters.head)).not.toEqual(valuesOf(result.parameters.head));
    expect(result.bestParameters.prompt.get('representation.prompt')?.shape).toEqual([4, 8]);
  });

  it('tells what it does', async () => {
    const events: TrainingEvent[] = [];
    const changes = { steps: 4, evaluateEvery: 2, events: (event: TrainingEvent) => events.push(event) };
    await trainPrompt(options(new ToyBackbone(), methodNamed('dynamic', small), changes));
    const kinds = events.map((event) => event.type).filter((type) => type !== 'features');
    expect(kinds).toEqual(['started', 'step', 'step', 'evaluated', 'step', 'step', 'evaluated', 'finished']);
    expect(events.every((event) => event.method === 'dynamic' && event.seed === 1)).toBe(true);
    expect(events.findLast((event) => event.type === 'features')).toMatchObject({ done: 92, total: 92 });
    const steps = events.filter((event) => event.type === 'step');
    expect(steps.map((event) => event.temperature)).toEqual([1, 1 - 0.5 / 3, 1 - 1 / 3, 0.5]);
    expect(steps.map((event) => event.learningRateFactor)).toEqual([1, 0.75, 0.5, 0.25]);
    expect(steps.every((event) => event.examplesPerSecond > 0)).toBe(true);
  });

  it('stops before the update at a loss that is not finite, and names the batch', async () => {
    const backbone = new ToyBackbone();
    const differentiate = backbone.differentiate.bind(backbone);
    let calls = 0;
    backbone.differentiate = async (...given) => {
      const answer = await differentiate(...given);
      return ++calls === 3 ? { ...answer, loss: Number.NaN } : answer;
    };
    const steps: number[] = [];
    const events = (event: TrainingEvent): void => {
      if (event.type === 'step') steps.push(event.step);
    };
    const failed = trainPrompt(options(backbone, methodNamed('fixed', small), { events }));
    await expect(failed).rejects.toBeInstanceOf(NonFiniteLossError);
    const error = (await failed.catch((reason: unknown) => reason)) as NonFiniteLossError;
    expect(error.step).toBe(3);
    expect(error.exampleIds).toHaveLength(8);
    expect(error.message).toContain(error.exampleIds[0]);
    expect(steps).toEqual([1, 2]);
  });

  it('stops before the update at a gradient that is not finite', async () => {
    const backbone = new ToyBackbone();
    const differentiate = backbone.differentiate.bind(backbone);
    backbone.differentiate = async (...given) => {
      const answer = await differentiate(...given);
      answer.plan.prompts[0] = Infinity;
      return answer;
    };
    await expect(trainPrompt(options(backbone, methodNamed('fixed', small)))).rejects.toThrow(
      'the gradient of representation.prompt is not finite',
    );
  });

  it('stops at a signal after the step at hand', async () => {
    const controller = new AbortController();
    const events = (event: TrainingEvent): void => {
      if (event.type === 'step' && event.step === 5) controller.abort();
    };
    const changes = { events, signal: controller.signal };
    const stopped = trainPrompt(options(new ToyBackbone(), methodNamed('fixed', small), changes));
    await expect(stopped).rejects.toMatchObject({ name: 'TrainingStoppedError', step: 5 });
  });

  it('computes features of the examples that the run uses, once for all runs', async () => {
    const backbone = new ToyBackbone();
    const features = new FeatureCache(backbone, { folder: false });
    const compute = backbone.features.bind(backbone);
    let computed = 0;
    backbone.features = (examples) => {
      computed += examples.length;
      return compute(examples);
    };
    const changes = { features, steps: 2, validation: validation.slice(0, 4), train: train.slice(0, 32) };
    await trainPrompt(options(backbone, methodNamed('adap_ins_pos', small), changes));
    expect(computed).toBe(2 * 8 + 4);
    await trainPrompt(options(backbone, methodNamed('adap_ins_length', small), changes));
    expect(computed).toBe(2 * 8 + 4);
  });

  it.each<[string, Partial<TrainingOptions<ToyExample>>, string]>([
    ['no steps', { steps: 0 }, 'steps: 0 cannot be used'],
    ['half a batch', { batch: 0.5 }, 'batch: 0.5 cannot be used'],
    ['nothing to train on', { train: [] }, 'training examples: there are none'],
    ['nothing to validate on', { validation: [] }, 'validation examples: there are none'],
    ['an unknown class', { train: [{ id: 'odd:1', example: [1], label: 2 }] }, 'odd:1'],
    ['a whole warm-up', { schedule: { kind: 'linear', warmUp: 1 } }, 'schedule.warmUp'],
    [
      'a warm-up of the whole run',
      { schedule: { kind: 'constant', warmUp: { steps: 50 } } },
      'schedule.warmUp',
    ],
    ['a negative rate', { learningRates: { prompt: -1 } }, 'learningRates.prompt'],
    ['an optimiser without sense', { optimiser: { kind: 'sgd', momentum: 2 } }, 'SGD momentum'],
    ['an unknown optimiser', { optimiser: { kind: 'lion' as 'sgd' } }, 'Use one of adamw, adafactor, sgd'],
    ['a norm of nothing', { clipNorm: 0 }, 'clipNorm'],
  ])('refuses %s', async (_, changes, message) => {
    await expect(trainPrompt(options(new ToyBackbone(), 'fixed', changes))).rejects.toThrow(message);
  });

  it('refuses a method that does not exist', () => {
    expect(() => methodNamed('magic')).toThrow(
      'there is no method of that name. Use one of frozen, linear-probe, fine-tuning, fixed',
    );
  });
});
