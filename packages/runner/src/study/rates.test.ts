import { describe, expect, it } from '@jest/globals';

import { ConfigurationError } from '@dynaprompt/core';
import { methodNames } from '@dynaprompt/training';

import {
  candidatesOf,
  configurationOf,
  defaultGrid,
  describeRates,
  rateKindOf,
  requireEqualTuning,
} from './rates.js';
import { parseRatePairs, parseRateSettings } from './values.js';

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

  it('takes the rate of the head beside each where it is given, and the default where not', () => {
    const grid = {
      ...defaultGrid,
      prompt: [0.002, { rate: 0.002, head: 0.1 }],
      networks: [
        { prompt: 0.01, ratio: 1 },
        { prompt: 0.01, ratio: 1, head: 0.3 },
      ],
      weights: [{ rate: 7e-5, head: 0.003 }],
    };
    expect(candidatesOf('prompt', grid)).toMatchObject([
      { prompt: 0.002, head: 0.01 },
      { prompt: 0.002, head: 0.1 },
    ]);
    const [plain, other] = candidatesOf('networks', grid);
    expect([plain?.head, other?.head]).toEqual([0.01, 0.3]);
    expect(other && describeRates('networks', other)).toBe('prompt 0.01, networks 0.01, head 0.3');
    expect(plain && describeRates('networks', plain)).toBe('prompt 0.01, networks 0.01');
    expect(candidatesOf('weights', grid)).toMatchObject([{ weights: 7e-5, head: 0.003 }]);
  });

  it('changes one rate of a method without networks', () => {
    const grid = { ...defaultGrid, weights: [7e-5] };
    expect(candidatesOf('weights', grid)).toEqual([
      { prompt: 0.005, networks: 0.005, head: 0.01, weights: 7e-5 },
    ]);
  });
});

describe('settings on the command line', () => {
  it('may name the rate of the head', () => {
    expect(parseRateSettings('0.002, 0.01:0.1')).toEqual([0.002, { rate: 0.01, head: 0.1 }]);
    expect(parseRatePairs('0.01:2,0.01:2:0.3')).toEqual([
      { prompt: 0.01, ratio: 2 },
      { prompt: 0.01, ratio: 2, head: 0.3 },
    ]);
  });

  it.each(['0.1:0.2:0.3', '0.1:', ':0.1', 'x'])('are refused where they are malformed: %s', (text) => {
    expect(() => parseRateSettings(text)).toThrow();
    expect(() => parseRatePairs(`${text}:1:1`)).toThrow();
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
