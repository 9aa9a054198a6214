import { z } from 'zod';
import type { PositionMode } from './contracts/plan.js';
import { ConfigurationError, nullThrows } from './errors.js';
import type { TemperatureOptions } from './temperature.js';

/** Whether a factor is not learned, learned once for the task, or decided for every example from its features. */
export type AdaptationLevel = 'none' | 'task' | 'instance';

/** Where the prompt stands. */
export interface PositionOptions {
  readonly level: AdaptationLevel;
  readonly mode: PositionMode;
  /** C, number of evenly spaced insertion points; `insert` only. */
  readonly anchors?: number | undefined;
  /** The place of a prompt that is not moved: before the input, after it, or a candidate's index; level `none` only. */
  readonly candidate?: 'front' | 'back' | number | undefined;
}

/** How many prompt tokens are active. */
export interface LengthOptions {
  readonly level: AdaptationLevel;
  /** μ ≥ 0: the loss grows by μ for every token of the expected length. */
  readonly penalty: number;
  /** Length favoured at the start, 0..l. */
  readonly initial?: number | undefined;
  /** Probability of `initial` at the start; the other lengths share the rest evenly. */
  readonly initialProbability?: number | undefined;
}

/** What the prompt says. */
export type RepresentationOptions =
  /** One prompt P [l, d] for all examples. */
  | { readonly kind: 'fixed' }
  /** A mixture over a pool [m, l, d]; `hard` takes the single best entry. */
  | { readonly kind: 'select'; readonly pool: number; readonly mixture: 'soft' | 'hard' }
  /** P plus an update U(x) V of the given rank made from the features. */
  | { readonly kind: 'generate'; readonly rank: number };

/** How prompt tokens start. */
export type InitialisationOptions =
  /** Rows of the backbone's embedding table. */
  | { readonly kind: 'vocab' }
  /** U(−range, range). */
  | { readonly kind: 'uniform'; readonly range: number }
  /** Values handed over by the caller, e.g. embedded text. */
  | { readonly kind: 'given' };

/** Everything that says which dynamic prompt to train, complete with defaults. Plain JSON; parses to itself. */
export interface PromptConfiguration {
  /** l, slots of a prompt. */
  readonly slots: number;
  readonly position: PositionOptions;
  readonly length: LengthOptions;
  readonly representation: RepresentationOptions;
  readonly initialisation: InitialisationOptions;
  readonly temperature: TemperatureOptions;
  /** Pass the logits of every choice through ReLU, as the authors' code does. For comparison only: it kills half of them. */
  readonly reluLogits: boolean;
  /** Sample choices at evaluation too, as the authors' code does. For comparison only: predictions become random. */
  readonly noiseAtEvaluation: boolean;
}

const level = z.enum(['none', 'task', 'instance']).default('none');

const positionSchema = z
  .strictObject({
    level,
    mode: z.enum(['split', 'insert']).default('split'),
    anchors: z.int().min(2).optional(),
    candidate: z.union([z.literal('front'), z.literal('back'), z.int().nonnegative()]).optional(),
  })
  .superRefine((position, context) => {
    if (position.mode === 'split' && position.anchors !== undefined) {
      refuse(
        context,
        'anchors',
        'has no meaning in mode split',
        "Remove it, or set position.mode to 'insert'",
      );
    }
    if (position.level !== 'none' && position.candidate !== undefined) {
      refuse(
        context,
        'candidate',
        'fixes a place that is learned',
        "Remove it, or set position.level to 'none'",
      );
    }
  })
  .transform((position) => ({
    level: position.level,
    mode: position.mode,
    ...(position.mode === 'insert' ? { anchors: position.anchors ?? 3 } : {}),
    ...(position.level === 'none' ? { candidate: position.candidate ?? ('front' as const) } : {}),
  }));

const lengthSchema = z
  .strictObject({
    level,
    penalty: z.number().nonnegative().default(0),
    initial: z.int().nonnegative().optional(),
    initialProbability: z.number().gt(0).lt(1).optional(),
  })
  .superRefine((length, context) => {
    if (length.level !== 'none') return;
    const remedy = "Remove it, or set length.level to 'task' or 'instance'";
    if (length.penalty !== 0)
      refuse(context, 'penalty', 'has no meaning for a length that is not learned', remedy);
    for (const option of ['initial', 'initialProbability'] as const) {
      if (length[option] !== undefined) {
        refuse(context, option, 'has no meaning for a length that is not learned', remedy);
      }
    }
  });

const representationSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('fixed') }),
  z.strictObject({
    kind: z.literal('select'),
    pool: z.int().min(2).default(4),
    mixture: z.enum(['soft', 'hard']).default('soft'),
  }),
  z.strictObject({ kind: z.literal('generate'), rank: z.int().min(1).default(4) }),
]);

const initialisationSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('vocab') }),
  z.strictObject({ kind: z.literal('uniform'), range: z.number().positive().default(0.5) }),
  z.strictObject({ kind: z.literal('given') }),
]);

const temperatureSchema = z
  .strictObject({
    start: z.number().positive().default(1),
    end: z.number().positive().default(0.5),
    schedule: z.enum(['linear', 'exponential', 'constant', 'published']).default('linear'),
  })
  .superRefine((temperature, context) => {
    if (temperature.end > temperature.start) {
      refuse(context, 'end', 'is above temperature.start', 'Let the temperature fall: start ≥ end');
    }
  });

const configurationSchema = z
  .strictObject({
    slots: z.int().min(1).default(20),
    position: positionSchema.prefault({}),
    length: lengthSchema.prefault({}),
    representation: representationSchema.prefault({ kind: 'fixed' }),
    initialisation: initialisationSchema.prefault({ kind: 'vocab' }),
    temperature: temperatureSchema.prefault({}),
    reluLogits: z.boolean().default(false),
    noiseAtEvaluation: z.boolean().default(false),
  })
  .superRefine(({ slots, position, length }, context) => {
    const candidates = position.anchors ?? slots + 1;
    if (typeof position.candidate === 'number' && position.candidate >= candidates) {
      const problem = `is ${position.candidate} where there are ${candidates} candidates`;
      refuse(context, ['position', 'candidate'], problem, `Give an index in 0..${candidates - 1}`);
    }
    if (length.initial !== undefined && length.initial > slots) {
      const problem = `is ${length.initial} where there are ${slots} slots`;
      refuse(context, ['length', 'initial'], problem, `Give a length in 0..${slots}, or more slots`);
    }
  })
  .transform(({ length, ...rest }) => ({
    ...rest,
    length:
      length.level === 'none'
        ? { level: length.level, penalty: length.penalty }
        : {
            ...length,
            initial: length.initial ?? rest.slots,
            initialProbability: length.initialProbability ?? 0.9,
          },
  }));

/** A {@link PromptConfiguration} as a user writes it: every option may be left out. */
export type PromptConfigurationInput = z.input<typeof configurationSchema>;

/**
 * Checks a configuration and fills in the defaults: 20 slots in front of the input, nothing learned but the prompt itself.
 *
 * @throws ConfigurationError naming the option, the problem and the remedy.
 */
export function parseConfiguration(input: unknown): PromptConfiguration {
  const result = configurationSchema.safeParse(input ?? {});
  if (result.success) return result.data;
  const issues = result.error.issues;
  const first = nullThrows(issues[0], 'a failed parse has an issue');
  const others = issues.length > 1 ? ` (and ${issues.length - 1} more)` : '';
  throw new ConfigurationError({
    packageName: '@dynaprompt/core',
    subject: ['configuration', ...first.path].map(String).join('.'),
    problem: `${first.message}${others}`,
    remedy: remedyOf(first),
    cause: result.error,
  });
}

/** C, number of position candidates of a configuration: l + 1 for `split`, the anchors for `insert`. */
export function candidatesOf(configuration: PromptConfiguration): number {
  return configuration.position.anchors ?? configuration.slots + 1;
}

/** The candidate of a prompt whose position is not learned; `undefined` where it is learned. */
export function fixedCandidateOf(configuration: PromptConfiguration): number | undefined {
  const { candidate, mode } = configuration.position;
  const last = candidatesOf(configuration) - 1;
  if (candidate === 'front') return mode === 'split' ? last : 0;
  if (candidate === 'back') return mode === 'split' ? 0 : last;
  return candidate;
}

function refuse(context: z.RefinementCtx, path: string | string[], message: string, remedy: string): void {
  context.addIssue({ code: 'custom', path: [path].flat(), message, params: { remedy } });
}

function remedyOf(issue: z.core.$ZodIssue): string {
  switch (issue.code) {
    case 'custom':
      return String(issue.params?.remedy);
    case 'unrecognized_keys':
      return `Remove ${issue.keys.join(', ')}, or correct the spelling`;
    case 'invalid_value':
      return `Use one of ${issue.values.map(String).join(', ')}`;
    case 'invalid_union':
      return issue.discriminator === undefined
        ? "Use 'front', 'back' or the index of a candidate"
        : `Use a known ${issue.discriminator}`;
    case 'too_small':
      return `Use a value ${issue.inclusive === true ? 'of at least' : 'above'} ${issue.minimum}`;
    case 'too_big':
      return `Use a value ${issue.inclusive === true ? 'of at most' : 'below'} ${issue.maximum}`;
    case 'invalid_type':
      return `Give a value of type ${issue.expected}`;
    default:
      return 'Correct the value';
  }
}
