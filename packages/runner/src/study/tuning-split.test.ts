import { describe, expect, it } from '@jest/globals';

import { ConfigurationError } from '@dynaprompt/core';

import { tuningSplit } from './tuning-split.js';

/** 80 examples, every fifth of the second class. */
const data = {
  name: 'numbers',
  train: Array.from({ length: 80 }, (_, index) => ({
    id: `${index}`,
    example: index,
    label: index % 5 === 0 ? 1 : 0,
  })),
};

describe('tuningSplit', () => {
  it('holds out a part of the training examples with the shares of their classes', () => {
    const { train, validation } = tuningSplit(data, 0.25);
    expect([train.length, validation.length]).toEqual([60, 20]);
    // A partition of the training examples.
    expect(new Set([...train, ...validation])).toEqual(new Set(data.train));
    expect(validation.filter(({ label }) => label === 1)).toHaveLength(4);
    expect(tuningSplit(data, 20)).toEqual({ train, validation });
  });

  it.each([0.001, 80, 100])('refuses to hold out %d of 80', (holdout) => {
    expect(() => tuningSplit(data, holdout)).toThrow(ConfigurationError);
  });
});
