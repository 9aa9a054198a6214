import { describe, expect, it } from '@jest/globals';
import { ConfigurationError, DataError } from '../errors.js';
import { restoreStream, stream } from './stream.js';

const count = 100_000;

function momentsOf(draw: () => number): { mean: number; variance: number } {
  const values = Float64Array.from({ length: count }, draw);
  const mean = values.reduce((sum, value) => sum + value, 0) / count;
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / count;
  return { mean, variance };
}

describe('stream', () => {
  it('gives pinned numbers, the same on every machine', () => {
    const random = stream(144, 'gumbel');
    expect([random.uniform(), random.uniform(), random.integer(1000), random.gumbel()]).toEqual([
      0.48517548583641734, 0.1864669052939758, 944, -0.3481347692086723,
    ]);
  });

  it('separates seeds, names and substreams', () => {
    const firsts = [
      stream(1, 'gumbel'),
      stream(2, 'gumbel'),
      stream(1, 'shuffle'),
      stream(1, 'gumbel').substream('a'),
      stream(1, 'gumbel').substream('b'),
      stream(-1, 'gumbel'),
      stream(2 ** 40 + 1, 'gumbel'),
    ].map((random) => random.uniform());
    expect(new Set(firsts).size).toBe(firsts.length);
  });

  it('gives a substream that does not depend on what was drawn before', () => {
    const drawn = stream(5, 'x');
    drawn.gumbels(10);
    expect(drawn.substream('y').uniform()).toBe(stream(5, 'x').substream('y').uniform());
  });

  it('continues bit for bit from a state that went through JSON', () => {
    const random = stream(7, 'training');
    random.normal();
    const saved = JSON.parse(JSON.stringify(random.state())) as ReturnType<typeof random.state>;
    const expected = [random.gumbel(), random.normal(), random.substream('z').uniform()];
    const resumed = restoreStream(saved);
    expect([resumed.gumbel(), resumed.normal(), resumed.substream('z').uniform()]).toEqual(expected);
  });

  it('draws Gumbel, normal and uniform numbers of the right moments', () => {
    const random = stream(3, 'moments');
    const gumbel = momentsOf(() => random.gumbel());
    expect(Math.abs(gumbel.mean - 0.5772)).toBeLessThan(0.02);
    expect(Math.abs(gumbel.variance - Math.PI ** 2 / 6)).toBeLessThan(0.05);
    const normal = momentsOf(() => random.normal());
    expect(Math.abs(normal.mean)).toBeLessThan(0.015);
    expect(Math.abs(normal.variance - 1)).toBeLessThan(0.025);
    const uniform = momentsOf(() => random.uniform());
    expect(Math.abs(uniform.mean - 0.5)).toBeLessThan(0.005);
    expect(Math.abs(uniform.variance - 1 / 12)).toBeLessThan(0.002);
  });

  it('makes arg-max of logits + Gumbel noise a draw from their softmax', () => {
    const random = stream(11, 'categorical');
    const probabilities = [0.6, 0.3, 0.1];
    const counts = [0, 0, 0];
    for (let draw = 0; draw < count; draw++) {
      const scores = probabilities.map((value) => Math.log(value) + random.gumbel());
      const best = scores.indexOf(Math.max(...scores));
      counts[best] = (counts[best] ?? 0) + 1;
    }
    probabilities.forEach((probability, index) => {
      expect(Math.abs((counts[index] ?? 0) / count - probability)).toBeLessThan(0.008);
    });
  });

  it('shuffles in place into every order equally often', () => {
    const random = stream(1, 'shuffle');
    const orders = new Map<string, number>();
    for (let draw = 0; draw < 6000; draw++) {
      const order = random.shuffle(['a', 'b', 'c']).join('');
      orders.set(order, (orders.get(order) ?? 0) + 1);
    }
    expect(orders.size).toBe(6);
    for (const times of orders.values()) expect(Math.abs(times - 1000)).toBeLessThan(130);
  });

  it('refuses what is not a seed, a bound or a state', () => {
    expect(() => stream(0.5, 'x')).toThrow(ConfigurationError);
    expect(() => stream(1, 'x').integer(0)).toThrow(/positive integer/);
    expect(() => restoreStream({ key: '1/x', words: [1, 2, 3] })).toThrow(DataError);
    expect(() => restoreStream({ key: '1/x', words: [0, 0, 0, 0] })).toThrow(DataError);
  });
});
