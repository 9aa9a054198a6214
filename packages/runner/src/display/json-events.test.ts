import { describe, expect, it } from '@jest/globals';

import { JsonEvents } from './json-events.js';

describe('JsonEvents', () => {
  it('writes an object a line, with numbers that JSON has', () => {
    let text = '';
    const events = new JsonEvents({ write: (part) => (text += part) });
    events.write({ type: 'step', loss: NaN, task: 'line\nbreak' });
    events.write({ type: 'done' });
    events.end();
    const [first, second, ...rest] = text.split('\n');
    expect(JSON.parse(first ?? '')).toEqual({
      type: 'step',
      elapsed: expect.any(Number),
      loss: null,
      task: 'line\nbreak',
    });
    expect(JSON.parse(second ?? '')).toMatchObject({ type: 'done' });
    expect(rest).toEqual(['']);
  });
});
