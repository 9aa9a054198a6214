import { afterAll, beforeAll, expect, it } from '@jest/globals';
import type { FrozenBackbone } from '@dynaprompt/core';
import { miniBert } from '@dynaprompt/mini-models';
import { createTextEncoder } from '../encoder/text-encoder.js';
import { distance, inner } from '../testing/numbers.js';
import { normals, planOf } from '../testing/plans.js';
import type { TextExample } from '../tokenization/encode.js';
import type { TextBackboneOptions } from './adapter.js';

const open = (options: Partial<TextBackboneOptions>): Promise<FrozenBackbone<TextExample>> =>
  createTextEncoder(miniBert, { head: { kind: 'linear', classes: 2 }, reserve: 4, threads: 1, ...options });
const examples = [{ text: 'a gorgeous , witty film' }, { text: 'dull' }];
const batch = { examples, labels: Int32Array.of(1, 0) };
const plan = planOf({ batch: 2, slots: 4, width: 256, prompts: normals('prompts', 2 * 4 * 256, 0.05) });
const request = { position: false, gates: false };

let exact: FrozenBackbone<TextExample>;
beforeAll(async () => {
  exact = await open({});
});
afterAll(() => exact.release());

it('computes in int8 on request, forward and backward, and says so', async () => {
  const rough = await open({ compute: 'int8' });
  const head = exact.initialHead(1);
  expect([exact.description.dtype, rough.description.dtype]).toEqual(['fp32', 'int8']);
  const [features, roughFeatures] = [await exact.features(examples), await rough.features(examples)];
  const cosine = (a: Float32Array, b: Float32Array): number =>
    inner(a, b) / Math.sqrt(inner(a, a) * inner(b, b));
  expect(distance(features, roughFeatures)).toBeGreaterThan(1e-4);
  expect(cosine(features, roughFeatures)).toBeGreaterThan(0.99);
  const [step, roughStep] = [
    await exact.differentiate(batch, plan, head, request),
    await rough.differentiate(batch, plan, head, request),
  ];
  expect(distance(step.logits, roughStep.logits)).toBeGreaterThan(1e-6);
  const similarity = cosine(step.plan.prompts, roughStep.plan.prompts);
  expect(similarity).toBeGreaterThan(0.95);
  expect(similarity).toBeLessThan(0.99999);
  await rough.release();
});

it('runs in a process of its own on request, with the same bits', async () => {
  const isolated = await open({ isolated: true, executionProviders: ['cpu'] });
  const head = exact.initialHead(1);
  expect(await isolated.predict(examples, plan, head)).toEqual(await exact.predict(examples, plan, head));
  expect(await isolated.differentiate(batch, plan, head, request)).toEqual(
    await exact.differentiate(batch, plan, head, request),
  );
  await isolated.release();
});
