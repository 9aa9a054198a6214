import { type Command, InvalidArgumentError } from 'commander';
import { z } from 'zod';

import { parseConfiguration, type PromptConfigurationInput } from '@dynaprompt/core';
import {
  baselineNames,
  type LearningRates,
  methodNamed,
  optimiserDefaults,
  resolveSettings,
  type TrainingSettings,
} from '@dynaprompt/training';

import { defaultDataSeed, defaultSlots } from '../options/comparison.js';
import type { StudyCommand } from '../study/command.js';
import type { StudyOptions } from '../study/options.js';
import { defaultGrid, type RateKind, rateKindOf } from '../study/rates.js';
import { nestedOf, type Setting } from './axes.js';
import { unknownName, unusable } from './file.js';
import type { JobDraft } from './jobs.js';

const count = z.int().min(1);
const rate = z.number().positive();
const numbers = <Name extends string>(...all: readonly Name[]): Record<Name, z.ZodOptional<z.ZodNumber>> =>
  Object.fromEntries(all.map((name) => [name, z.number().optional()])) as never;

/** Options that runs of every application have; what is left out has the default of the command line. */
const runSchema = z.strictObject({
  steps: count.default(200),
  batch: count.default(16),
  accumulation: count.default(1),
  evaluateEvery: count.optional(),
  evaluationBatch: count.optional(),
  bucketWindow: count.optional(),
  limit: count.nullable().default(null),
  validationLimit: count.nullable().default(null),
  /** `seed`: every seed trains on examples of its own. */
  dataSeed: z.union([z.int().nonnegative(), z.literal('seed')]).default(defaultDataSeed),
  head: z.string().default('linear'),
  slots: count.optional(),
  weightDecay: z.number().nonnegative().optional(),
  clipNorm: z.union([rate, z.literal(false)]).optional(),
  clipScope: z.enum(['tensor', 'all']).optional(),
  learningRates: z
    .strictObject({
      prompt: rate.optional(),
      networks: rate.optional(),
      head: rate.optional(),
      weights: rate.optional(),
    })
    .default({}),
  schedule: z
    .strictObject({
      kind: z.enum(['constant', 'linear', 'cosine']).default('linear'),
      warmUp: z.union([z.number().nonnegative().lt(1), z.strictObject({ steps: count })]).default(0.05),
      final: z.number().nonnegative().optional(),
    })
    .prefault({}),
  optimiser: z
    .discriminatedUnion('kind', [
      z.strictObject({ kind: z.literal('adamw'), ...numbers('beta1', 'beta2', 'epsilon') }),
      z.strictObject({
        kind: z.literal('adafactor'),
        ...numbers('decayRate', 'clipThreshold', 'beta1', 'epsilon', 'minimumScale'),
        relativeStep: z.boolean().optional(),
        scaleParameter: z.boolean().optional(),
      }),
      z.strictObject({
        kind: z.literal('sgd'),
        ...numbers('momentum', 'dampening'),
        nesterov: z.boolean().optional(),
      }),
    ])
    .prefault({ kind: 'adamw' }),
  prompt: z.record(z.string(), z.unknown()).default({}),
});

/** Options of a prompt's configuration by dotted name; `slots` stands beside them because heads without a prompt leave room too. */
const promptNames = [
  ...['layers', 'position.level', 'position.mode', 'position.anchors', 'position.candidate'],
  ...['position.initial', 'position.initialProbability', 'length.level', 'length.penalty', 'length.initial'],
  ...['length.initialProbability', 'length.gateGradient', 'representation.kind', 'representation.pool'],
  ...['representation.mixture', 'representation.balance', 'representation.rank', 'reparameterisation.kind'],
  ...['reparameterisation.hidden', 'initialisation.kind', 'initialisation.range', 'temperature.start'],
  ...['temperature.end', 'temperature.schedule', 'reluLogits', 'noiseAtEvaluation'],
];
const nestedNames = {
  learningRates: ['prompt', 'networks', 'head', 'weights'],
  schedule: ['kind', 'warmUp', 'warmUp.steps', 'final'],
  optimiser: [
    ...['kind', 'beta1', 'beta2', 'epsilon', 'decayRate', 'clipThreshold', 'minimumScale', 'relativeStep'],
    ...['scaleParameter', 'momentum', 'dampening', 'nesterov'],
  ],
  prompt: promptNames,
} as const;

/** What a sweep takes of an application: how its studies' options are completed. */
export type SweepApplication<Options extends StudyOptions> = Pick<
  StudyCommand<Options>,
  'backbone' | 'heads' | 'requireTask' | 'addOwn' | 'basePrompt' | 'complete'
>;

/** Every name that may stand under `options`, dotted. */
export function optionNames(own: Command): readonly string[] {
  const flat = Object.keys(runSchema.shape).filter((name) => !(name in nestedNames));
  const nested = Object.entries(nestedNames).flatMap(([group, parts]) =>
    parts.map((part) => `${group}.${part}`),
  );
  return [...flat, ...nested, ...own.options.map((option) => option.attributeName())];
}

