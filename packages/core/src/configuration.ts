import type { z } from 'zod';
import { configurationSchema, remedyOf } from './configuration-schema.js';
import type { PositionMode } from './contracts/plan.js';
import { ConfigurationError, nullThrows } from './errors.js';
import type { TemperatureOptions } from './temperature.js';

/** Whether a factor is not learned, learned once for the task, or decided for every example from its features. */
export type AdaptationLevel = 'none' | 'task' | 'instance';

/** Where the prompt stands: C candidates, C = l + 1 for `split`. */
export interface PositionOptions {
  readonly level: AdaptationLevel;
  readonly mode: PositionMode;
  /** C, number of evenly spaced insertion points; `insert` only. */
  readonly anchors?: number | undefined;
  /** The place of a prompt that is not moved: before the input, after it, or a candidate's index; level `none` only. */
  readonly candidate?: 'front' | 'back' | number | undefined;
  /**
   * Place that a learned position favours at the start; absent: it starts indifferent, so that every prompt is first trained at
   * places drawn at random.
   */
  readonly initial?: 'front' | 'back' | number | undefined;
  /** Probability of `initial` at the start; the other places share the rest evenly. */
  readonly initialProbability?: number | undefined;
}

/** How many of the l prompt tokens are active: l + 1 candidates, 0..l. */
export interface LengthOptions {
  readonly level: AdaptationLevel;
  /** μ ≥ 0: the loss grows by μ for every token of the expected length. */
  readonly penalty: number;
  /** Length favoured at the start, 0..l. */
  readonly initial?: number | undefined;
  /** Probability of `initial` at the start; the other lengths share the rest evenly. */
  readonly initialProbability?: number | undefined;
  /**
   * What the length learns from, dL/dγ [B, l]. `derivative`: as the backbone gives it. `clipped`: that of an inactive token is
   * limited to the largest that an active token of the batch has, see `clipGateGradient`.
   */
  readonly gateGradient?: 'derivative' | 'clipped' | undefined;
}

/** What the prompt says; every prompt is [L, l, d], one [l, d] for each of its L layers. */
export type RepresentationOptions =
  /** One prompt P [L, l, d] for all examples. */
  | { readonly kind: 'fixed' }
  /** A mixture over a pool [m, L, l, d]; `hard` takes the single best entry. */
  | {
      readonly kind: 'select';
      /** m */
      readonly pool: number;
      readonly mixture: 'soft' | 'hard';
      /** μ ≥ 0: the loss grows by μ · CV² of the entries' mean weights, 0 where all are used alike, m − 1 where one is. */
      readonly balance: number;
    }
  /** P plus an update U(x) V made from the features: U(x) [L, l, r], V [r, d] the same for all layers. */
  | {
      readonly kind: 'generate';
      /** r */
      readonly rank: number;
    };

/** How trained tensors become prompt tokens. */
export type ReparameterisationOptions =
  /** The trained tensor is the prompt. */
  | { readonly kind: 'none' }
  /** P-tuning: every trained row E passes through one shared perceptron, P = E + MLP(E). */
  | {
      readonly kind: 'mlp';
      /** Width of its two hidden layers. */
      readonly hidden: number;
    };

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
  /** L, layers that receive a prompt of their own at their input; `all` the backbone has. 1: the first layer only. */
  readonly layers: number | 'all';
  readonly position: PositionOptions;
  readonly length: LengthOptions;
  readonly representation: RepresentationOptions;
  readonly reparameterisation: ReparameterisationOptions;
  /**
   * Tasks that share the prompt. Every bias of the networks, so all that is learned at task level, exists once per task;
   * prompts, pools and weight matrices are shared. Absent: one task.
   */
  readonly tasks?: number | undefined;
  readonly initialisation: InitialisationOptions;
  readonly temperature: TemperatureOptions;
  /** Pass the logits of every choice through ReLU, as the authors' code does. For comparison only: it kills half of them. */
  readonly reluLogits: boolean;
  /** Sample choices at evaluation too, as the authors' code does. For comparison only: predictions become random. */
  readonly noiseAtEvaluation: boolean;
}

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
  return candidateAt(configuration, configuration.position.candidate);
}

/** The candidate that a learned position starts from; `undefined` where it starts indifferent. */
export function initialCandidateOf(configuration: PromptConfiguration): number | undefined {
  return candidateAt(configuration, configuration.position.initial);
}

function candidateAt(
  configuration: PromptConfiguration,
  place: PositionOptions['candidate'],
): number | undefined {
  const last = candidatesOf(configuration) - 1;
  const isSplit = configuration.position.mode === 'split';
  if (place === 'front') return isSplit ? last : 0;
  if (place === 'back') return isSplit ? 0 : last;
  return place;
}
