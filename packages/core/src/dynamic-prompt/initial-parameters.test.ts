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
    const parameters = await initialParameters(preset('adap_ins_vec', { slots }), {
      width,
      seed: 1,
      rows: (count, offset) => {
        asked.push([count, offset]);
        return Promise.resolve(rows(count, offset));
      },
    });
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
    const parameters = await initialParameters(configuration, { width, seed: 1, rows });
    const exponentials = [...(parameters.get('length.bias')?.values ?? [])].map(Math.exp);
    const sum = exponentials.reduce((total, value) => total + value, 0);
    const probabilities = exponentials.map((value) => value / sum);
    expect(probabilities[2]).toBeCloseTo(0.7, 5);
    expect(probabilities[0]).toBeCloseTo(0.3 / slots, 5);
  });

  it('draws uniform prompts inside their range, by seed', async () => {
    const configuration = parseConfiguration({ initialisation: { kind: 'uniform', range: 0.1 } });
    const draw = async (seed: number): Promise<Float32Array> =>
      (await initialParameters(configuration, { width, seed })).get('representation.prompt')?.values ??
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
    const parameters = await initialParameters(configuration, { width, seed: 1, given });
    given.fill(0);
    expect(parameters.get('representation.prompt')?.values).toEqual(rows(slots, 3));
  });

  it.each([
    ['vocab', {}, /rows: is missing/],
    ['vocab', { rows: () => new Float32Array(1) }, /gave 1 values/],
    ['given', {}, /has 0 values, 24 are needed/],
    ['given', { given: new Float32Array(5) }, /has 5 values/],
  ] as const)('refuses a source that does not serve %s', async (kind, source, message) => {
    const configuration = parseConfiguration({ slots, initialisation: { kind } });
    const attempt = initialParameters(configuration, { width, seed: 1, ...source });
    await expect(attempt).rejects.toThrow(ConfigurationError);
    await expect(attempt).rejects.toThrow(message);
  });
});
