import { expect, it } from '@jest/globals';
import { benchClip } from './clip.js';

it('measures steps with prompts that depend on the image against those that do not', async () => {
  const result = await benchClip({ batch: 2, classes: 2, slots: 2, rounds: 1 });
  const timing = { median: expect.any(Number), minimum: expect.any(Number), maximum: expect.any(Number) };
  expect(result).toMatchObject({
    benchmark: 'clip',
    shape: { batch: 2, classes: 2, slots: 2, width: 192 },
    texts: { coop: 2, coopDrawn: 4, cocoop: 4 },
    milliseconds: { coop: timing, coopDrawn: timing, cocoop: timing, cocoopByImage: timing },
  });
});
