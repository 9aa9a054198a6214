import { describe, expect, it } from '@jest/globals';

import { ConfigurationError } from '@dynaprompt/core';
import { methodNames } from '@dynaprompt/training';

import { candidatesOf, configurationOf, defaultGrid, rateKindOf, requireEqualTuning } from './rates.js';

const kindOf = (name: string, head: 'linear' | 'verbalizer' = 'linear'): string =>
  rateKindOf(name, configurationOf(name, 4).configuration, head);

describe('rateKindOf', () => {
  it.each([
    ['frozen', 'head'],
    ['linear-probe', 'head'],
    ['fine-tuning', 'weights'],
    ['fixed', 'prompt'],
    ['fixed_back', 'prompt'],
    ['deep', 'prompt'],
    ['p_tuning', 'networks'],
    ['adap_pos', 'networks'],
    ['adap_length', 'networks'],
    ['adap_ins_vec', 'networks'],
    ['dynamic', 'networks'],
    ['faithful:adap_ins_pos', 'networks'],
  ])('tunes %s over %s', (name, kind) => {
    expect(kindOf(name)).toBe(kind);
  });

  it('has nothing to tune where nothing is trained', () => {
    expect(kindOf('frozen', 'verbalizer')).toBe('none');
    expect(candidatesOf('none', defaultGrid)).toHaveLength(1);
  });
});

describe('candidatesOf', () => {
  it('gives every method of a linear head equally many settings, none twice', () => {
    for (const name of methodNames) {
      const settings = candidatesOf(
        rateKindOf(name, configurationOf(name, 4).configuration, 'linear'),
        defaultGrid,
      );
      expect(new Set(settings.map((rates) => JSON.stringify(rates))).size).toBe(6);
    }
  });

  it('takes the network rate as a multiple of the prompt rate, without the rounding of the product', () => {
    const grid = { ...defaultGrid, networks: [{ prompt: 0.003, ratio: 0.1 }] };
    expect(candidatesOf('networks', grid)).toMatchObject([{ prompt: 0.003, networks: 0.0003, head: 0.01 }]);
  });

  it('changes one rate of a method without networks', () => {
    const grid = { ...defaultGrid, weights: [7e-5] };
    expect(candidatesOf('weights', grid)).toEqual([
      { prompt: 0.005, networks: 0.005, head: 0.01, weights: 7e-5 },
    ]);
  });
});

describe('requireEqualTuning', () => {
  it('refuses lists of different lengths and counts them', () => {
    expect(() => {
      requireEqualTuning({ ...defaultGrid, head: [0.1] });
    }).toThrow(ConfigurationError);
    expect(() => {
      requireEqualTuning({ ...defaultGrid, head: [0.1] });
    }).toThrow(/prompt 6, networks 6, head 1, weights 6/);
  });
});

describe('configurationOf', () => {
  it('lays a penalty on top of a preset', () => {
    const { configuration } = configurationOf('adap_ins_length', 4, 0.03);
    expect(configuration).toMatchObject({ slots: 4, length: { level: 'instance', penalty: 0.03 } });
  });
});
