import { beforeAll, describe, expect, it } from '@jest/globals';
import * as tf from '@tensorflow/tfjs-core';
import { selectBackend } from '../backend/select-backend.js';
import type { PromptConfigurationInput } from '../configuration.js';
import type { PlanGradient } from '../contracts/plan.js';
import type { ParameterSet } from '../contracts/tensor.js';
import { ConfigurationError, DataError } from '../errors.js';
import { createAdamW } from '../optimisers/adamw.js';
import { preset } from '../presets.js';
import { stream } from '../random/stream.js';
import type { RandomStream } from '../random/stream.js';
import { createDynamicPrompt } from './dynamic-prompt.js';
import type { DynamicPrompt } from './dynamic-prompt.js';
import { featureStatistics } from './feature-statistics.js';

const batch = 6;
const width = 8;
const slots = 4;
const small = { slots, initialisation: { kind: 'uniform' } } as const;

function normals(random: RandomStream, count: number): Float32Array {
  return new Float32Array(count).map(() => random.normal());
}

function gradientFor(prompt: DynamicPrompt, random: RandomStream): PlanGradient {
  return {
    prompts: normals(random, batch * slots * width),
    position: normals(random, batch * prompt.candidates),
    gates: normals(random, batch * slots),
  };
}

const features = normals(stream(1, 'features'), batch * width);

async function createPrompt(configuration: PromptConfigurationInput): Promise<DynamicPrompt> {
  return createDynamicPrompt({ ...small, ...configuration }, { width, seed: 5 });
}

function setValues(parameters: ParameterSet, name: string, values: number[]): void {
  parameters.get(name)?.values.set(values);
}

beforeAll(async () => {
  await selectBackend({ packageName: '@tensorflow/tfjs-backend-wasm' });
});

