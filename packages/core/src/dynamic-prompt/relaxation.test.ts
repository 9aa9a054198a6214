import { beforeAll, describe, expect, it } from '@jest/globals';
import { selectBackend } from '../backend/select-backend.js';
import type { BackendPackage } from '../backend/select-backend.js';
import type { PromptConfiguration, RepresentationOptions } from '../configuration.js';
import { parseConfiguration } from '../configuration.js';
import type { PlanGradient } from '../contracts/plan.js';
import { stream } from '../random/stream.js';
import { createDynamicPrompt } from './dynamic-prompt.js';

/**
 * Oracle: the soft relaxation written once more, in plain double precision, differentiated by central differences. A hard
 * choice counts as soft − soft(θ₀) + hard, which is what straight-through means.
 */

const batch = 3;
const width = 5;
const slots = 3;
const temperature = 0.7;

type Vectors = Map<string, Float64Array>;

interface Given {
  readonly configuration: PromptConfiguration;
  readonly features: Float32Array;
  readonly noise: Record<'position' | 'length' | 'representation', Float32Array>;
  readonly gradient: PlanGradient;
}

function softmax(logits: number[]): number[] {
  const exponentials = logits.map((value) => Math.exp(value - Math.max(...logits)));
  const sum = exponentials.reduce((total, value) => total + value, 0);
  return exponentials.map((value) => value / sum);
}

function affine(parameters: Vectors, name: string, features: Float32Array, example: number): number[] {
  const weight = parameters.get(`${name}.weight`);
  return Array.from(parameters.get(`${name}.bias`) ?? [], (bias, row) => {
    let sum = bias;
    if (weight !== undefined) {
      for (let column = 0; column < width; column++) {
        sum += (weight[row * width + column] ?? 0) * (features[example * width + column] ?? 0);
      }
    }
    return sum;
  });
}

/** ⟨outputs, incoming gradient⟩ + penalty, at `parameters`, straight through the choices made at `origin`. */
function surrogate(parameters: Vectors, origin: Vectors, given: Given): number {
  const { configuration, features, noise, gradient } = given;
  const { position, length, representation, reluLogits } = configuration;
  const logitsOf = (at: Vectors, name: string, example: number): number[] => {
    const logits = affine(at, name, features, example);
    return reluLogits ? logits.map((value) => Math.max(0, value)) : logits;
  };
  const soft = (at: Vectors, name: keyof Given['noise'], example: number): number[] => {
    const logits = logitsOf(at, name, example);
    return softmax(
      logits.map(
        (value, index) => (value + (noise[name][example * logits.length + index] ?? 0)) / temperature,
      ),
    );
  };
  const choose = (name: keyof Given['noise'], example: number): number[] => {
    const before = soft(origin, name, example);
    const best = before.indexOf(Math.max(...before));
    return soft(parameters, name, example).map(
      (value, index) => value - (before[index] ?? 0) + (index === best ? 1 : 0),
    );
  };

  let total = 0;
  for (let example = 0; example < batch; example++) {
    if (position.level !== 'none') {
      choose('position', example).forEach((value, candidate, all) => {
        total += value * (gradient.position?.[example * all.length + candidate] ?? NaN);
      });
    }
    if (length.level !== 'none') {
      const chosen = choose('length', example);
      for (let token = 0; token < slots; token++) {
        const gate = chosen.slice(token + 1).reduce((sum, value) => sum + value, 0);
        total += gate * (gradient.gates?.[example * slots + token] ?? NaN);
      }
      softmax(logitsOf(parameters, 'length', example)).forEach((value, tokens) => {
        total += (length.penalty * tokens * value) / batch;
      });
    }
    const prompt = promptOf(example);
    for (let index = 0; index < slots * width; index++) {
      total += (prompt[index] ?? NaN) * (gradient.prompts[example * slots * width + index] ?? NaN);
    }
  }
  return total;

  function promptOf(example: number): number[] {
    if (representation.kind === 'select') {
      const pool = parameters.get('representation.pool') ?? [];
      const weights =
        representation.mixture === 'hard'
          ? choose('representation', example)
          : softmax(logitsOf(parameters, 'representation', example));
      return Array.from({ length: slots * width }, (_, index) =>
        weights.reduce(
          (sum, weight, entry) => sum + weight * (pool[entry * slots * width + index] ?? NaN),
          0,
        ),
      );
    }
    const prompt = [...(parameters.get('representation.prompt') ?? [])];
    if (representation.kind === 'fixed') return prompt;
    const { rank } = representation;
    const basis = parameters.get('representation.basis') ?? [];
    const coefficients = affine(parameters, 'representation.update', features, example);
    return prompt.map((value, index) => {
      const [row, column] = [Math.floor(index / width), index % width];
      let sum = value;
      for (let factor = 0; factor < rank; factor++) {
        sum += (coefficients[row * rank + factor] ?? NaN) * (basis[factor * width + column] ?? NaN);
      }
      return sum;
    });
  }
}

