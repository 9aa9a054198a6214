import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

import { describe, expect, it } from '@jest/globals';
import { Command } from 'commander';
import { parseAllDocuments } from 'yaml';

import { addWorker, type WorkerPlaces } from './command.js';

const pathOf = (name: string): string => fileURLToPath(new URL(`../../templates/${name}`, import.meta.url));
const slurm = pathOf('slurm-workers.sbatch');

/** What the command line makes of words; unknown commands and flags are errors. */
async function placesOf(words: readonly string[]): Promise<WorkerPlaces> {
  let asked: WorkerPlaces | undefined;
  const program = new Command().exitOverride().configureOutput({ writeErr: () => undefined });
  addWorker(program, (places) => {
    asked = places;
    return Promise.resolve();
  });
  await program.parseAsync(words, { from: 'user' });
  if (asked === undefined) throw new Error('no worker was asked for');
  return asked;
}

/** Runs the script with a program that writes down what it is given. */
function slurmWords(environment: Record<string, string>): {
  words: string[];
  status: number | null;
  stderr: string;
} {
  const { stdout, status, stderr } = spawnSync('bash', [slurm], {
    env: { PATH: process.env.PATH, DYNAPROMPT_PROGRAM: 'echo', ...environment },
    encoding: 'utf8',
  });
  return { words: stdout.trim().split(' '), status, stderr };
}

describe('slurm-workers.sbatch', () => {
  it('is a script, and its directives stand before the first command', () => {
    expect(spawnSync('bash', ['-n', slurm], { encoding: 'utf8' })).toMatchObject({ status: 0, stderr: '' });
    const lines = readFileSync(slurm, 'utf8').split('\n');
    const first = lines.findIndex((line) => line !== '' && !line.startsWith('#'));
    const directives = lines.flatMap((line, index) => (line.startsWith('#SBATCH') ? [index] : []));
    expect(Math.max(...directives)).toBeLessThan(first);
    expect(lines).toContain('#SBATCH --array=0-7');
  });

  it('starts a worker with flags that there are', async () => {
    const { words, status } = slurmWords({ REDIS_URL: 'redis://there:7000/2', DATA_ROOT: '/data' });
    expect(status).toBe(0);
    const places = await placesOf(words);
    expect(places).toMatchObject({ queue: 'redis://there:7000/2', dataRoot: '/data', grace: 45, idle: 600 });
    // The signal comes a minute before the end.
    expect(places.grace).toBeLessThan(60);
  });

  it('says what is missing', () => {
    const { status, stderr } = slurmWords({});
    expect(status).not.toBe(0);
    expect(stderr).toContain('Give the queue of the sweep');
  });
});

interface IndexedJob {
  readonly apiVersion: string;
  readonly kind: string;
  readonly spec: {
    readonly completionMode: string;
    readonly completions: number;
    readonly parallelism: number;
    readonly template: {
      readonly spec: {
        readonly restartPolicy: string;
        readonly terminationGracePeriodSeconds: number;
        readonly volumes: readonly { readonly name: string }[];
        readonly containers: readonly {
          readonly command: readonly string[];
          readonly args: readonly string[];
          readonly env: readonly { readonly name: string }[];
          readonly volumeMounts: readonly { readonly name: string }[];
        }[];
      };
    };
  };
}

describe('kubernetes-workers.yaml', () => {
  const documents = parseAllDocuments(readFileSync(pathOf('kubernetes-workers.yaml'), 'utf8'));
  const job = documents[0]?.toJS() as IndexedJob;

  it('is one Indexed Job', () => {
    expect(documents).toHaveLength(1);
    expect(documents[0]?.errors).toEqual([]);
    expect(job).toMatchObject({
      apiVersion: 'batch/v1',
      kind: 'Job',
      spec: { completionMode: 'Indexed', template: { spec: { restartPolicy: 'Never' } } },
    });
    expect(job.spec.parallelism).toBeLessThanOrEqual(job.spec.completions);
  });

  it('starts a worker with flags, variables and volumes that there are', async () => {
    const { containers, volumes, terminationGracePeriodSeconds } = job.spec.template.spec;
    const [container] = containers;
    expect(container?.args.every((word) => typeof word === 'string')).toBe(true);
    const places = await placesOf(container?.args ?? []);
    expect(places).toMatchObject({ queue: '$(REDIS_URL)', dataRoot: '/data', grace: 45 });
    expect(places.grace).toBeLessThan(terminationGracePeriodSeconds);
    expect(container?.env.map(({ name }) => name)).toContain('REDIS_URL');
    const mounted = container?.volumeMounts.map(({ name }) => name);
    expect(mounted).toEqual(volumes.map(({ name }) => name));
    const manifest = readFileSync(new URL('../../../../apps/glue/package.json', import.meta.url), 'utf8');
    const { bin } = JSON.parse(manifest) as { bin: Record<string, string> };
    expect(Object.keys(bin)).toEqual(container?.command);
  });
});
