import { createHash } from 'node:crypto';

import type { FrozenBackbone, ParameterSet, PromptConfiguration } from '@dynaprompt/core';

import type { InitialState } from '../training/initial-state.js';
import type { TrainingExample } from '../training/options.js';
import type { TrainingSettings } from '../training/settings.js';

/** What makes a run the run that it is: equal identities give equal results. Plain JSON. */
export interface RunIdentity {
  readonly method: string;
  /** `null` for a method without a prompt. */
  readonly configuration: PromptConfiguration | null;
  readonly seed: number;
  readonly steps: number;
  /** Processes that train it together: sums are taken in the order of their passes. */
  readonly ranks: number;
  /** Without what is done about steps that cannot be taken: that may be changed. */
  readonly settings: Readonly<Record<string, unknown>>;
  /** SHA-256 of what the run started from; `null` where it started fresh. */
  readonly initial: string | null;
  readonly tasks: readonly TaskIdentity[];
}

interface TaskIdentity {
  /** `null` where there is one task only. */
  readonly name: string | null;
  readonly backbone: Readonly<Record<string, unknown>>;
  readonly train: SplitIdentity;
  readonly validation: SplitIdentity;
  readonly augmented: boolean;
  /** Its batches in this run. */
  readonly batches: number;
  /** SHA-256 of the examples of these batches, in their order. */
  readonly order: string;
}

interface SplitIdentity {
  readonly examples: number;
  /** SHA-256 of ids, contents and answers. */
  readonly content: string;
}

/** A task as {@link identityOf} sees it. */
export interface IdentifiedTask<Example> {
  readonly name: string;
  readonly backbone: FrozenBackbone<Example>;
  readonly train: readonly TrainingExample<Example>[];
  readonly validation: readonly TrainingExample<Example>[];
  readonly augment?: unknown;
  readonly batches: readonly (readonly TrainingExample<Example>[])[];
}

/** The identity of a run. */
export function identityOf<Example>(
  run: {
    readonly name: string;
    readonly configuration: PromptConfiguration | undefined;
    readonly seed: number;
    readonly steps: number;
    readonly settings: TrainingSettings;
    readonly initial: InitialState | undefined;
    readonly ranks: number;
  },
  tasks: readonly IdentifiedTask<Example>[],
): RunIdentity {
  const { name, configuration = null, seed, steps, ranks, initial } = run;
  const identity: RunIdentity = {
    method: name,
    configuration,
    seed,
    steps,
    ranks,
    settings: { ...run.settings, nanPolicy: undefined, nanLimit: undefined },
    initial: initial === undefined ? null : digestOfInitial(initial),
    tasks: tasks.map((task) => taskIdentity(task, tasks.length > 1)),
  };
  // As it comes back from a file: undefined fields are absent.
  return JSON.parse(JSON.stringify(identity)) as RunIdentity;
}

/** What differs between the identity in a checkpoint and that of the run at hand, one line for every field. */
export function differencesBetween(saved: unknown, here: unknown, path = ''): readonly string[] {
  if (isObject(saved) && isObject(here)) {
    const names = [...new Set([...Object.keys(saved), ...Object.keys(here)])];
    return names.flatMap((name) => differencesBetween(saved[name], here[name], joined(path, saved, name)));
  }
  if (Object.is(saved, here)) return [];
  return [`${path} is ${spelled(saved)} in the checkpoint and ${spelled(here)} here`];
}

function joined(path: string, owner: object, name: string): string {
  if (Array.isArray(owner)) return `${path}[${name}]`;
  return path === '' ? name : `${path}.${name}`;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

function spelled(value: unknown): string {
  if (value === undefined) return 'absent';
  // Of a digest nobody reads more.
  return JSON.stringify(value).replace(/^"([0-9a-f]{12})[0-9a-f]{52}"$/, '$1…');
}

function taskIdentity<Example>(task: IdentifiedTask<Example>, several: boolean): TaskIdentity {
  const { name, backbone, train, validation, augment, batches } = task;
  const { family, revision, dtype, layers } = backbone.description;
  const { width, classes, range = null } = backbone;
  return {
    name: several ? name : null,
    backbone: { family, revision, dtype, layers, width, classes, range },
    train: splitIdentity(train, backbone),
    validation: splitIdentity(validation, backbone),
    augmented: augment !== undefined,
    batches: batches.length,
    order: digestOf(batches.map((batch) => batch.map(({ id }) => id))),
  };
}

function splitIdentity<Example>(
  examples: readonly TrainingExample<Example>[],
  backbone: FrozenBackbone<Example>,
): SplitIdentity {
  const hash = createHash('sha256');
  for (const { id, example, label, alsoRight = [], credits, target = null } of examples) {
    const content = createHash('sha256').update(backbone.identify(example)).digest('hex');
    const own = credits === undefined ? [] : [[...credits]];
    hash.update(JSON.stringify([id, label, alsoRight, target, backbone.lengthOf(example), content, ...own]));
  }
  return { examples: examples.length, content: hash.digest('hex') };
}

function digestOfInitial({ parameters, featureStatistics, optimiser }: InitialState): string {
  const tensors = (set: ParameterSet = new Map()): unknown =>
    [...set].map(([name, { shape, values }]) => [name, shape, digestOfValues(values)]);
  return digestOf([
    tensors(parameters.prompt),
    tensors(parameters.head),
    Object.values<Float32Array>({ ...featureStatistics }).map(digestOfValues),
    optimiser === undefined ? null : [optimiser.step, tensors(optimiser.tensors)],
  ]);
}

function digestOfValues(values: Float32Array): string {
  return createHash('sha256')
    .update(new Uint8Array(values.buffer, values.byteOffset, values.byteLength))
    .digest('hex');
}

function digestOf(value: unknown): string {
  return createHash('sha256').update(JSON.stringify(value)).digest('hex');
}
