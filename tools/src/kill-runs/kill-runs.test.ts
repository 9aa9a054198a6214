import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { killRuns } from './kill-runs.js';
import { digestOf, train } from './training.js';

let scratch: string;

beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'kill-runs-test-'));
});

afterAll(async () => {
  await rm(scratch, { recursive: true, force: true });
});

describe('a run on mini-bert', () => {
  it.each(['dynamic', 'linear-probe', 'fine-tuning'])(
    'goes on from where it was stopped, bit for bit, %s',
    async (method) => {
      const training = { method, steps: 5, features: join(scratch, 'features') };
      const whole = await train(training);
      const folder = join(scratch, method);
      const controller = new AbortController();
      const stopped = train(
        { ...training, folder },
        {
          signal: controller.signal,
          events: (event) => {
            if (event.type === 'step' && event.step === 3) controller.abort();
          },
        },
      );
      await expect(stopped).rejects.toMatchObject({ step: 3, checkpoint: join(folder, 'checkpoint-3') });
      const resumed = await train({ ...training, folder });
      expect(resumed.resumedFrom).toBe(3);
      expect(digestOf(resumed)).toBe(digestOf(whole));
      // Any number counts.
      whole.evaluation.logits[0] = NaN;
      expect(digestOf(resumed)).not.toBe(digestOf(whole));
    },
    300_000,
  );

  it('ends as one that was left alone after it was killed', async () => {
    const report = await killRuns({ kills: 3, method: 'dynamic', seed: 4 });
    expect(report).toMatchObject({ kills: 3, steps: 38, identical: true, notices: [] });
    expect(report.resumedFrom).toBeGreaterThan(0);
  }, 300_000);
});
