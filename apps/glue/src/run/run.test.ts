import { existsSync, readFileSync } from 'node:fs';
import { readdir, readFile, writeFile } from 'node:fs/promises';

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

import { parseResults, type RunResults } from '@dynaprompt/benchmarks';

import { Workplace } from '../predict/program.test.fixture.js';

let place: Workplace;

beforeAll(async () => {
  place = await Workplace.open();
});

afterAll(() => place.remove());

const run = 'run --task sst2 --data . --methods fixed,dynamic --seeds 1 --steps 12 --batch 2 --slots 4';
const long = run.replace('--steps 12', '--steps 3000');

async function resultsIn(folder: string): Promise<RunResults> {
  return parseResults(JSON.parse(await readFile(place.path(folder, 'results.json'), 'utf8')), folder);
}

/** All of a method but how long it took. */
function timeless(method: RunResults['methods'][string] | undefined): unknown {
  return { ...method, seconds: [] };
}

/** Objects of lines of JSON. */
function eventsOf(stdout: string): { readonly type: string; readonly [field: string]: unknown }[] {
  return stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as { type: string });
}

describe('a run that is interrupted', () => {
  it('goes on where it was killed, to the same numbers', async () => {
    expect(await place.warm(`${run} --output whole`)).toMatchObject({ code: 0 });
    const words = `${run} --output cut --checkpoint-every 1`;
    const cut = place.start(...`${words} --json-events`.split(' '));
    const { pid } = JSON.parse(await cut.line(/"process"/)) as { pid: number };
    await cut.line(/"step".*"step":5,.*"dynamic"/);
    process.kill(pid, 'SIGKILL');
    const killed = await cut.outcome();
    expect(killed.code).toBe(1);
    expect(killed.stderr).toMatch(
      /dynamic, seed 1, after step \d+ of 12: its process was ended by SIGKILL.*--resume/,
    );
    expect(killed.stderr.trimEnd().split('\n')).toHaveLength(1);
    expect(eventsOf(killed.stdout).at(-1)).toMatchObject({ type: 'failed' });
    expect(await readdir(place.path('cut'))).toEqual(['checkpoints']);

    const refused = await place.warm(words);
    expect(refused.code).toBe(1);
    expect(refused.stderr).toMatch(/--output cut: .*interrupted.*--resume/);
    const other = await place.warm(`${words} --resume --learning-rate 0.1`);
    expect(other.code).toBe(1);
    expect(other.stderr).toMatch(/belongs to another run: settings\.learningRates\.prompt is 0\.005/);

    const resumed = await place.glue(`${words} --resume`);
    expect(resumed.code).toBe(0);
    expect(resumed.stdout).toMatch(/fixed, seed 1: goes on after step 12\/12/);
    expect(resumed.stdout).toMatch(/dynamic, seed 1: goes on after step [4-9]\/12/);
    const [whole, again] = [await resultsIn('whole'), await resultsIn('cut')];
    for (const method of ['fixed', 'dynamic']) {
      // Curves and scores, and what was chosen in the course of training.
      expect(timeless(again.methods[method])).toEqual(timeless(whole.methods[method]));
      const tensors = ['adapters', `${method}-seed1`, 'dynamic_prompt.safetensors'];
      const expected = await readFile(place.path('whole', ...tensors));
      expect((await readFile(place.path('cut', ...tensors))).equals(expected)).toBe(true);
    }
    const evaluated = again.methods.dynamic?.curves[0]?.validation.map(({ step }) => step);
    expect(again.methods.dynamic?.usageOverTraining?.map(({ step }) => step)).toEqual(evaluated);
    expect(existsSync(place.path('cut', 'checkpoints'))).toBe(false);
  }, 180_000);

  it('stops in order at Ctrl-C, and holds its folder until then', async () => {
    const first = place.start(...`${long} --output held`.split(' '));
    await first.line(/step 1\/3000/);
    const second = await place.warm(`${long} --output held`);
    expect(second.code).toBe(1);
    expect(second.stderr).toMatch(/held: another run works in it \(process \d+/);
    first.signal('SIGINT');
    const { code, stderr, stdout } = await first.outcome();
    expect(code).toBe(130);
    expect(stderr).toMatch(
      /stopped; its checkpoints are kept in .*held.checkpoints\..*--resume to go on\.\n$/,
    );
    expect(stdout).toContain('Ctrl-C again ends at once');
    expect(await readdir(place.path('held'))).toEqual(['checkpoints']);
    // What was interrupted can be given up.
    const anew = await place.warm(`${run} --methods fixed --output held --force`);
    expect(anew.code).toBe(0);
    expect(anew.stdout).not.toContain('goes on');
  }, 180_000);

  it('ends at once at the second Ctrl-C, without leaving anything running', async () => {
    const started = place.start(...`${long} --output twice --json-events`.split(' '));
    const { pid } = JSON.parse(await started.line(/"process"/)) as { pid: number };
    await started.line(/"step"/);
    started.signal('SIGINT');
    started.signal('SIGINT');
    expect((await started.outcome()).code).toBe(130);
    while (isRunning(pid)) await new Promise((resolve) => setTimeout(resolve, 20));
  }, 120_000);

  it('leaves nothing where nothing was done, in this process too', async () => {
    const words = `${run} --data nowhere --output a/never`;
    for (const failed of [await place.glue(words), await place.warm(words)]) {
      expect(failed.code).toBe(1);
      expect(failed.stderr).toContain('nowhere');
      expect(existsSync(place.path('a'))).toBe(false);
    }
  }, 60_000);
});

describe('how a run goes', () => {
  it('is the same in this process, and can be read by programs', async () => {
    const alone = await place.warm(`${run} --output alone --json-events`);
    const apart = await place.glue(`${run} --output apart --json-events`);
    for (const { code, stdout, stderr } of [alone, apart]) {
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
      const events = eventsOf(stdout);
      expect(events.filter(({ type }) => type === 'step')).toHaveLength(24);
      expect(events.find(({ type }) => type === 'opened')).toMatchObject({
        runs: 2,
        tasks: [{ name: 'sst2', train: 4, validation: 4 }],
      });
      expect(events.at(-1)).toMatchObject({ type: 'written', final: { fixed: [expect.any(Number)] } });
    }
    const [first, second] = [await resultsIn('alone'), await resultsIn('apart')];
    expect(second.methods.dynamic?.curves).toEqual(first.methods.dynamic?.curves);
    expect(eventsOf(alone.stdout).some(({ type }) => type === 'process')).toBe(false);
  }, 120_000);

  it('ends early, and stores all that it was told', async () => {
    const words = `${run} --methods fixed --evaluate-every 2 --early-stopping 1 --minimum-gain 1 --nan-policy skip`;
    const { code } = await place.warm(`${words} --set prompt.position.mode=insert --output early`);
    expect(code).toBe(0);
    const { config, methods, versions, backboneDetails } = await resultsIn('early');
    // No score is better than the first one by 1.
    expect(methods.fixed?.curves[0]?.validation.map(({ step }) => step)).toEqual([2, 4]);
    expect(config).toMatchObject({
      dtype: 'fp32',
      seeds: [1],
      dataSeed: 1,
      nanPolicy: 'skip',
      earlyStopping: { patience: 1, minimumGain: 1 },
      prompt: { position: { mode: 'insert' } },
      prompts: { fixed: { position: { mode: 'insert' }, slots: 4 } },
      settings: { batch: 2, nanPolicy: 'skip', learningRates: { prompt: 0.005 } },
    });
    expect(versions).toHaveProperty('onnxruntime-node');
    expect(backboneDetails.revision).toMatch(/^[0-9a-f]{16}$/);
  }, 60_000);
});

describe('a run whose loss is not finite', () => {
  const words = `${run} --methods fixed --steps 4 --evaluate-every 4 --learning-rate 1e38 --clip-norm none`;

  it('stops before the update, names the batch, and keeps the state of before', async () => {
    const { code, stderr } = await place.glue(`${words} --output broken`);
    expect(code).toBe(1);
    expect(stderr).toMatch(/step 2, examples \S+, \S+: the loss is not finite; the step was not taken/);
    expect(stderr.trimEnd().split('\n')).toHaveLength(1);
    const kept = await readdir(place.path('broken', 'checkpoints', 'fixed-seed1'));
    expect(kept).toEqual(['checkpoint-1']);
  }, 60_000);

  it('goes on without such steps where it may, but gives no score to what predicts nothing', async () => {
    const { code, stdout, stderr } = await place.warm(`${words} --output broken --resume --nan-policy skip`);
    expect(stdout).toContain('fixed, seed 1: goes on after step 1/4');
    for (const step of [2, 3, 4]) {
      expect(stdout).toContain(`step ${step} was left out, the loss is not finite; examples `);
    }
    expect(code).toBe(1);
    expect(stderr).toMatch(/after step 4: the predictions for 4 of 4 validation examples are not finite/);
    expect(existsSync(place.path('broken', 'results.json'))).toBe(false);
  }, 60_000);
});

describe('before a run', () => {
  it('reads and prints configurations', async () => {
    const printed = await place.glue(`${run} --print-config`);
    expect(printed.code).toBe(0);
    await writeFile(place.path('run.yaml'), printed.stdout);
    const again = await place.warm('run --config run.yaml --print-config');
    expect(again).toEqual(printed);
    const wrong = await place.warm('run --config run.yaml --set stepz=3');
    expect(wrong.code).toBe(1);
    expect(wrong.stderr).toBe(
      '@dynaprompt/runner: --set stepz: there is no option of that name. Did you mean steps.\n',
    );
  });

  it('says what would be trained and what that takes, without a trace', async () => {
    const before = await readdir(place.folder);
    const methods = '--methods frozen,fixed,dynamic,fine-tuning';
    const { code, stdout } = await place.warm(`${run} ${methods} --dry-run --json --output not-yet`);
    expect(code).toBe(0);
    expect(await readdir(place.folder)).toEqual(before);
    const found = JSON.parse(stdout) as {
      readonly methods: { method: string; trainableParameters: number; stepSeconds: number }[];
      readonly [field: string]: unknown;
    };
    expect(found).toMatchObject({
      backbone: { name: 'mini-bert', parameters: 5_364_480 },
      tasks: [{ name: 'sst2', train: 4, validation: 4, batch: 2, logits: [2, 2] }],
    });
    const parameters = Object.fromEntries(
      found.methods.map((method) => [method.method, method.trainableParameters]),
    );
    const head = 2 * 256 + 2;
    expect(parameters).toMatchObject({ frozen: head, fixed: head + 4 * 256 });
    // As the runs themselves count.
    const { methods: trained } = await resultsIn('whole');
    expect(parameters.dynamic).toBe(trained.dynamic?.trainableParameters);
    for (const { method, stepSeconds } of found.methods) expect(stepSeconds > 0).toBe(method !== 'frozen');
    expect((await place.warm(`${run} --dry-run`)).stdout).toMatch(/Nothing was trained or written/);
  }, 120_000);

  it('refuses element types that the backbone does not have', async () => {
    const { code, stderr } = await place.warm(`${run} --dtype q8 --output never`);
    expect(code).toBe(1);
    expect(stderr).toMatch(/mini-bert.*fp32/);
    expect(stderr.trimEnd().split('\n')).toHaveLength(1);
  });
});

describe('doctor', () => {
  it('finds that this installation works', async () => {
    const { code, stdout } = await place.glue('doctor --json');
    expect(code).toBe(0);
    const { ok, findings } = JSON.parse(stdout) as {
      ok: boolean;
      findings: { name: string; state: string }[];
    };
    expect(ok).toBe(true);
    const names = ['node', 'onnxruntime', 'tfjs', 'memory', 'cores', 'cache', 'hub', 'models'];
    expect(findings.map(({ name }) => name)).toEqual(names);
    expect((await place.warm('doctor')).stdout).toMatch(
      /ok {4}onnxruntime .*cpu[^]*dynaprompt-glue can work/,
    );
  });
});

/** Whether a process is there and no zombie, which waits for whoever has inherited it. */
function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  const status = `/proc/${pid}/stat`;
  return !(existsSync(status) && readFileSync(status, 'utf8').includes(' Z '));
}
