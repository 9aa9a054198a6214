import { beforeAll, describe, expect, it } from '@jest/globals';
import { PADDING, sourceTables } from '../assembly/source-table.js';
import { selectBackend } from '../backend/select-backend.js';
import { parseConfiguration } from '../configuration.js';
import type { PromptConfigurationInput } from '../configuration.js';
import {
  batch,
  expectSoundPlan,
  expectTrueGradients,
  tryOut,
} from '../testing/compare-gradients.test.fixture.js';
import type { Trial } from '../testing/compare-gradients.test.fixture.js';

const slots = 3;
const levels = ['none', 'task', 'instance'] as const;

const positions = levels.flatMap((level): NonNullable<PromptConfigurationInput['position']>[] => [
  { level, mode: 'split' },
  { level, mode: 'insert', anchors: 5 },
]);
const lengths = levels.map((level) =>
  level === 'none' ? { level } : { level, penalty: 0.3, initialProbability: 0.4 },
);
const representations: NonNullable<PromptConfigurationInput['representation']>[] = [
  { kind: 'fixed' },
  { kind: 'select', pool: 3, mixture: 'soft', balance: 0.2 },
  { kind: 'select', pool: 3, mixture: 'hard' },
  { kind: 'generate', rank: 2 },
];
const reparameterisations = [{ kind: 'none' }, { kind: 'mlp', hidden: 6 }] as const;

const combinations = positions.flatMap((position) =>
  lengths.flatMap((length) =>
    representations.flatMap((representation) =>
      [1, 3].flatMap((layers) =>
        reparameterisations.flatMap((reparameterisation) =>
          [undefined, 2].map((tasks): [string, PromptConfigurationInput] => [
            [
              `${position.level} position (${position.mode})`,
              `${length.level} length`,
              'mixture' in representation ? representation.mixture : representation.kind,
              `${layers} layers`,
              reparameterisation.kind,
              `tasks ${tasks ?? 'none'}`,
            ].join(', '),
            {
              slots,
              layers,
              position,
              length,
              representation,
              reparameterisation,
              ...(tasks === undefined ? {} : { tasks }),
              initialisation: { kind: 'uniform' },
            },
          ]),
        ),
      ),
    ),
  ),
);

/** Prime to the extents of every axis, so that a sample meets every value of each. */
const stride = 11;
const sample = combinations.filter((_, index) => index % stride === 0);

function expectPermutation({ planned: { plan, choices } }: Trial): void {
  const { mode, candidates } = plan.position;
  const own = 6;
  const total = own + slots;
  const layouts = Array.from(choices.length, (active) => ({
    before: 1,
    content: own - 2,
    after: 1,
    active,
  }));
  const tables = sourceTables({ mode, candidates, slots, total }, layouts, plan.position.choice);
  for (let example = 0; example < batch; example++) {
    const table = tables.subarray(example * total, (example + 1) * total);
    expect(table.includes(PADDING)).toBe(false);
    expect(new Set(table).size).toBe(total);
  }
}

beforeAll(async () => {
  await selectBackend({ packageName: '@tensorflow/tfjs-backend-wasm' });
});

it('holds every combination once', () => {
  expect(combinations).toHaveLength(576);
  expect(new Set(combinations.map(([name]) => name)).size).toBe(576);
});

describe('every combination', () => {
  it.each(combinations)('parses, plans and differentiates: %s', async (_, input) => {
    const configuration = parseConfiguration(input);
    expect(parseConfiguration(JSON.parse(JSON.stringify(configuration)))).toEqual(configuration);

    const trial = await tryOut(input);
    expectSoundPlan(trial);
    expectPermutation(trial);
    const { prompt, gradients } = trial;
    expect([...gradients.keys()]).toEqual([...prompt.parameters.keys()]);
    for (const [name, { values }] of prompt.parameters) {
      const gradient = gradients.get(name);
      expect(gradient).toHaveLength(values.length);
      expect(gradient?.every(Number.isFinite)).toBe(true);
      expect(gradient?.some((value) => value !== 0)).toBe(true);
    }

    const again = await tryOut(input);
    expect(again.planned.plan).toEqual(trial.planned.plan);
    expect(again.gradients).toEqual(gradients);
  });
});

describe('a sample of the combinations', () => {
  it.each(sample)('has the gradients of the soft relaxation: %s', async (_, input) => {
    expectTrueGradients(await tryOut(input));
  });
});