describe('DynamicPrompt.plan', () => {
  it('decides without noise at evaluation: the most probable candidate and length', async () => {
    const prompt = await createPrompt({ position: { level: 'task' }, length: { level: 'task' } });
    setValues(prompt.parameters, 'position.bias', [0, 0, 1, 0, 0]);
    setValues(prompt.parameters, 'length.bias', [0, 0, 0, 2, 1]);
    const { plan, choices } = prompt.plan(undefined, 2, { training: false });
    expect([...plan.position.choice]).toEqual([2, 2]);
    expect(plan.position).toMatchObject({ mode: 'split', candidates: slots + 1 });
    expect([...choices.length]).toEqual([3, 3]);
    expect([...(plan.gates ?? [])]).toEqual([1, 1, 1, 0, 1, 1, 1, 0]);
  });

  it('decides by the features of each example at instance level', async () => {
    const prompt = await createPrompt({ position: { level: 'instance', mode: 'insert' } });
    const weight = new Array<number>(3 * width).fill(0);
    weight[width] = 1; // anchor 1 follows feature 0
    weight[2 * width + 1] = 1; // anchor 2 follows feature 1
    setValues(prompt.parameters, 'position.weight', weight);
    const oneHot = new Float32Array(3 * width);
    oneHot[0] = 1;
    oneHot[width + 1] = 1;
    const { plan } = prompt.plan(oneHot, 3, { training: false });
    expect([...plan.position.choice]).toEqual([1, 2, 0]);
  });

  it('starts at full length, or at the length asked for', async () => {
    const full = await createPrompt({ length: { level: 'instance' } });
    expect(new Set(full.plan(features, batch, { training: false }).choices.length)).toEqual(new Set([slots]));
    const short = await createPrompt({ length: { level: 'instance', initial: 1 } });
    expect(new Set(short.plan(features, batch, { training: false }).choices.length)).toEqual(new Set([1]));
  });

  it('leaves what is not learned fixed', async () => {
    const prompt = await createPrompt({ position: { candidate: 'back' } });
    const { plan, choices, penalty } = prompt.plan(undefined, 2, { training: false });
    expect(plan.gates).toBeUndefined();
    expect([...plan.position.choice]).toEqual([0, 0]);
    expect([...choices.length]).toEqual([slots, slots]);
    expect(choices.weights).toBeUndefined();
    expect(penalty).toBe(0);
    expect(prompt.request).toEqual({ position: false, gates: false });
    expect(prompt.needsFeatures).toBe(false);
    const values = prompt.parameters.get('representation.prompt')?.values;
    expect(plan.prompts.subarray(0, slots * width)).toEqual(values);
    expect(plan.prompts.subarray(slots * width)).toEqual(values);
  });

  it('mixes the pool softly, or takes its best entry whole', async () => {
    for (const mixture of ['soft', 'hard'] as const) {
      const prompt = await createPrompt({ representation: { kind: 'select', pool: 2, mixture } });
      setValues(prompt.parameters, 'representation.bias', [0, Math.log(3)]);
      const { plan, choices } = prompt.plan(features, batch, { training: false });
      const [first = NaN, second = NaN] = choices.weights ?? [];
      expect(first).toBeCloseTo(mixture === 'soft' ? 0.25 : 0, 6);
      expect(second).toBeCloseTo(mixture === 'soft' ? 0.75 : 1, 6);
      const pool = prompt.parameters.get('representation.pool')?.values ?? [];
      const expected = first * (pool[3] ?? NaN) + second * (pool[slots * width + 3] ?? NaN);
      expect(plan.prompts[3]).toBeCloseTo(expected, 6);
    }
  });

  it('generates from exactly the plain prompt at first', async () => {
    const prompt = await createPrompt({ representation: { kind: 'generate', rank: 2 } });
    const { plan } = prompt.plan(features, batch, { training: false });
    const values = prompt.parameters.get('representation.prompt')?.values;
    expect(plan.prompts.subarray(0, slots * width)).toEqual(values);
    prompt.parameters.get('representation.update.weight')?.values.fill(0.1);
    const moved = prompt.plan(features, batch, { training: false }).plan.prompts;
    expect(moved.subarray(0, slots * width)).not.toEqual(moved.subarray(slots * width, 2 * slots * width));
  });

  it('samples while training as softmax of the logits says, whatever the temperature', async () => {
    const prompt = await createPrompt({ position: { level: 'task' } });
    const probabilities = [0.5, 0.2, 0.15, 0.1, 0.05];
    setValues(prompt.parameters, 'position.bias', probabilities.map(Math.log));
    const random = stream(8, 'gumbel');
    const draws = 20_000;
    for (const temperature of [1, 0.5]) {
      const { choices } = prompt.plan(undefined, draws, { training: true, temperature, random });
      probabilities.forEach((probability, candidate) => {
        const share = choices.position.filter((choice) => choice === candidate).length / draws;
        expect(Math.abs(share - probability)).toBeLessThan(0.015);
      });
    }
  });

  it('samples at evaluation only for the faithful comparison', async () => {
    const faithful = await createPrompt({ position: { level: 'task' }, noiseAtEvaluation: true });
    const random = stream(1, 'gumbel');
    const { choices } = faithful.plan(undefined, 200, { training: false, random });
    expect(new Set(choices.position).size).toBe(slots + 1);
    expect(() => faithful.plan(undefined, 2, { training: false })).toThrow(/random: is missing/);
    const ours = await createPrompt({ position: { level: 'task' } });
    expect(new Set(ours.plan(undefined, 200, { training: false, random }).choices.position).size).toBe(1);
  });

  it('uses the features as standardised by fixed statistics', async () => {
    const outlier = features.map((value, index) => (index % width === 2 ? 500 + value : value));
    const statistics = featureStatistics(outlier, width);
    const configuration = { ...small, position: { level: 'instance' } } as const;
    const source = { width, seed: 5, featureStatistics: statistics };
    const prompt = await createDynamicPrompt(configuration, source);
    const weight = new Array<number>((slots + 1) * width).fill(0);
    weight[width + 2] = 1; // candidate 1 wins where feature 2 is above its mean
    setValues(prompt.parameters, 'position.weight', weight);
    const { choices } = prompt.plan(outlier, batch, { training: false });
    const above = Array.from(choices.position, (_, example) => {
      const value = outlier[example * width + 2] ?? 0;
      return value > (statistics.mean[2] ?? 0) ? 1 : 0;
    });
    expect([...choices.position]).toEqual(above);
    expect(new Set(above).size).toBe(2);
  });

  it('adds the penalty of the expected length', async () => {
    const length = { level: 'task', penalty: 0.5, initial: 1, initialProbability: 0.6 } as const;
    const prompt = await createPrompt({ length });
    const { penalty } = prompt.plan(undefined, 3, { training: false });
    expect(penalty).toBeCloseTo(0.5 * (0.6 * 1 + 0.1 * (0 + 2 + 3 + 4)), 5);
  });
});