/** What names a run besides its options. */
export interface Corner {
  readonly task: string;
  readonly backbone: string;
  readonly method: string;
  readonly seed: number;
}

/**
 * One run with everything filled in, but for what data and backbone say of themselves.
 *
 * @param own a fresh command that has the application's own options and nothing else.
 * @throws ConfigurationError naming the option and its value.
 */
export function resolveJob<Options extends StudyOptions>(
  application: SweepApplication<Options>,
  own: Command,
  corner: Corner,
  setting: Setting,
  folders: Readonly<Record<string, string>>,
): JobDraft<Options> {
  const { task, backbone, method, seed } = corner;
  const ownNames = own.options.map((option) => option.attributeName());
  const known = optionNames(own);
  const unknown = Object.keys(setting).find((name) => !known.includes(name));
  if (unknown !== undefined) throw unknownName(`options, ${unknown}`, unknown, known);
  const shared = Object.entries(setting).filter(([name]) => !ownNames.includes(name));
  const parsed = runSchema.safeParse(nestedOf(Object.fromEntries(shared)));
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    const name = issue?.path.map(String).join('.') ?? '';
    throw unusable(`options, ${name}`, issue?.message ?? 'it cannot be used', 'Give another value');
  }
  const {
    prompt,
    head,
    slots: given,
    steps,
    batch,
    limit,
    validationLimit,
    dataSeed,
    ...training
  } = parsed.data;
  if (!application.heads.includes(head)) {
    throw unusable('options, head', `there is no head "${head}"`, `Use ${application.heads.join(', ')}`);
  }
  const values = ownValues(own, setting);
  const base = application.basePrompt?.({ backbone, head }, values);
  // What has no prompt is the same job whatever the others go on top of.
  const isBaseline = baselineNames.some((name) => name === method);
  const slots = given ?? (isBaseline ? undefined : base?.slots) ?? defaultSlots;
  // The schema of the prompt checks what is in it, and says so.
  const chosen = methodNamed(method, { ...(prompt as PromptConfigurationInput), slots }, base);
  const configuration = typeof chosen === 'object' ? parseConfiguration(chosen.configuration) : null;
  const resolved = resolveSettings({
    ...withoutUndefined(training),
    learningRates: withoutUndefined(training.learningRates),
    batch,
    steps,
  });
  const kind = rateKindOf(method, configuration, head);
  const settings = { ...resolved, learningRates: usedRates(kind, resolved) };
  const loading = application.complete(
    {
      tasks: [task],
      methods: [method],
      seeds: [seed],
      tuningSeeds: [],
      backbone,
      head,
      steps,
      batch,
      slots,
      ...(base && { basePrompt: base }),
      limit,
      validationLimit,
      dataSeed: dataSeed === 'seed' ? seed : dataSeed,
      holdout: 0.2,
      evaluateEvery: settings.evaluateEvery,
      rates: defaultGrid,
      penalties: null,
      folders,
    },
    values,
  );
  return { task, method, seed, configuration, settings, steps, slots, head, loading };
}

/** Rates of what a method trains; those that it has no use for are the defaults, so that they make no other job of it. */
function usedRates(kind: RateKind, { learningRates, optimiser }: TrainingSettings): LearningRates {
  const { prompt, networks, head, weights } = learningRates;
  const defaults = optimiserDefaults[optimiser.kind].learningRates;
  switch (kind) {
    case 'none':
      return defaults;
    case 'head':
      return { ...defaults, head };
    case 'prompt':
      return { ...defaults, head, prompt };
    case 'networks':
      return { ...defaults, head, prompt, networks };
    case 'weights':
      return { ...defaults, head, weights };
  }
}

/** Values of the application's own options, read as its command line would read them. */
function ownValues(own: Command, setting: Setting): Readonly<Record<string, unknown>> {
  const values: Record<string, unknown> = { ...own.opts() };
  for (const option of own.options) {
    const name = option.attributeName();
    const value = setting[name];
    if (value === undefined || value === null) continue;
    try {
      const parse = option.parseArg as ((text: string, previous: unknown) => unknown) | undefined;
      values[name] = parse === undefined ? value : parse(String(value), undefined);
    } catch (error) {
      if (!(error instanceof InvalidArgumentError)) throw error;
      throw unusable(
        `options, ${name}`,
        `${JSON.stringify(value)} cannot be used`,
        error.message.replace(/\.$/, ''),
      );
    }
  }
  return values;
}

/** Without the keys that an absent option leaves behind. */
function withoutUndefined<Options extends object>(
  options: Options,
): {
  [Name in keyof Options]: Exclude<Options[Name], undefined>;
} {
  const entries = Object.entries(options).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as never;
}
