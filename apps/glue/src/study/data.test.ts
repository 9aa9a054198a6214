import { describe, expect, it } from '@jest/globals';

import { ConfigurationError } from '@dynaprompt/core';

import { fingerprintOf, loadStudyTask, requireClasses, tuningSplit } from './data.js';

const limits = { folders: {}, limit: 80, validationLimit: 30 };

describe('tuningSplit', () => {
  it('holds out a part of the training examples with the shares of their classes', async () => {
    const data = await loadStudyTask('spam-assassin', limits, 'nowhere');
    const { train, validation } = tuningSplit(data, 0.25);
    expect([train.length, validation.length]).toEqual([60, 20]);
    // A partition of the training examples, so nothing of the validation split.
    expect(new Set([...train, ...validation])).toEqual(new Set(data.train));
    const share = (split: readonly { label: number }[]): number =>
      split.filter(({ label }) => label === 1).length / split.length;
    expect(Math.abs(share(validation) - share(data.train))).toBeLessThan(1 / 20);
    expect(tuningSplit(data, 20)).toEqual({ train, validation });
  });

  it.each([0.001, 80, 100])('refuses to hold out %d of 80', async (holdout) => {
    const data = await loadStudyTask('spam-assassin', limits, 'nowhere');
    expect(() => tuningSplit(data, holdout)).toThrow(ConfigurationError);
  });
});

describe('fingerprintOf', () => {
  it('depends on texts and labels, not on where they come from', async () => {
    const data = await loadStudyTask('spam-assassin', limits, 'nowhere');
    const changed = (label: number, text: string): typeof data => ({
      ...data,
      source: 'elsewhere',
      train: data.train.map((example, index) => (index === 3 ? { ...example, label, text } : example)),
    });
    const { label = 0, text = '' } = data.train[3] ?? {};
    expect(fingerprintOf(changed(label, text))).toBe(fingerprintOf(data));
    expect(fingerprintOf(changed(1 - label, text))).not.toBe(fingerprintOf(data));
    expect(fingerprintOf(changed(label, `${text}.`))).not.toBe(fingerprintOf(data));
  });
});

describe('requireClasses', () => {
  it('refuses a task whose answers are no classes', () => {
    expect(() => {
      requireClasses({ name: 'similarity', labels: [] });
    }).toThrow(/similarity.*Leave it out/);
  });
});
