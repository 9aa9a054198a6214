import type { MetricName } from '@dynaprompt/benchmarks';
import type { PromptConfiguration } from '@dynaprompt/core';
import type { TrainingSettings } from '@dynaprompt/training';

import type { HeadKind } from '../options/comparison.js';
import { hashOf } from '../process/hash.js';
import type { StudyOptions } from '../study/options.js';

/** Everything that decides what a job gives. Plain JSON; its hash is the job's name. */
export interface JobIdentity {
  readonly task: string;
  /** Fingerprint of the examples. */
  readonly data: string;
  /** Revision of the frozen model. */
  readonly backbone: string;
  readonly method: string;
  /** Null without a prompt. */
  readonly configuration: PromptConfiguration | null;
  readonly seed: number;
  readonly settings: TrainingSettings;
  readonly steps: number;
  /** Tokens that a text leaves room for. */
  readonly slots: number;
  readonly head: HeadKind;
  /** Of the packages whose numbers these are. */
  readonly versions: Readonly<Record<string, string>>;
  /** What only the application knows. */
  readonly details: Readonly<Record<string, unknown>>;
}

/** A job as it travels to whoever does it. Plain JSON. */
export interface SweepJob<Options extends StudyOptions = StudyOptions> {
  /** SHA-256 of the identity: a job done twice counts once. */
  readonly key: string;
  readonly identity: JobIdentity;
  /** How data and backbone are opened; what of it matters is in the identity. */
  readonly loading: Options;
}

/** A job before data and backbone were opened. */
export interface JobDraft<Options extends StudyOptions = StudyOptions> extends Pick<
  JobIdentity,
  'task' | 'method' | 'seed' | 'configuration' | 'settings' | 'steps' | 'slots' | 'head'
> {
  readonly loading: Options;
}

/** What data and backbone say of themselves. */
export interface OpenedPlace extends Pick<JobIdentity, 'data' | 'backbone'> {
  readonly metric: MetricName;
}

/** Names a job. */
export function jobOf<Options extends StudyOptions>(
  { loading, ...draft }: JobDraft<Options>,
  { data, backbone }: OpenedPlace,
  shared: Pick<JobIdentity, 'versions' | 'details'>,
): SweepJob<Options> {
  const identity: JobIdentity = { ...draft, data, backbone, ...shared };
  return { key: hashOf(identity), identity, loading };
}