describe('training with DynamicPrompt', () => {
  const run = async (name: 'dynamic' | 'adap_ins_pos'): Promise<ParameterSet> => {
    const prompt = await createDynamicPrompt(preset(name, small), { width, seed: 3 });
    const random = stream(3, 'gumbel');
    const upstream = stream(3, 'upstream');
    const optimiser = createAdamW({ learningRate: 0.01 });
    for (let step = 0; step < 50; step++) {
      const options = { training: true, temperature: 1 - step / 100, random } as const;
      const planned = prompt.plan(features, batch, options);
      optimiser.step(prompt.parameters, planned.backward(gradientFor(prompt, upstream)));
    }
    return prompt.parameters;
  };

  it('repeats 50 steps bit for bit', async () => {
    const [first, second] = [await run('dynamic'), await run('dynamic')];
    for (const [name, { values }] of first) {
      expect(second.get(name)?.values).toEqual(values);
      expect(values.some((value) => value !== 0)).toBe(true);
    }
  });

  it('leaves no tensors behind', async () => {
    await run('dynamic');
    const before = tf.memory();
    await run('dynamic');
    expect(tf.memory().numTensors).toBe(before.numTensors);
    expect(tf.memory().numBytes).toBe(before.numBytes);
  });

  it('learns the position that lowers the loss, also where it differs between examples', async () => {
    const prompt = await createPrompt({ position: { level: 'instance' } });
    const target = [...features]
      .filter((_, index) => index % width === 0)
      .map((value) => (value > 0 ? 3 : 1));
    const optimiser = createAdamW({ learningRate: 0.05, weightDecay: 0 });
    const random = stream(1, 'gumbel');
    const position = new Float32Array(batch * (slots + 1)).map((_, index) =>
      index % (slots + 1) === target[Math.floor(index / (slots + 1))] ? -1 : 0,
    );
    const gradient = { prompts: new Float32Array(batch * slots * width), position, gates: undefined };
    for (let step = 0; step < 100; step++) {
      const planned = prompt.plan(features, batch, { training: true, temperature: 1, random });
      optimiser.step(prompt.parameters, planned.backward(gradient));
    }
    const { choices } = prompt.plan(features, batch, { training: false });
    expect([...choices.position]).toEqual(target);
  });

  it('shortens the prompt where length costs and brings nothing', async () => {
    const prompt = await createPrompt({ length: { level: 'task', penalty: 0.1 } });
    const optimiser = createAdamW({ learningRate: 0.1, weightDecay: 0 });
    const random = stream(1, 'gumbel');
    const gradient = {
      prompts: new Float32Array(batch * slots * width),
      position: undefined,
      // The first two tokens are worth their price.
      gates: new Float32Array(batch * slots).map((_, index) => (index % slots < 2 ? -0.05 : 0)),
    };
    for (let step = 0; step < 200; step++) {
      const planned = prompt.plan(undefined, batch, { training: true, temperature: 1, random });
      optimiser.step(prompt.parameters, planned.backward(gradient));
    }
    expect([...prompt.plan(undefined, 1, { training: false }).choices.length]).toEqual([2]);
  });
});

describe('refusals', () => {
  it('refuses features that are not [B, d] finite values', async () => {
    const prompt = await createPrompt({ position: { level: 'instance' } });
    const plan = (values: Float32Array | undefined) => () => prompt.plan(values, batch, { training: false });
    expect(plan(undefined)).toThrow(DataError);
    expect(plan(features.slice(1))).toThrow(/47 values where \[6, 8\]/);
    expect(plan(features.map((value, index) => (index === 9 ? NaN : value)))).toThrow(/value 9 is NaN/);
  });

  it('refuses a batch or temperature that is none', async () => {
    const prompt = await createPrompt({ position: { level: 'task' } });
    const random = stream(1, 'gumbel');
    expect(() => prompt.plan(undefined, 0, { training: false })).toThrow(ConfigurationError);
    const cold = { training: true, temperature: 0, random } as const;
    expect(() => prompt.plan(undefined, 2, cold)).toThrow(/temperature: 0 is not positive/);
  });

  it('refuses a plan gradient without what was requested', async () => {
    const prompt = await createPrompt({ position: { level: 'task' }, length: { level: 'task' } });
    const planned = prompt.plan(undefined, batch, { training: false });
    const gradient = gradientFor(prompt, stream(1, 'upstream'));
    expect(() => planned.backward({ ...gradient, position: undefined })).toThrow(/gradient.position/);
    expect(() => planned.backward({ ...gradient, gates: undefined })).toThrow(/gradient.gates/);
    expect(() => planned.backward({ ...gradient, prompts: new Float32Array(3) })).toThrow(DataError);
  });

  it('refuses an impossible width and statistics of another width', async () => {
    await expect(createDynamicPrompt(small, { width: 0, seed: 1 })).rejects.toThrow(/0 is not a width/);
    const statistics = { mean: new Float32Array(3), std: new Float32Array(width) };
    const source = { width, seed: 1, featureStatistics: statistics };
    await expect(createDynamicPrompt(small, source)).rejects.toThrow(/featureStatistics.mean/);
  });
});