const levels = ['none', 'task', 'instance'] as const;
const representations: RepresentationOptions[] = [
  { kind: 'fixed' },
  { kind: 'select', pool: 3, mixture: 'soft' },
  { kind: 'select', pool: 3, mixture: 'hard' },
  { kind: 'generate', rank: 2 },
];
const combinations = levels.flatMap((position) =>
  levels.flatMap((length) =>
    representations.flatMap((representation) =>
      (['split', 'insert'] as const).map((mode) => ({
        name: `${position} position (${mode}), ${length} length, ${JSON.stringify(representation)}`,
        input: {
          slots,
          position: { level: position, mode, ...(mode === 'insert' ? { anchors: 5 } : {}) },
          length: { level: length, ...(length === 'none' ? {} : { penalty: 0.3, initialProbability: 0.4 }) },
          representation,
          initialisation: { kind: 'uniform' as const },
        },
      })),
    ),
  ),
);

async function compare(input: object): Promise<void> {
  const configuration = parseConfiguration(input);
  const random = stream(6, JSON.stringify(input));
  const normals = (count: number): Float32Array => new Float32Array(count).map(() => random.normal());
  const features = normals(batch * width);
  const prompt = await createDynamicPrompt(configuration, { width, seed: 2 });
  for (const { values } of prompt.parameters.values()) {
    values.forEach((value, index) => {
      values[index] = value + 0.5 * random.normal();
    });
  }
  const { candidates, request } = prompt;

  const planned = prompt.plan(features, batch, {
    training: true,
    temperature,
    random: stream(1, 'gumbel'),
  });
  const { plan, choices } = planned;
  expect(plan).toMatchObject({ batch, slots, width, position: { candidates } });
  expect(plan.prompts).toHaveLength(batch * slots * width);
  expect(plan.position.choice).toHaveLength(batch);
  expect(plan.gates?.length).toBe(request.gates ? batch * slots : undefined);
  plan.gates?.forEach((gate, index) => {
    expect(gate).toBe(index % slots < (choices.length[Math.floor(index / slots)] ?? NaN) ? 1 : 0);
  });

  // The same draws in the documented order: position, length, representation.
  const gumbel = stream(1, 'gumbel');
  const { representation } = configuration;
  const hard = representation.kind === 'select' && representation.mixture === 'hard';
  const noise = {
    position: gumbel.gumbels(request.position ? batch * candidates : 0),
    length: gumbel.gumbels(request.gates ? batch * (slots + 1) : 0),
    representation: gumbel.gumbels(hard ? batch * representation.pool : 0),
  };
  const gradient = {
    prompts: normals(batch * slots * width),
    position: request.position ? normals(batch * candidates) : undefined,
    gates: request.gates ? normals(batch * slots) : undefined,
  };
  const gradients = planned.backward(gradient);
  expect([...gradients.keys()]).toEqual([...prompt.parameters.keys()]);

  const given = { configuration, features, noise, gradient };
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
    let largest = 0;
    values.forEach((value, index) => {
      const difference = (at(index, value + epsilon) - at(index, value - epsilon)) / (2 * epsilon);
      largest = Math.max(largest, Math.abs(difference));
      const derivative = gradients.get(name)?.[index] ?? NaN;
      expect(Math.abs(derivative - difference)).toBeLessThan(2e-5 * Math.max(1, Math.abs(difference)));
    });
    expect(largest).toBeGreaterThan(1e-3);
  }
}

describe.each(['@tensorflow/tfjs-backend-wasm', '@tensorflow/tfjs-backend-cpu'] as BackendPackage[])(
  'gradients on %s agree with differences of the soft relaxation',
  (packageName) => {
    beforeAll(async () => {
      await selectBackend({ packageName });
    });

    it.each(combinations)('$name', async ({ input }) => {
      await compare(input);
    });

    it('with ReLU on the logits', async () => {
      await compare({
        slots,
        position: { level: 'instance' },
        length: { level: 'instance', initialProbability: 0.4 },
        representation: { kind: 'select', pool: 4 },
        initialisation: { kind: 'uniform' },
        reluLogits: true,
      });
    });
  },
);
