import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';

import { type ParameterSet, selectBackend } from '@dynaprompt/core';

import { FeatureCache } from '../features/features.js';
import { ToyBackbone, type ToyExample } from '../testing/toy-backbone.test.fixture.js';
import { accuracy, toyTask } from '../testing/toy-task.test.fixture.js';
import { methodNamed } from '../training/method.js';
import type { TrainingOptions } from '../training/options.js';
import { trainPrompt, type TrainingResult } from '../training/train-prompt.js';
import { type Adapter, adapterOf } from './adapter.js';
import { exportPeft } from './export-peft.js';
import { importPeft } from './import-peft.js';
import { loadAdapter } from './load-adapter.js';
import { restorePrompt } from './restore.js';
import { saveAdapter } from './save-adapter.js';

const backbone = new ToyBackbone();
const features = new FeatureCache(backbone, { folder: false });
const train = toyTask(32, 1);
const validation = toyTask(20, 2);
let folder: string;

beforeAll(async () => {
  await selectBackend();
});

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'dynaprompt-further-'));
});

afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

function run(
  changes: Partial<TrainingOptions<ToyExample>> & Pick<TrainingOptions<ToyExample>, 'method'>,
): Promise<TrainingResult> {
  return trainPrompt({
    backbone,
    features,
    train,
    validation,
    metric: accuracy,
    seed: 1,
    steps: 20,
    learningRates: { prompt: 0.05, networks: 0.05, head: 0.05 },
    ...changes,
  });
}

async function throughDisk(result: TrainingResult, optimiser = true): Promise<Adapter> {
  const context = {
    backbone,
    head: { kind: 'linear', labels: ['low', 'high'] },
    task: { name: 'halves', metric: 'accuracy' },
    optimiser,
  };
  await saveAdapter(folder, adapterOf(result, context));
  return loadAdapter(folder, { backbone });
}

function valuesOf({ prompt, head }: { prompt: ParameterSet; head: ParameterSet }): object {
  return Object.fromEntries([...prompt, ...head].map(([name, { values }]) => [name, values]));
}

describe('training on from a saved adapter', () => {
  it.each(['frozen', 'fixed', 'dynamic', 'adap_pos'])('starts where the run ended, %s', async (name) => {
    const method = methodNamed(name, { slots: 4 });
    const first = await run({ method });
    const initial = await throughDisk(first);
    const standing = { prompt: 0, networks: 0, head: 0 };
    // Other training examples: the standardisation must be the saved one.
    const again = await run({
      method,
      initial,
      steps: 1,
      learningRates: standing,
      train: toyTask(16, 5),
      seed: 8,
    });
    expect(valuesOf(again.parameters)).toEqual(valuesOf(first.parameters));
    expect(again.featureStatistics).toEqual(first.featureStatistics);
    expect(again.evaluation.logits).toEqual(first.evaluation.logits);
    const further = await run({ method, initial, steps: 10, seed: 2 });
    expect(valuesOf(further.parameters)).not.toEqual(valuesOf(first.parameters));
    // What was handed over is copied.
    expect(valuesOf(initial.parameters)).toEqual(valuesOf(first.parameters));
  });

  it('gives the logits of the run without its trainer', async () => {
    const result = await run({ method: methodNamed('dynamic', { slots: 4 }) });
    const adapter = await throughDisk(result);
    const prompt = await restorePrompt(adapter);
    // Alone, as an application would ask; the run's batches give the same bits, because rows do not meet.
    for (const [index, { example }] of validation.entries()) {
      const { plan } = prompt.plan(await backbone.features([example]), 1, { training: false });
      const logits = await backbone.predict([example], plan, adapter.parameters.head);
      expect([...logits]).toEqual([...result.evaluation.logits.subarray(2 * index, 2 * index + 2)]);
    }
  });

  it('with the optimiser is as if there had been no pause', async () => {
    // One example: every step has the same batch, so that two runs of 10 steps see what one of 20 sees.
    const one = { method: methodNamed('fixed', { slots: 3 }), train: train.slice(0, 1) };
    const constant = { ...one, schedule: { kind: 'constant', warmUp: 0 } } as const;
    const whole = await run(constant);
    const half = await run({ ...constant, steps: 10 });
    const resumed = await run({ ...constant, steps: 10, initial: await throughDisk(half) });
    expect(valuesOf(resumed.parameters)).toEqual(valuesOf(whole.parameters));
    expect(resumed.optimiser).toEqual(whole.optimiser);
    const forgetful = await run({ ...constant, steps: 10, initial: await throughDisk(half, false) });
    expect(valuesOf(forgetful.parameters)).not.toEqual(valuesOf(whole.parameters));
  });

  it('starts the schedule anew', async () => {
    const method = methodNamed('fixed', { slots: 3 });
    const initial = await throughDisk(await run({ method }));
    const falling = { kind: 'linear', warmUp: 0 } as const;
    const further = await run({ method, initial, steps: 5, schedule: falling });
    expect(valuesOf(further.parameters)).not.toEqual(valuesOf(initial.parameters));
    expect(further.optimiser.step).toBe(25);
  });

  it('keeps the best parameters instead where that is asked', async () => {
    const scores = [0.9, 0.6];
    const metric = (): number => scores.shift() ?? 0;
    const result = await run({ method: methodNamed('fixed', { slots: 3 }), metric, evaluateEvery: 10 });
    const context = { backbone, head: { kind: 'linear' }, task: { name: 'halves', metric: 'accuracy' } };
    const best = adapterOf(result, { ...context, keep: 'best', optimiser: true });
    expect(best).toMatchObject({ steps: 10, optimiser: undefined, head: { classes: 2, labels: [] } });
    expect(valuesOf(best.parameters)).toEqual(valuesOf(result.bestParameters));
    expect(valuesOf(best.parameters)).not.toEqual(valuesOf(result.parameters));
  });

  it('refuses tensors of another method', async () => {
    const initial = await throughDisk(await run({ method: methodNamed('fixed', { slots: 3 }) }));
    await expect(run({ method: methodNamed('fixed', { slots: 4 }), initial })).rejects.toThrow(
      'was saved with shape [3, 8], expected [4, 8]',
    );
    await expect(run({ method: 'frozen', initial })).rejects.toThrow('is not a parameter here');
  });

  it('goes on from an imported prompt', async () => {
    const method = methodNamed('fixed', { slots: 3 });
    const result = await run({ method });
    const out = join(folder, 'peft');
    await exportPeft(out, await throughDisk(result));
    const { configuration, parameters } = await importPeft(out, backbone);
    const standing = { prompt: 0, networks: 0, head: 0 };
    const again = await run({
      method: { name: 'imported', configuration },
      initial: { parameters: { ...parameters, head: result.parameters.head } },
      steps: 1,
      learningRates: standing,
    });
    expect(again.evaluation.logits).toEqual(result.evaluation.logits);
  });

  it('starts a head anew where only a prompt is given', async () => {
    const method = methodNamed('fixed', { slots: 3 });
    const { parameters } = await run({ method });
    const standing = { prompt: 0, networks: 0, head: 0 };
    const initial = { parameters: { prompt: parameters.prompt } };
    const again = await run({ method, initial, steps: 1, learningRates: standing });
    const expected = { prompt: parameters.prompt, head: backbone.initialHead(1) };
    expect(valuesOf(again.parameters)).toEqual(valuesOf(expected));
  });
});
