import { beforeAll, describe, expect, it } from '@jest/globals';

import { ConfigurationError, type FineTuning, nullThrows, selectBackend } from '@dynaprompt/core';

import type { TrainingEvent } from '../events.js';
import { options, small, valuesOf } from '../testing/toy-run.test.fixture.js';
import { ToyBackbone, type ToyExample } from '../testing/toy-backbone.test.fixture.js';
import { methodNamed } from './method.js';
import type { OptimiserSettings } from './optimiser.js';
import type { WarmUp } from './settings.js';
import { trainPrompt } from './train-prompt.js';

beforeAll(async () => {
  await selectBackend();
});

describe('trainPrompt, optimisers and baselines', () => {
  it.each<OptimiserSettings>([
    { kind: 'adafactor' },
    { kind: 'adafactor', beta1: 0.9, scaleParameter: true },
    { kind: 'sgd', momentum: 0.8, nesterov: true },
  ])('learns and repeats bit for bit with %j', async (optimiser) => {
    const run = () =>
      trainPrompt(
        options(new ToyBackbone(), methodNamed('dynamic', small), {
          optimiser,
          schedule: { kind: 'cosine', warmUp: { steps: 5 } },
          learningRates: { prompt: 0.1, networks: 0.1, head: 0.3 },
          clipNorm: false,
          steps: 100,
        }),
      );
    const first = await run();
    expect(first.settings).toMatchObject({ optimiser, clipNorm: false, weightDecay: 0 });
    expect(first.final).toBeGreaterThan(0.75);
    const again = await run();
    for (const part of ['prompt', 'head'] as const) {
      expect(valuesOf(again.parameters[part])).toEqual(valuesOf(first.parameters[part]));
    }
  });

  it('climbs for a share of the steps, or for a number of them', async () => {
    const factors = async (warmUp: WarmUp): Promise<number[]> => {
      const events: TrainingEvent[] = [];
      await trainPrompt(
        options(new ToyBackbone(), 'linear-probe', {
          steps: 8,
          schedule: { kind: 'constant', warmUp },
          events: (event) => events.push(event),
        }),
      );
      return events.flatMap((event) => (event.type === 'step' ? [event.learningRateFactor] : []));
    };
    expect(await factors({ steps: 4 })).toEqual([0.25, 0.5, 0.75, 1, 1, 1, 1, 1]);
    expect(await factors(0.25)).toEqual([0.5, 1, 1, 1, 1, 1, 1, 1]);
  });

  it('fine-tunes a copy of the weights with the head, and frees it', async () => {
    const backbone = new ToyBackbone();
    const open = backbone.fineTuning;
    let model: FineTuning<ToyExample> | undefined;
    const spied = Object.assign(backbone, {
      fineTuning: async () => (model = nullThrows(await open?.(), 'the toy can be fine-tuned')),
    });
    const result = await trainPrompt(
      options(spied, 'fine-tuning', { steps: 100, learningRates: { head: 0.05, weights: 0.01 } }),
    );
    expect(result.final).toBeGreaterThan(0.75);
    expect(result.parameters.prompt.size).toBe(0);
    expect(result.trainableParameters).toBe(12 * 8 + 2 * 8 + 2);
    expect(result.evaluation.usage).toBeUndefined();
    const tuned = result.parameters.weights.get('table/rows')?.values ?? new Float32Array();
    const pretrained = model?.initialWeights().get('table/rows')?.values ?? new Float32Array();
    const furthest = Math.max(...tuned.map((value, index) => Math.abs(value - (pretrained[index] ?? NaN))));
    expect(furthest).toBeGreaterThan(0.05);
    // No step of AdamW is much longer than its rate.
    expect(furthest).toBeLessThan(0.01 * 100 * 1.1);
    expect(model).toMatchObject({ released: true });
  });

  it('refuses to fine-tune a backbone that cannot', async () => {
    const backbone = new ToyBackbone({ head: 'fixed' });
    await expect(trainPrompt(options(backbone, 'fine-tuning'))).rejects.toThrow(ConfigurationError);
    await expect(trainPrompt(options(backbone, 'fine-tuning'))).rejects.toThrow(
      'method "fine-tuning": the weights of toy cannot be trained',
    );
  });

  it('has the linear probe as a method of its own', async () => {
    const frozen = await trainPrompt(options(new ToyBackbone(), 'frozen'));
    const probe = await trainPrompt(options(new ToyBackbone(), 'linear-probe'));
    expect(probe.method).toBe('linear-probe');
    expect(valuesOf(probe.parameters.head)).toEqual(valuesOf(frozen.parameters.head));
    const zeroShot = new ToyBackbone({ head: 'fixed' });
    await expect(trainPrompt(options(zeroShot, 'linear-probe'))).rejects.toThrow('it is not a linear map');
  });

  it('counts what was chosen on the validation examples', async () => {
    const told: TrainingEvent[] = [];
    const { evaluation, choiceUsage } = await trainPrompt({
      ...options(new ToyBackbone(), methodNamed('dynamic', small)),
      events: (event) => told.push(event),
    });
    expect(told.findLast((event) => event.type === 'evaluated')?.usage).toEqual([evaluation.usage]);
    const every = told.flatMap((event) =>
      event.type === 'evaluated' ? [{ step: event.step, usage: event.usage }] : [],
    );
    expect(every).not.toHaveLength(1);
    expect(choiceUsage).toEqual(every);
    const { choices, usage } = evaluation;
    const count = (values: Int32Array | undefined, wanted: number): number =>
      [...(values ?? [])].filter((value) => value === wanted).length;
    expect(usage?.positions).toEqual([0, 1, 2, 3, 4].map((place) => count(choices?.position, place)));
    expect(usage?.lengths).toEqual([0, 1, 2, 3, 4].map((length) => count(choices?.length, length)));
    for (const shares of [usage?.pool?.topShare, usage?.pool?.meanWeight]) {
      expect(shares).toHaveLength(4);
      expect(shares?.reduce((sum, share) => sum + share, 0)).toBeCloseTo(1, 5);
    }
    const weights = [...(evaluation.poolWeights ?? [])];
    const examples = evaluation.predictions.length;
    expect(weights).toHaveLength(4 * examples);
    usage?.pool?.meanWeight.forEach((mean, entry) => {
      const own = weights.filter((_, place) => place % 4 === entry);
      expect(own.reduce((sum, weight) => sum + weight, 0) / examples).toBeCloseTo(mean, 5);
    });
    const fixed = await trainPrompt(options(new ToyBackbone(), methodNamed('fixed', small), { steps: 2 }));
    expect(fixed.evaluation.usage).toBeUndefined();
    expect(fixed.choiceUsage).toEqual([]);
  });
});
