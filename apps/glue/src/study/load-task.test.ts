import { describe, expect, it } from '@jest/globals';

import { fingerprintOf, loadStudyTask } from './load-task.js';

const limits = { folders: {}, limit: 80, validationLimit: 30, dataSeed: 1 };

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
    const redrawn = await loadStudyTask('spam-assassin', { ...limits, dataSeed: 2 }, 'nowhere');
    expect(fingerprintOf(redrawn)).not.toBe(fingerprintOf(data));
  });
});
