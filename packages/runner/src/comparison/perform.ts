import {
  type RunRecord,
  type RunResults,
  scoreTitle,
  writeRun,
  type WrittenRun,
} from '@dynaprompt/benchmarks';
import type { BackboneDescription } from '@dynaprompt/core';
import type { Adapter, TrainingEvent } from '@dynaprompt/training';

import type { Domain } from '../domain.js';
import type { ComparisonOptions } from '../options/comparison.js';
import { saveAdapters } from '../output/save-adapters.js';
import { compare, type ComparisonScene } from './comparison.js';
import { introduction } from './introduction.js';
import type { CheckpointPlan, RunMeans } from './runs.js';
import { metricOf } from './summary.js';

/** What a comparison needs of a domain. */
export type ComparisonDomain<Example, Options extends ComparisonOptions> = Pick<
  Domain<Example, Options>,
  'application' | 'load' | 'measure' | 'baselines'
>;

/** A comparison to be made. Plain data, which can be sent to another process. */
export interface ComparisonRequest<Options extends ComparisonOptions> {
  readonly options: Options;
  /** Folder for results and adapters. */
  readonly output: string;
  /** Absent: the state of runs is not kept. */
  readonly checkpoints: CheckpointPlan | undefined;
}

/** Data and backbone, as they can be sent and shown. */
export interface SceneFacts {
  /** For people. */
  readonly introduction: string;
  /** Title of the score. */
  readonly metric: string;
  /** Runs to come: methods × seeds. */
  readonly runs: number;
  readonly backbone: BackboneDescription;
  /** Package that computes the small networks. */
  readonly networks: string;
  readonly tasks: readonly { readonly name: string; readonly train: number; readonly validation: number }[];
}

/** What happens in a comparison. Plain data. */
export type ComparisonMessage =
  | { readonly type: 'opened'; readonly scene: SceneFacts }
  | { readonly type: 'event'; readonly event: TrainingEvent };

/** What a comparison has left behind. Plain data. */
export interface ComparisonOutcome {
  readonly results: RunResults;
  readonly written: WrittenRun;
  /** Absolute path of the folder of the adapters; absent where there are none. */
  readonly adapters: string | undefined;
}

/** Makes a comparison and writes its results, at the very end. */
export async function perform<Example, Options extends ComparisonOptions>(
  domain: ComparisonDomain<Example, Options>,
  { options, output, checkpoints }: ComparisonRequest<Options>,
  tell: (message: ComparisonMessage) => void,
  signal: AbortSignal,
  means: RunMeans = {},
): Promise<ComparisonOutcome> {
  let adapters: readonly Adapter[] = [];
  let record: RunRecord = {};
  const results = await compare(
    domain,
    options,
    {
      opened: (scene) => {
        tell({ type: 'opened', scene: factsOf(domain.application.faults, options, scene) });
      },
      event: (event) => {
        tell({ type: 'event', event });
      },
      trained: (trained, kept) => {
        adapters = trained;
        record = kept;
      },
    },
    signal,
    { ...means, checkpoints },
  );
  signal.throwIfAborted();
  const written = await writeRun(output, results, record);
  return {
    results,
    written,
    adapters: adapters.length > 0 ? await saveAdapters(output, adapters) : undefined,
  };
}

function factsOf(faults: string, options: ComparisonOptions, scene: ComparisonScene): SceneFacts {
  const { data, backbone, networks } = scene;
  return {
    introduction: introduction(faults, options, scene),
    metric: scoreTitle(metricOf(data)),
    runs: options.methods.length * options.seeds.length,
    backbone,
    networks,
    tasks: data.map(({ name, train, validation }) => {
      return { name, train: train.length, validation: validation.length };
    }),
  };
}
