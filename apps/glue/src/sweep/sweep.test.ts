import { spawnSync } from 'node:child_process';
import { appendFile, readdir, readFile, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

import type { SweepSummary } from '@dynaprompt/runner';
import { lockFolder } from '@dynaprompt/training';

import { Workplace } from '../predict/program.test.fixture.js';

const program = fileURLToPath(new URL('../../dist/main.js', import.meta.url));
const small = 'steps: 2, batch: 4, slots: 3, maxLength: 16, limit: 20, validationLimit: 10';
const yaml = `
tasks: [spam-assassin]
methods: [linear-probe, fixed]
seeds: [1, 2]
options: { ${small}, learningRates: { prompt: [0.005, 0.05] } }
`;
/** The probe has no prompt: 2 seeds; the prompt 2 rates × 2 seeds. */
const jobs = 2 + 4;
let place: Workplace;
let folder: string;

async function summaryOf(output: string): Promise<SweepSummary> {
  return JSON.parse(await readFile(join(folder, output, 'summary.json'), 'utf8')) as SweepSummary;
}

async function keysOf(output: string): Promise<string[]> {
  const lines = (await readFile(join(folder, output, 'sweep.jsonl'), 'utf8')).split('\n');
  return lines.filter((line) => line !== '').map((line) => (JSON.parse(line) as { key: string }).key);
}

beforeAll(async () => {
  place = await Workplace.open();
  folder = place.folder;
  await writeFile(join(folder, 'sweep.yaml'), yaml);
});

afterAll(() => place.remove());

describe('sweep', () => {
  it('goes on after it was killed and its last line was torn, with the same scores', async () => {
    const words = 'sweep --config sweep.yaml --workers 1';
    const started = place.start(...`${words} --output resumed`.split(' '));
    await started.line(new RegExp(`\\[2/${jobs}\\]`));
    started.signal('SIGKILL');
    expect((await started.outcome()).code).toBeNull();
    const before = await keysOf('resumed');
    expect(before.length).toBeGreaterThanOrEqual(2);
    const journal = join(folder, 'resumed', 'sweep.jsonl');
    await appendFile(journal, '{"key":"half a li');

    const resumed = await place.glue(`${words} --output resumed`);
    expect({ code: resumed.code, stderr: resumed.stderr }).toEqual({ code: 0, stderr: '' });
    const keys = await keysOf('resumed');
    expect(keys.slice(0, before.length)).toEqual(before);
    expect([keys.length, new Set(keys).size]).toEqual([jobs, jobs]);
    expect((await readdir(join(folder, 'resumed', 'results'))).sort()).toEqual(
      keys.map((key) => `${key}.json`).sort(),
    );

    expect((await place.warm(`${words} --output straight`)).code).toBe(0);
    const scores = ({ rows }: SweepSummary): unknown =>
      rows.map(({ method, varied, keys: named, final }) => ({ method, varied, named, final }));
    const summary = await summaryOf('resumed');
    expect(scores(summary)).toEqual(scores(await summaryOf('straight')));
    expect(summary.jobs).toEqual({ planned: jobs, finished: jobs, failed: 0 });
    expect(summary.rows.map(({ method, seeds }) => [method, seeds])).toEqual(
      ['linear-probe', 'fixed', 'linear-probe', 'fixed'].map((method) => [method, [1, 2]]),
    );
    for (const part of ['− fixed', 'p (Holm)', 'learningRates.prompt 0.05']) {
      expect(resumed.stdout).toContain(part);
    }

    // Nothing is left to do; a result that lost its line is not done again.
    await truncate(journal, 0);
    const again = await place.warm(`${words} --output resumed`);
    expect(again.stdout).toContain(`${jobs} jobs, ${jobs} of them done before`);
    expect(scores(await summaryOf('resumed'))).toEqual(scores(summary));
  }, 240_000);

  it('leaves a folder alone that another sweep works in', async () => {
    const lock = await lockFolder(join(folder, 'held'));
    const { code, stderr } = await place.warm('sweep --config sweep.yaml --output held');
    expect(code).toBe(1);
    expect(stderr).toContain(`held: another run works in it (process ${process.pid} on `);
    expect(await readdir(join(folder, 'held'))).toEqual(['run.lock']);
    await lock.release();
  }, 60_000);

  it('ends in one line where results cannot be written, with what was written before', async () => {
    const words = ['sweep', '--config', 'sweep.yaml', '--output', 'full'];
    // Files of at most 1 KiB, which the results of jobs are above; ignored, so that the write fails instead of the process.
    const { status, stderr } = spawnSync(
      'bash',
      ['-c', 'trap "" XFSZ; ulimit -f 1; exec "$@"', 'bash', process.execPath, program, ...words],
      {
        cwd: folder,
        encoding: 'utf8',
        env: { ...process.env, DYNAPROMPT_CACHE: join(folder, 'cache'), DEBUG: '' },
      },
    );
    expect(status).toBe(1);
    expect(stderr).toMatch(/^@dynaprompt\/runner: .*\.json: it cannot be written \(EFBIG.*\n$/);
    expect(await readdir(join(folder, 'full', 'results'))).toEqual([]);
    expect(await readdir(join(folder, 'full'))).not.toContain('run.lock');
  }, 120_000);

  it('ends with 1 where jobs failed, says why, and tries them again when asked', async () => {
    // A verbaliser has no linear layer to train.
    await writeFile(
      join(folder, 'failing.yaml'),
      `tasks: [spam-assassin]\nmethods: [linear-probe, fixed]\nseeds: [1]\noptions: { ${small}, head: verbalizer }\n`,
    );
    const words = 'sweep --config failing.yaml --workers 1 --output failing';
    const { code, stdout, stderr } = await place.glue(words);
    expect(code).toBe(1);
    expect(stderr).toMatch(/^@dynaprompt\/runner: sweep: 1 jobs failed; .*--retry-failed.*\n$/);
    expect(stdout).toMatch(/failed {3}spam-assassin linear-probe, –, seed 1: .*not a linear map/);
    expect(await summaryOf('failing')).toMatchObject({ jobs: { planned: 2, finished: 1, failed: 1 } });
    expect((await place.warm(words)).code).toBe(1);
    expect(await keysOf('failing')).toHaveLength(2);
    expect((await place.warm(`${words} --retry-failed`)).code).toBe(1);
    expect(await keysOf('failing')).toHaveLength(3);
  }, 120_000);

  it.each([
    [
      'a typing error',
      'tasks: [spam-assassin]\nmethods: [fixed]\nseeds: [1]\noptions: { stepz: 3 }\n',
      /Did you mean steps/,
    ],
    ['an unknown task', 'tasks: [nothing]\nmethods: [fixed]\nseeds: [1]\n', /nothing/],
    [
      'an unknown backbone',
      'tasks: [spam-assassin]\nbackbones: [./none]\nmethods: [fixed]\nseeds: [1]\n',
      /\.\/none/,
    ],
  ])('says in one line what is wrong: %s', async (_, text, message) => {
    await writeFile(join(folder, 'wrong.yaml'), text);
    const { code, stderr } = await place.warm('sweep --config wrong.yaml --output never');
    expect(code).toBe(1);
    expect(stderr).toMatch(message);
    expect(stderr.trimEnd().split('\n')).toHaveLength(1);
    expect(await readdir(folder)).not.toContain('never');
  });

  it('says within seconds that a queue is not there', async () => {
    // Port 1 is reserved, nobody listens.
    for (const words of ['sweep --config sweep.yaml --output never', 'worker']) {
      const { code, stderr } = await place.glue(`${words} --queue redis://127.0.0.1:1`);
      expect(code).toBe(1);
      expect(stderr).toMatch(/queue redis:\/\/127\.0\.0\.1:1\/0: connect ECONNREFUSED.*\n$/);
    }
  });
});

describe('run --data-parallel', () => {
  const words =
    'run --task spam-assassin --methods dynamic --seeds 1 --slots 3 --steps 4 ' +
    '--limit 40 --validation-limit 10 --max-length 16';

  it('trains the same bits as one process that cuts its batches alike', async () => {
    const [together, alone] = await Promise.all([
      place.glue(`${words} --batch 8 --data-parallel 2 --output together`),
      place.warm(`${words} --batch 4 --accumulation 2 --output alone`),
    ]);
    expect([together.code, alone.code]).toEqual([0, 0]);
    const tensors = (output: string): Promise<Buffer> =>
      readFile(join(folder, output, 'adapters', 'dynamic-seed1', 'dynamic_prompt.safetensors'));
    expect((await tensors('together')).equals(await tensors('alone'))).toBe(true);
  }, 120_000);
});
