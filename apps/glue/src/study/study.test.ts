import { existsSync, readFileSync } from 'node:fs';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

import type { StudyResults } from '@dynaprompt/runner';
import { lockFolder } from '@dynaprompt/training';

import { Workplace } from '../predict/program.test.fixture.js';

const words = [
  ...['study', '--tasks', 'spam-assassin', '--methods', 'linear-probe,fixed,dynamic', '--seeds', '1,2'],
  ...['--steps', '2', '--batch', '4', '--slots', '3', '--max-length', '16', '--limit', '20'],
  ...['--validation-limit', '10', '--length-penalty', '0,0.1'],
];
/** Two settings each, so that there is something to choose. */
const tuned = [
  ...['--prompt-rates', '0.005,0.01', '--network-rates', '0.005:0.1,0.01:1'],
  ...['--head-rates', '0.01,0.1', '--weights-rates', '0.0001,0.001'],
];
let place: Workplace;
let folder: string;

/** Words of a study that writes this page. */
function wordsOf(output: string, more: readonly string[] = []): readonly string[] {
  return [...words, ...tuned, '--output', `${output}.md`, ...more];
}

function linesOf(output: string): { key: string; run: { method: string } }[] {
  const lines = readFileSync(join(folder, `${output}.jsonl`), 'utf8').split('\n');
  return lines.filter((line) => line !== '').map((line) => JSON.parse(line) as never);
}

async function resultsOf(output: string): Promise<StudyResults> {
  return JSON.parse(await readFile(join(folder, `${output}.json`), 'utf8')) as StudyResults;
}

beforeAll(async () => {
  place = await Workplace.open();
  folder = place.folder;
});

afterAll(() => place.remove());

describe('study', () => {
  it('goes on after it was killed, with the same scores, and is rendered again around the notes', async () => {
    const started = place.start(...wordsOf('resumed'));
    await started.line(/^\[3\//);
    started.signal('SIGKILL');
    expect((await started.outcome()).code).toBeNull();
    expect(existsSync(join(folder, 'resumed.md'))).toBe(false);
    const before = linesOf('resumed').map(({ key }) => key);
    expect(before.length).toBeGreaterThanOrEqual(3);

    expect(await place.start(...wordsOf('resumed')).end()).toMatchObject({ code: 0, stderr: '' });
    const keys = linesOf('resumed').map(({ key }) => key);
    // Three methods and the length: two settings and two seeds; another penalty: two seeds.
    expect(keys).toHaveLength(4 * (2 + 2) + 2);
    expect(new Set(keys).size).toBe(keys.length);
    expect(keys.slice(0, before.length)).toEqual(before);

    await place.warm(wordsOf('straight', ['--workers', '1']));
    const scores = ({ tasks }: StudyResults): unknown =>
      tasks.flatMap(({ methods, penalties }) =>
        [...methods, ...penalties].map(({ method, final, rates, lengths }) => ({
          method,
          final,
          rates,
          lengths,
        })),
      );
    const results = await resultsOf('resumed');
    expect(scores(results)).toEqual(scores(await resultsOf('straight')));
    const [table] = results.tasks;
    expect(table?.methods.map(({ method, seeds }) => [method, seeds])).toEqual(
      ['linear-probe', 'fixed', 'dynamic'].map((method) => [method, [1, 2]]),
    );
    expect(table?.penalties.map(({ penalty }) => penalty)).toEqual([0, 0.1]);
    expect(table?.penalties[0]?.lengths).toHaveLength(4);
    expect(table?.task).toMatchObject({ train: 20, validation: 10 });

    const page = join(folder, 'resumed.md');
    const first = await readFile(page, 'utf8');
    await writeFile(page, first.replace('<!-- notes -->\n', '<!-- notes -->\n\nMine.\n\n'));
    const again = await place.warm(wordsOf('resumed'));
    expect(again.stdout.split('\n').filter((line) => line.startsWith('['))).toEqual([]);
    expect(await readFile(page, 'utf8')).toBe(
      first.replace('<!-- notes -->\n', '<!-- notes -->\n\nMine.\n\n'),
    );
  }, 240_000);

  it('records a run that fails, shows it, and tries it again when asked', async () => {
    // A verbaliser has no linear layer to train.
    const more = '--head verbalizer --methods linear-probe,fixed --length-penalty 0 --workers 1'.split(' ');
    const { code, stdout } = await place.warm(wordsOf('failing', more));
    expect(code).toBe(0);
    const of = (method: string): number =>
      linesOf('failing').filter(({ run }) => run.method === method).length;
    expect([of('linear-probe'), of('fixed')]).toEqual([2, 4]);
    expect(stdout).toMatch(/linear-probe tuning seed 101, head 0\.01: failed: .*not a linear map/);
    const page = await readFile(join(folder, 'failing.md'), 'utf8');
    expect(page).toMatch(/`linear-probe` .* failed /);
    expect(page).toMatch(/\nlinear-probe, tuning, seed 101, head 0\.1: .*not a linear map/);
    await place.warm(wordsOf('failing', more));
    expect(of('linear-probe')).toBe(2);
    await place.warm(wordsOf('failing', [...more, '--retry-failed']));
    expect([of('linear-probe'), of('fixed')]).toEqual([4, 4]);
  }, 240_000);

  it('leaves a journal alone that another study writes, and no lock behind', async () => {
    const lock = await lockFolder(join(folder, 'held.jsonl.lock'));
    const { code, stderr } = await place.warm(wordsOf('held'));
    expect(code).toBe(1);
    expect(stderr).toContain(`held.jsonl.lock: another run works in it (process ${process.pid} on `);
    expect(existsSync(join(folder, 'held.jsonl'))).toBe(false);
    await lock.release();
    const names = await readdir(folder);
    expect(names.filter((name) => name.endsWith('.lock'))).toEqual(['held.jsonl.lock']);
  }, 60_000);

  it('leaves a page alone that no study has written', async () => {
    await writeFile(join(folder, 'thesis.md'), '# Thesis\n');
    const { code, stderr } = await place.start(...wordsOf('thesis')).end();
    expect(code).toBe(1);
    expect(stderr).toMatch(/^@dynaprompt\/runner: --output thesis\.md: .*no study wrote it.*\n$/);
    expect(await readFile(join(folder, 'thesis.md'), 'utf8')).toBe('# Thesis\n');
    expect(existsSync(join(folder, 'thesis.jsonl'))).toBe(false);
  });
});
