import { beforeAll, describe, expect, it } from '@jest/globals';
import {
  createDynamicPrompt,
  featureStatistics,
  selectBackend,
  stream,
  type DynamicPrompt,
  type PromptConfigurationInput,
} from '@dynaprompt/core';
import { float32, floatsOf, int64 } from '@dynaprompt/onnx-autodiff';
import { emitDynamicPrompt } from './dynamic-prompt.js';
import { evaluate, integers } from './testing/graphs.js';
import { promptOfTask } from './tuned-prompt.js';

const [batch, slots, width] = [7, 4, 6];
const features = draws('features', batch * width).map((value, index) => 3 * value + (index % width));
const base: PromptConfigurationInput = { slots, initialisation: { kind: 'uniform', range: 1 } };

beforeAll(async () => {
  await selectBackend({ packageName: '@tensorflow/tfjs-backend-wasm' });
});

function draws(name: string, count: number): Float32Array {
  const random = stream(5, name);
  return new Float32Array(count).map(() => random.normal());
}

async function trained(
  configuration: PromptConfigurationInput,
  isStandardised = true,
): Promise<DynamicPrompt> {
  const prompt = await createDynamicPrompt(configuration, {
    width,
    seed: 1,
    layers: 3,
    ...(isStandardised ? { featureStatistics: featureStatistics(features, width) } : {}),
  });
  for (const [name, { values }] of prompt.parameters) {
    draws(name, values.length).forEach((noise, index) => (values[index] = (values[index] ?? 0) + noise));
  }
  return prompt;
}

/** Runs the operators and compares what they decide with the plan of core. */
async function agrees(prompt: DynamicPrompt, task?: number): Promise<void> {
  const { plan, choices } = prompt.plan(features, batch, { training: false, task });
  const feeds = { h: float32(features, [batch, width]), count: int64([batch], [1]) };
  const results = await evaluate(feeds, (emit) => {
    const emitted = emitDynamicPrompt(emit, promptOfTask(prompt, task), 'count', 'h');
    const { prompts, deep, kept, choice, active } = emitted;
    return { prompts, kept, choice, active, ...(deep === undefined ? {} : { deep }) };
  });
  const kept = Math.max(...choices.length);
  expect(integers(results.kept)).toEqual([kept]);
  expect(integers(results.choice)).toEqual([...choices.position]);
  expect(integers(results.active)).toEqual([...choices.length]);
  expect(results.prompts?.dims).toEqual([batch, kept, width]);
  expectRows(floatsOf(results.prompts), plan.prompts, kept);
  expect(results.deep?.dims).toEqual(plan.deep && [batch, plan.deep.layers, kept, width]);
  if (plan.deep) expectRows(floatsOf(results.deep), plan.deep.prompts, kept);
}

/** Compares [..., kept, d] with the first rows of [..., l, d]. */
function expectRows(actual: Float32Array, expected: Float32Array, kept: number): void {
  const first = expected.filter((_, index) => index % (slots * width) < kept * width);
  expect(actual.length).toBe(first.length);
  actual.forEach((value, index) => {
    expect(Math.abs(value - (first[index] ?? NaN))).toBeLessThan(1e-5);
  });
}

const representations: PromptConfigurationInput['representation'][] = [
  { kind: 'fixed' },
  { kind: 'select', pool: 3 },
  { kind: 'select', pool: 3, mixture: 'hard' },
  { kind: 'generate', rank: 2 },
];

describe('the operators of a dynamic prompt', () => {
  it.each(representations)('say what its networks say: %o', async (representation) => {
    for (const level of ['none', 'task', 'instance'] as const) {
      const dynamic = { ...base, representation, position: { level }, length: { level } };
      await agrees(await trained(dynamic));
      await agrees(await trained({ ...dynamic, layers: 3 }));
    }
  });

  it('read features as they are where there are no statistics', async () => {
    await agrees(await trained({ ...base, position: { level: 'instance' } }, false));
  });

  it('ignore a feature that never varies', async () => {
    const prompt = await trained({ ...base, position: { level: 'instance' } });
    prompt.featureStatistics?.std.fill(0, 2, 4);
    await agrees(prompt);
  });

  it('take the first of equal logits', async () => {
    const dynamic: PromptConfigurationInput = { ...base, position: { level: 'instance' }, reluLogits: true };
    const prompt = await trained(dynamic);
    prompt.parameters.get('position.bias')?.values.fill(-100);
    await agrees(prompt);
    expect([...prompt.plan(features, batch, { training: false }).choices.position]).toEqual(
      new Array(batch).fill(0),
    );
  });

  it('decide for one of several tasks', async () => {
    const level = 'instance';
    const representation = { kind: 'generate', rank: 2 } as const;
    const prompt = await trained({
      ...base,
      tasks: 3,
      position: { level },
      length: { level },
      representation,
    });
    for (const task of [0, 1, 2]) await agrees(prompt, task);
  });

  it('hold a prompt whose reparameterisation has been applied', async () => {
    for (const representation of representations) {
      await agrees(
        await trained({ ...base, representation, reparameterisation: { kind: 'mlp', hidden: 5 } }),
      );
    }
  });
});
