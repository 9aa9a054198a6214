import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

import { RankLostError } from './errors.js';
import { launchRanks } from './launch.js';
import { Meeting } from './meeting.js';

let folder: string;
let script: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'dynaprompt-ranks-'));
  script = join(folder, 'rank.mjs');
  // Gathers two rounds, and writes down what it was given; `victim` names a rank that ends in between, and how.
  await writeFile(
    script,
    `import { writeFileSync } from 'node:fs';
    const [folder, victim = '', how = ''] = process.argv.slice(2);
    const rank = process.env.DYNAPROMPT_RANK;
    const gather = (round) => new Promise((resolve) => {
      process.once('message', resolve);
      process.send({ type: 'gather', round, message: Buffer.from(rank + ' of ' + round) });
    });
    for (const round of [0, 1]) {
      if (round === 1 && rank === victim) {
        if (how === 'kill') process.kill(process.pid, 'SIGKILL');
        console.error('no memory');
        process.exit(3);
      }
      const answer = await gather(round);
      const text = answer.type === 'lost'
        ? 'lost ' + answer.rank + ': ' + answer.how
        : answer.messages.map((message) => Buffer.from(message).toString()).join(', ');
      writeFileSync(folder + '/' + rank, text);
      if (answer.type === 'lost') process.exit(1);
    }
    process.disconnect();`,
  );
});

afterAll(() => rm(folder, { recursive: true, force: true }));

function launch(...words: string[]): Promise<number> {
  const { signal } = new AbortController();
  return launchRanks({ script, words: [folder, ...words], ranks: [0, 1, 2], hub: new Meeting(3), signal });
}

const written = (rank: number): Promise<string> => readFile(join(folder, `${rank}`), 'utf8');

describe('launchRanks', () => {
  it('joins processes', async () => {
    expect(await launch()).toBe(0);
    for (const rank of [0, 1, 2]) expect(await written(rank)).toBe('0 of 1, 1 of 1, 2 of 1');
  });

  it('tells the others which rank was killed', async () => {
    expect(await launch('1', 'kill')).toBe(1);
    for (const rank of [0, 2]) expect(await written(rank)).toBe('lost 1: ended by SIGKILL');
  });

  it('tells them what a rank complained of', async () => {
    expect(await launch('2', 'exit')).toBe(1);
    for (const rank of [0, 1]) expect(await written(rank)).toBe('lost 2: ended with exit code 3: no memory');
  });

  it('says itself that the first rank is gone', async () => {
    const launched = launch('0', 'kill');
    await expect(launched).rejects.toThrow(RankLostError);
    await expect(launched).rejects.toMatchObject({ rank: 0 });
  });
});
