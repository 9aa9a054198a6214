import { afterAll, beforeAll, expect, it } from '@jest/globals';

import { Workplace } from './program.test.fixture.js';

const adapter = 'out/adapters/fixed-seed1';
const long = 'a fine film with a story that is told twice and never ends';
let place: Workplace;

beforeAll(async () => {
  place = await Workplace.open();
  await place.train('--task sst2 --data . --methods fixed --max-length 6 --output out');
}, 120_000);
afterAll(() => place.remove());

it('is remembered by an adapter, and can be another', async () => {
  const answers: string[] = [];
  for (const flag of ['', ' --max-length 6', ' --max-length 60'])
    answers.push((await place.warm(`predict ${adapter} --json${flag}`, long)).stdout);
  const [kept, same, other] = answers;
  expect(kept).toContain('probabilities');
  expect(kept).toBe(same);
  expect(kept).not.toBe(other);
  const { stdout } = await place.warm(['inspect', adapter, long]);
  // [CLS], four tokens of the text, [SEP].
  expect(stdout).toContain('[CLS] ‹p1 p2 p3 p4› a fine film with [SEP]\n');
});
