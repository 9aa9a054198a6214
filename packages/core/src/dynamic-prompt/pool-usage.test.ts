import { beforeAll, describe, expect, it } from '@jest/globals';
import { selectBackend } from '../backend/select-backend.js';
import { ConfigurationError, DataError } from '../errors.js';
import { createAdamW } from '../optimisers/adamw.js';
import { stream } from '../random/stream.js';
import { normals } from '../testing/compare-gradients.test.fixture.js';
import { squaredVariation } from '../testing/soft-relaxation.test.fixture.js';
import { createDynamicPrompt } from './dynamic-prompt.js';
import type { DynamicPrompt } from './dynamic-prompt.js';
import { createPoolUsage } from './pool-usage.js';

const [slots, width, batch, pool] = [2, 6, 16, 4];
const features = normals(stream(1, 'features'), batch * width);

async function createPrompt(balance: number, mixture: 'soft' | 'hard' = 'soft'): Promise<DynamicPrompt> {
  const prompt = await createDynamicPrompt(
    {
      slots,
      representation: { kind: 'select', pool, mixture, balance },
      initialisation: { kind: 'uniform' },
    },
    { width, seed: 1 },
  );
  // Nearly collapsed: one entry takes almost everything.
  prompt.parameters.get('representation.bias')?.values.set([3, 0, 0, 0]);
  return prompt;
}

function rowsOf(values: Float32Array | undefined): number[][] {
  return Array.from({ length: batch }, (_, row) => [...(values ?? []).slice(row * pool, (row + 1) * pool)]);
}

describe('poolUsage', () => {
  it('counts the best entries, averages the weights and measures both entropies', () => {
    const usage = createPoolUsage(3);
    usage.add(Float32Array.of(1, 0, 0, 0.25, 0.5, 0.25));
    usage.add(Float32Array.of(0.5, 0.5, 0));
    const { examples, top, meanWeights, entropy, exampleEntropy } = usage.report();
    expect([examples, ...top]).toEqual([3, 2, 1, 0]);
    const expected = [1.75 / 3, 1 / 3, 0.25 / 3];
    expected.forEach((weight, entry) => {
      expect(meanWeights[entry]).toBeCloseTo(weight, 12);
    });
    expect(entropy).toBeCloseTo(-expected.reduce((sum, weight) => sum + weight * Math.log(weight), 0), 12);
    expect(exampleEntropy).toBeCloseTo((0 + 1.5 * Math.log(2) + Math.log(2)) / 3, 12);
  });

  it('reports zeros before it has seen an example', () => {
    expect(createPoolUsage(2).report()).toEqual({
      examples: 0,
      top: [0, 0],
      meanWeights: [0, 0],
      entropy: 0,
      exampleEntropy: 0,
    });
  });

  it('refuses what is no pool or no weights, and takes nothing of it in', () => {
    expect(() => createPoolUsage(0)).toThrow(ConfigurationError);
    const usage = createPoolUsage(2);
    for (const values of [[1], [1, 0, NaN, 0]]) {
      expect(() => {
        usage.add(Float32Array.from(values));
      }).toThrow(DataError);
    }
    expect(usage.report().examples).toBe(0);
  });
});

describe('representation.balance', () => {
  beforeAll(async () => {
    await selectBackend();
  });

  it.each(['soft', 'hard'] as const)('costs μ CV² of the mean weights of a %s pool', async (mixture) => {
    const soft = (await createPrompt(0)).plan(features, batch, { training: false });
    const { balance, penalty } = (await createPrompt(0.3, mixture)).plan(features, batch, {
      training: false,
    });
    expect(balance).toBeCloseTo(0.3 * squaredVariation(rowsOf(soft.choices.weights)), 5);
    expect(balance).toBeGreaterThan(0.3);
    expect(penalty).toBe(0);
    expect(soft.balance).toBe(0);
  });

  it('costs nothing where every entry is used alike', async () => {
    const prompt = await createPrompt(0.3);
    prompt.parameters.get('representation.bias')?.values.fill(0);
    expect(prompt.plan(features, batch, { training: false }).balance).toBeCloseTo(0, 6);
  });

  it('brings a collapsed pool back to even use, which no balance does not', async () => {
    const entropyAfter = async (balance: number): Promise<number> => {
      const prompt = await createPrompt(balance);
      const optimiser = createAdamW({ learningRate: 0.05, weightDecay: 0 });
      const prompts = new Float32Array(batch * slots * width);
      for (let step = 0; step < 150; step++) {
        const planned = prompt.plan(features, batch, { training: false });
        optimiser.step(
          prompt.parameters,
          planned.backward({ prompts, position: undefined, gates: undefined }),
        );
      }
      const usage = createPoolUsage(pool);
      const { weights } = prompt.plan(features, batch, { training: false }).choices;
      usage.add(weights ?? new Float32Array());
      return usage.report().entropy;
    };
    expect(await entropyAfter(1)).toBeGreaterThan(0.99 * Math.log(pool));
    expect(await entropyAfter(0)).toBeLessThan(0.5 * Math.log(pool));
  });
});
