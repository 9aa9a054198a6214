import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

import { Workplace } from '../program.test.fixture.js';

const run =
  'run --task image-folder --data shapes --methods dynamic --seeds 1 --slots 3 --batch 4 --steps 40 ' +
  '--evaluate-every 10 --checkpoint-every 2 --data-parallel 2';
let place: Workplace;

beforeAll(async () => {
  place = await Workplace.open();
  await place.writeShapes('shapes', { train: 6, val: 3 });
});

afterAll(() => place.remove());

const adapterOf = (output: string): Promise<Buffer> =>
  readFile(place.path(output, 'adapters', 'dynamic-seed1', 'dynamic_prompt.safetensors'));

describe('run --data-parallel', () => {
  it('goes on with all ranks from the same step after it was killed or stopped, to the same bits', async () => {
    expect((await place.run(`${run} --output straight`)).code).toBe(0);
    const straight = await adapterOf('straight');
    for (const [output, signal] of [
      ['killed', 'SIGKILL'],
      ['stopped', 'SIGINT'],
    ] as const) {
      const words = `${run} --output ${output}`;
      const cut = await place.run(words, { interruptAt: 'step 8/40', signal });
      expect(cut.code).toBe(signal === 'SIGKILL' ? null : 130);
      expect(cut.stderr).toContain('--resume');
      expect(existsSync(place.path(output, 'results.json'))).toBe(false);

      // Sums are taken in the order of the passes, so two ranks cannot go on as one.
      const alone = await place.run(`${words.replace(' --data-parallel 2', '')} --resume`);
      expect({ code: alone.code, stderr: alone.stderr }).toMatchObject({
        code: 1,
        stderr: expect.stringMatching(/ranks is 2 in the checkpoint and 1 here/),
      });

      const resumed = await place.run(`${words} --resume`);
      expect({ code: resumed.code, stderr: resumed.stderr }).toEqual({ code: 0, stderr: '' });
      const [, step] = /goes on after step (\d+)\/40/.exec(resumed.stdout) ?? [];
      expect(Number(step)).toBeGreaterThanOrEqual(6);
      expect(Number(step)).toBeLessThan(40);
      expect((await adapterOf(output)).equals(straight)).toBe(true);
      expect(existsSync(place.path(output, 'checkpoints'))).toBe(false);
    }
  }, 240_000);
});
