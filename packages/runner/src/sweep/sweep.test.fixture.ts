import type { MetricName } from '@dynaprompt/benchmarks';

import { parseCount } from '../options/values.js';
import type { StudyOptions } from '../study/options.js';
import { finished } from '../study/study.test.fixture.js';
import { parseSweepFile, type SweepFile } from './file.js';
import type { SweepJob } from './jobs.js';
import type { SweepApplication } from './options.js';
import { planSweep, type SweepDomain, type SweepPlan } from './plan.js';
import { type JobResult, SweepStore } from './store.js';

export interface ToyStudyOptions extends StudyOptions {
  readonly maxLength: number | null;
}

export const toyApplication: SweepApplication<ToyStudyOptions> = {
  backbone: 'toy',
  heads: ['linear', 'verbalizer'],
  requireTask: (name) => {
    if (name === 'unknown') throw new Error('no such task');
  },
  addOwn: (command) => {
    command.option('--max-length <count>', 'most tokens', parseCount);
  },
  complete: (options, { maxLength }) => ({
    ...options,
    maxLength: typeof maxLength === 'number' ? maxLength : null,
  }),
};

/** A domain whose data and model say what they are told to. */
export function toyDomain(
  changes: { data?: string; revision?: string; version?: string } = {},
): SweepDomain<string, ToyStudyOptions> & { readonly opened: string[] } {
  const { data = 'data', revision = 'model', version = '1' } = changes;
  const opened: string[] = [];
  return {
    opened,
    application: {
      name: 'toy',
      program: 'toy',
      command: 'toy',
      versions: { node: 'v20', dynaprompt: version },
      input: 'the text',
      faults: 'bad rows',
    },
    loadStudyTask: (name, { backbone, limit, dataSeed }) => {
      const examples = `${limit ?? 'all'}${dataSeed === 1 ? '' : `, draw ${dataSeed}`}`;
      opened.push(`${name} ${backbone} ${examples}`);
      return Promise.resolve({
        data: { metric: 'accuracy' as MetricName } as never,
        fingerprint: () => Promise.resolve(`${data} of ${name}, ${examples}`),
        open: () =>
          Promise.resolve({
            head: { kind: 'linear' },
            backbone: {
              description: { revision: `${revision} ${backbone}` },
              release: () => Promise.resolve(),
            } as never,
          }),
      });
    },
    runDetails: ({ maxLength }) => ({ maxLength }),
  };
}

/** A file of two methods and three seeds, with changes. */
export function toyFile(changes: Partial<SweepFile> = {}): SweepFile {
  const text = 'tasks: [sst2]\nmethods: [linear-probe, fixed]\nseeds: [1, 2, 3]\noptions: { steps: 20 }\n';
  return { ...parseSweepFile(text, 'sweep.yaml'), ...changes };
}

export function toyPlan(
  changes: Partial<SweepFile> = {},
  domain = toyDomain(),
): Promise<SweepPlan<ToyStudyOptions>> {
  return planSweep(domain, toyApplication, toyFile(changes), '.');
}

/** A job that went well, or failed where a message is given. */
export function resultOf(job: SweepJob, given: number | string): JobResult {
  const outcome =
    typeof given === 'number' ? finished({ final: given }) : { ok: false as const, message: given };
  return SweepStore.resultOf(job, outcome, 'machine');
}
