import { expect } from '@jest/globals';
import type { PromptConfigurationInput } from '../configuration.js';
import type { PlanGradient, PromptPlan } from '../contracts/plan.js';
import type { GradientSet } from '../contracts/tensor.js';
import { createDynamicPrompt } from '../dynamic-prompt/dynamic-prompt.js';
import type { DynamicPrompt, PlannedBatch } from '../dynamic-prompt/dynamic-prompt.js';
import { stream } from '../random/stream.js';
import type { RandomStream } from '../random/stream.js';
import { surrogate } from './soft-relaxation.test.fixture.js';
import type { Given, Vectors } from './soft-relaxation.test.fixture.js';

export const batch = 3;
export const width = 5;
const availableLayers = 3;
const temperature = 0.7;

export function normals(random: RandomStream, count: number): Float32Array {
  return new Float32Array(count).map(() => random.normal());
}

/** A prompt away from its initial values, one plan of it and the way back. */
export interface Trial {
  readonly prompt: DynamicPrompt;
  readonly planned: PlannedBatch;
  readonly gradient: PlanGradient;
  readonly gradients: GradientSet;
  readonly given: Given;
}

/** The last of the configuration's tasks. */
export function taskOf({ configuration }: DynamicPrompt): number | undefined {
  return configuration.tasks === undefined ? undefined : configuration.tasks - 1;
}

/** Plans and goes back once, everything drawn from seeds of the configuration. */
export async function tryOut(input: PromptConfigurationInput): Promise<Trial> {
  const random = stream(6, JSON.stringify(input));
  const prompt = await createDynamicPrompt(input, { width, seed: 2, layers: availableLayers });
  const { configuration, candidates, layers, request } = prompt;
  const { slots, representation } = configuration;
  for (const { values } of prompt.parameters.values()) {
    values.forEach((value, index) => {
      values[index] = value + 0.5 * random.normal();
    });
  }
  const features = normals(random, batch * width);
  const task = taskOf(prompt);
  const planned = prompt.plan(features, batch, {
    training: true,
    temperature,
    random: stream(1, 'gumbel'),
    task,
  });

  // The same draws in the documented order: position, length, representation.
  const gumbel = stream(1, 'gumbel');
  const hard = representation.kind === 'select' && representation.mixture === 'hard';
  const noise = {
    position: gumbel.gumbels(request.position ? batch * candidates : 0),
    length: gumbel.gumbels(request.gates ? batch * (slots + 1) : 0),
    representation: gumbel.gumbels(hard ? batch * representation.pool : 0),
  };
  const upstream = {
    prompts: normals(random, batch * layers * slots * width),
    position: normals(random, batch * candidates),
    gates: normals(random, batch * slots),
  };
  const size = slots * width;
  const rowsOf = (from: number, to: number): Float32Array =>
    upstream.prompts.filter((_, index) => {
      const layer = Math.floor(index / size) % layers;
      return layer >= from && layer < to;
    });
  const gradient = {
    prompts: rowsOf(0, 1),
    deep: layers > 1 ? rowsOf(1, layers) : undefined,
    position: request.position ? upstream.position : undefined,
    gates: request.gates ? upstream.gates : undefined,
  };
  const given = { configuration, batch, width, layers, task, temperature, features, noise, upstream };
  return { prompt, planned, gradient, gradients: planned.backward(gradient), given };
}

/** Shapes and choices of a plan, as its contract has them. */
export function expectSoundPlan({ prompt, planned }: Trial): void {
  const { configuration, candidates, request, layers } = prompt;
  const { slots } = configuration;
  const { plan, choices } = planned;
  expect(plan).toMatchObject({ batch, slots, width, position: { candidates } });
  expect(plan.prompts).toHaveLength(batch * slots * width);
  expect(plan.deep?.layers).toBe(layers > 1 ? layers - 1 : undefined);
  expect(plan.deep?.prompts.length).toBe(layers > 1 ? batch * (layers - 1) * slots * width : undefined);
  expect(plan.position.choice).toEqual(choices.position);
  expect(plan.position.choice).toHaveLength(batch);
  for (const choice of plan.position.choice) expect(choice >= 0 && choice < candidates).toBe(true);
  expect(plan.gates?.length).toBe(request.gates ? batch * slots : undefined);
  plan.gates?.forEach((gate, index) => {
    expect(gate).toBe(index % slots < (choices.length[Math.floor(index / slots)] ?? NaN) ? 1 : 0);
  });
  expectSoundMixture(choices.weights, configuration.representation);
  for (const values of valuesOf(plan)) expect(values.every(Number.isFinite)).toBe(true);
}

function valuesOf({ prompts, deep }: PromptPlan): Float32Array[] {
  return deep === undefined ? [prompts] : [prompts, deep.prompts];
}

function expectSoundMixture(
  weights: Float32Array | undefined,
  representation: DynamicPrompt['configuration']['representation'],
): void {
  if (representation.kind !== 'select') {
    expect(weights).toBeUndefined();
    return;
  }
  const { pool, mixture } = representation;
  expect(weights).toHaveLength(batch * pool);
  for (let example = 0; example < batch; example++) {
    const row = [...(weights ?? [])].slice(example * pool, (example + 1) * pool);
    expect(row.reduce((sum, weight) => sum + weight, 0)).toBeCloseTo(1, 6);
    if (mixture === 'hard') expect(row.filter((weight) => weight === 1)).toHaveLength(1);
  }
}

/** Every parameter's gradient against central differences of the soft relaxation. */
export function expectTrueGradients({ prompt, gradients, given }: Trial): void {
  const origin: Vectors = new Map(
    [...prompt.parameters].map(([name, { values }]) => [name, Float64Array.from(values)]),
  );
  const epsilon = 1e-5;
  for (const [name, values] of origin) {
    const at = (index: number, value: number): number => {
      const moved = values.slice();
      moved[index] = value;
      return surrogate(new Map(origin).set(name, moved), origin, given);
    };
    let [largest, worst] = [0, 0];
    values.forEach((value, index) => {
      const difference = (at(index, value + epsilon) - at(index, value - epsilon)) / (2 * epsilon);
      const size = Math.abs(difference);
      const derivative = gradients.get(name)?.[index] ?? NaN;
      largest = Math.max(largest, size);
      worst = Math.max(worst, Math.abs(derivative - difference) / Math.max(1, size)); // NaN stays NaN
    });
    expect(worst).toBeLessThan(2e-5);
    expect(largest).toBeGreaterThan(1e-3);
  }
}
