import { describe, expect, it } from '@jest/globals';
import { parseConfiguration } from '../configuration.js';
import { ConfigurationError } from '../errors.js';
import { preset } from '../presets.js';
import { initialParameters } from './initial-parameters.js';

const width = 6;
const slots = 4;
const rows = (count: number, offset: number): Float32Array =>
  Float32Array.from({ length: count * width }, (_, index) => offset + Math.floor(index / width));

describe('initialParameters', () => {
  it('starts every pool entry from rows of its own', async () => {
    const asked: number[][] = [];
    const parameters = await initialParameters(
      preset('adap_ins_vec', { slots }),
      {
        width,
        seed: 1,
        rows: (count, offset) => {
          asked.push([count, offset]);
          return Promise.resolve(rows(count, offset));
        },
      },
      1,
    );
    expect(asked).toEqual([0, 1, 2, 3].map((entry) => [slots, entry * slots]));
    const pool = parameters.get('representation.pool');
    expect(pool?.shape).toEqual([4, slots, width]);
    expect(pool?.values.filter((_, index) => index % width === 0)).toEqual(
      Float32Array.from({ length: 16 }, (_, row) => row),
    );
  });

  it('gives the initial length its probability', async () => {
    const configuration = parseConfiguration({
      slots,
      length: { level: 'task', initial: 2, initialProbability: 0.7 },
    });
    const parameters = await initialParameters(configuration, { width, seed: 1, rows }, 1);
    const exponentials = [...(parameters.get('length.bias')?.values ?? [])].map(Math.exp);
    const sum = exponentials.reduce((total, value) => total + value, 0);
    const probabilities = exponentials.map((value) => value / sum);
    expect(probabilities[2]).toBeCloseTo(0.7, 5);
    expect(probabilities[0]).toBeCloseTo(0.3 / slots, 5);
  });

  it.each([
    [{ level: 'task', initial: 'front', initialProbability: 0.7 }, slots, slots, 0.7],
    [{ level: 'task', initial: 'back' }, 0, slots, 0.9],
    [{ level: 'task', mode: 'insert', anchors: 5, initial: 3 }, 3, 4, 0.9],
  ] as const)('gives the initial place its probability: %j', async (position, index, others, probability) => {
    const configuration = parseConfiguration({ slots, position });
    const parameters = await initialParameters(configuration, { width, seed: 1, rows }, 1);
    const exponentials = [...(parameters.get('position.bias')?.values ?? [])].map(Math.exp);
    const sum = exponentials.reduce((total, value) => total + value, 0);
    expect(exponentials).toHaveLength(others + 1);
    expect((exponentials[index] ?? 0) / sum).toBeCloseTo(probability, 5);
    expect((exponentials[1] ?? 0) / sum).toBeCloseTo((1 - probability) / others, 5);
  });

  it('draws uniform prompts inside their range, by seed', async () => {
    const configuration = parseConfiguration({ initialisation: { kind: 'uniform', range: 0.1 } });
    const draw = async (seed: number): Promise<Float32Array> =>
      (await initialParameters(configuration, { width, seed }, 1)).get('representation.prompt')?.values ??
      new Float32Array();
    const values = await draw(1);
    expect(Math.max(...values)).toBeLessThanOrEqual(0.1);
    expect(Math.max(...values)).toBeGreaterThan(0.08);
    expect(Math.min(...values)).toBeLessThan(-0.08);
    expect(await draw(1)).toEqual(values);
    expect(await draw(2)).not.toEqual(values);
  });

  it('takes given values as a copy', async () => {
    const configuration = parseConfiguration({ slots, initialisation: { kind: 'given' } });
    const given = rows(slots, 3);
    const parameters = await initialParameters(configuration, { width, seed: 1, given }, 1);
    given.fill(0);
    expect(parameters.get('representation.prompt')?.values).toEqual(rows(slots, 3));
  });

  it('starts every layer of every entry from rows of its own', async () => {
    const configuration = parseConfiguration({
      slots,
      layers: 3,
      representation: { kind: 'select', pool: 2 },
    });
    const asked: number[] = [];
    const parameters = await initialParameters(
      configuration,
      {
        width,
        seed: 1,
        rows: (count, offset) => {
          asked.push(offset);
          return rows(count, offset);
        },
      },
      3,
    );
    expect(asked).toEqual([0, 4, 8, 12, 16, 20]);
    const pool = parameters.get('representation.pool');
    expect(pool?.shape).toEqual([2, 3, slots, width]);
    expect(new Set(pool?.values).size).toBe(24);
  });

  it('has a bias for every task and one weight matrix', async () => {
    const configuration = parseConfiguration({
      slots,
      tasks: 2,
      position: { level: 'task' },
      length: { level: 'instance', initial: 1 },
      representation: { kind: 'generate', rank: 3 },
    });
    const parameters = await initialParameters(configuration, { width, seed: 1, rows }, 2);
    const shapes = Object.fromEntries([...parameters].map(([name, { shape }]) => [name, shape]));
    expect(shapes).toEqual({
      'position.bias': [2, slots + 1],
      'length.weight': [slots + 1, width],
      'length.bias': [2, slots + 1],
      'representation.prompt': [2, slots, width],
      'representation.update.weight': [2 * slots * 3, width],
      'representation.update.bias': [2, 2 * slots * 3],
      'representation.basis': [3, width],
    });
    const bias = [...(parameters.get('length.bias')?.values ?? [])];
    expect(bias.slice(0, slots + 1)).toEqual(bias.slice(slots + 1));
    expect(bias[1]).toBeCloseTo(Math.log((0.9 * slots) / 0.1), 5);
  });

  it('starts the perceptron with hidden activations of mean square 1, whatever the rows, and no output', async () => {
    const [wide, hidden] = [64, 400];
    for (const range of [0.01, 5]) {
      const configuration = parseConfiguration({
        slots: 40,
        initialisation: { kind: 'uniform', range },
        reparameterisation: { kind: 'mlp', hidden },
      });
      const parameters = await initialParameters(configuration, { width: wide, seed: 1 }, 1);
      const valuesOf = (name: string): Float32Array => parameters.get(name)?.values ?? new Float32Array();
      const layer = (input: Float32Array, inputs: number, weight: Float32Array): Float32Array =>
        new Float32Array((input.length / inputs) * hidden).map((_, index) => {
          const [row, unit] = [Math.floor(index / hidden), index % hidden];
          let sum = 0;
          for (let column = 0; column < inputs; column++) {
            sum += (input[row * inputs + column] ?? NaN) * (weight[unit * inputs + column] ?? NaN);
          }
          return Math.max(0, sum);
        });
      const first = layer(
        valuesOf('representation.prompt'),
        wide,
        valuesOf('reparameterisation.input.weight'),
      );
      const second = layer(first, hidden, valuesOf('reparameterisation.hidden.weight'));
      for (const activations of [first, second]) {
        const meanSquare = activations.reduce((sum, value) => sum + value ** 2, 0) / activations.length;
        expect(meanSquare).toBeGreaterThan(0.8);
        expect(meanSquare).toBeLessThan(1.25);
      }
      const zeros = ['input.bias', 'hidden.bias', 'output.weight', 'output.bias'];
      for (const name of zeros) {
        const values = valuesOf(`reparameterisation.${name}`);
        expect(values.length).toBeGreaterThan(0);
        expect(values.every((value) => value === 0)).toBe(true);
      }
    }
  });

  it.each([
    ['vocab', {}, /rows: is missing/],
    ['vocab', { rows: () => new Float32Array(1) }, /gave 1 values/],
    ['given', {}, /has 0 values, 24 are needed/],
    ['given', { given: new Float32Array(5) }, /has 5 values/],
  ] as const)('refuses a source that does not serve %s', async (kind, source, message) => {
    const configuration = parseConfiguration({ slots, initialisation: { kind } });
    const attempt = initialParameters(configuration, { width, seed: 1, ...source }, 1);
    await expect(attempt).rejects.toThrow(ConfigurationError);
    await expect(attempt).rejects.toThrow(message);
  });
});
