import { beforeAll, describe, expect, it } from '@jest/globals';
import { selectBackend } from '../backend/select-backend.js';
import type { PromptConfigurationInput } from '../configuration.js';
import { restoreParameters } from '../parameters.js';
import { stream } from '../random/stream.js';
import { batch, normals, width } from '../testing/compare-gradients.test.fixture.js';
import { effectiveRows } from '../testing/soft-relaxation.test.fixture.js';
import { collapse, createDynamicPrompt } from './dynamic-prompt.js';
import type { DynamicPrompt } from './dynamic-prompt.js';

const slots = 3;
const features = normals(stream(1, 'features'), batch * width);
const configurations: PromptConfigurationInput[] = [
  { representation: { kind: 'fixed' } },
  { representation: { kind: 'fixed' }, layers: 3 },
  { representation: { kind: 'select', pool: 2 }, layers: 2, tasks: 2 },
  { representation: { kind: 'select', mixture: 'hard' }, length: { level: 'instance' } },
  { representation: { kind: 'generate', rank: 2 }, position: { level: 'instance' } },
];

async function createPrompt(configuration: PromptConfigurationInput): Promise<DynamicPrompt> {
  return createDynamicPrompt(
    {
      slots,
      initialisation: { kind: 'uniform' },
      reparameterisation: { kind: 'mlp', hidden: 6 },
      ...configuration,
    },
    { width, seed: 4, layers: 3 },
  );
}

function disturb(prompt: DynamicPrompt): void {
  const random = stream(7, 'disturbance');
  for (const { values } of prompt.parameters.values()) {
    values.forEach((value, index) => {
      values[index] = value + 0.5 * random.normal();
    });
  }
}

beforeAll(async () => {
  await selectBackend();
});

describe('a reparameterised prompt', () => {
  it('starts exactly at the rows it was initialised with', async () => {
    const [plain, reparameterised] = await Promise.all([
      createPrompt({ reparameterisation: { kind: 'none' } }),
      createPrompt({}),
    ]);
    const expected = plain.plan(undefined, batch, { training: false }).plan;
    expect(reparameterised.plan(undefined, batch, { training: false }).plan).toEqual(expected);
  });

  it.each(configurations)('shows its effective rows: %j', async (configuration) => {
    const prompt = await createPrompt(configuration);
    disturb(prompt);
    const { shape, values } = prompt.effectivePrompt();
    const parameters = new Map(
      [...prompt.parameters].map(([name, tensor]) => [name, Float64Array.from(tensor.values)]),
    );
    const expected = effectiveRows(parameters, prompt.configuration, width);
    expect(shape.reduce((product, extent) => product * extent, 1)).toBe(expected.length);
    expect(values).toHaveLength(expected.length);
    expected.forEach((value, index) => {
      expect(values[index]).toBeCloseTo(value, 5);
    });
  });

  it.each(configurations)('collapses to plain values that plan the same: %j', async (configuration) => {
    const prompt = await createPrompt(configuration);
    disturb(prompt);
    const plain = collapse(prompt);
    expect([...plain.parameters.keys()].filter((name) => name.startsWith('reparameterisation'))).toEqual([]);
    expect(plain.configuration).toEqual({
      ...prompt.configuration,
      reparameterisation: { kind: 'none' },
    });
    const task = prompt.configuration.tasks === undefined ? undefined : 1;
    const [before, after] = [prompt, plain].map((one) =>
      one.plan(features, batch, { training: false, task }),
    );
    expect(after?.choices.position).toEqual(before?.choices.position);
    expect(after?.plan.prompts).toEqual(before?.plan.prompts);
    expect(after?.plan.deep).toEqual(before?.plan.deep);

    // What a checkpoint of the collapsed prompt restores to, and a copy that training does not reach.
    const again = await createPrompt({ ...configuration, reparameterisation: { kind: 'none' } });
    restoreParameters(again.parameters, plain.parameters);
    expect(again.plan(features, batch, { training: false, task }).plan).toEqual(after?.plan);
    for (const { values } of prompt.parameters.values()) values.fill(0);
    expect(plain.plan(features, batch, { training: false, task }).plan).toEqual(after?.plan);
  });
});
