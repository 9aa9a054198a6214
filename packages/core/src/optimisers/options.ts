import { ConfigurationError } from '../errors.js';
import type { ClippingOptions } from './clipping.js';
import type { Schedule } from './schedule.js';

/** Rates of the parameters whose names start with `prefix`; the longest matching prefix decides. */
export interface ParameterGroup {
  /** e.g. `position.` or `head.`. */
  readonly prefix: string;
  /** Learning rate in place of the base rate; the schedule applies to it too. */
  readonly learningRate?: number | undefined;
  readonly weightDecay?: number | undefined;
}

/** Options that all optimisers have. */
export interface OptimiserOptions extends ClippingOptions {
  readonly learningRate: number;
  /** Default: see the optimiser. */
  readonly weightDecay?: number | undefined;
  readonly groups?: readonly ParameterGroup[] | undefined;
  /** Factor of all learning rates by step. Default: 1. */
  readonly schedule?: Schedule | undefined;
}

/** What holds for one parameter at one step. */
export interface Rates {
  readonly learningRate: number;
  readonly weightDecay: number;
}

/** The rates of a parameter, the schedule not applied. */
export function ratesOf(name: string, options: OptimiserOptions, weightDecay: number): Rates {
  const group = (options.groups ?? [])
    .filter(({ prefix }) => name.startsWith(prefix))
    .reduce<ParameterGroup | undefined>(
      (best, next) => (next.prefix.length >= (best?.prefix.length ?? 0) ? next : best),
      undefined,
    );
  return {
    learningRate: group?.learningRate ?? options.learningRate,
    weightDecay: group?.weightDecay ?? options.weightDecay ?? weightDecay,
  };
}

/** Says which option of which optimiser is out of range. */
export type OptionCheck = (
  option: string,
  value: number | undefined,
  holds: (value: number) => boolean,
  expected: string,
) => void;

/** A check that throws a `ConfigurationError` in the name of an optimiser; options left out are sound. */
export function optionCheck(optimiser: string): OptionCheck {
  return (option, value, holds, expected) => {
    if (value === undefined || (Number.isFinite(value) && holds(value))) return;
    throw new ConfigurationError({
      packageName: '@dynaprompt/core',
      subject: `${optimiser} ${option}`,
      problem: `${value} cannot be used`,
      remedy: `Give ${expected}`,
    });
  };
}

/** A number ≥ 0. */
export const nonNegative = [(value: number): boolean => value >= 0, 'a number ≥ 0'] as const;
/** A number > 0. */
export const positive = [(value: number): boolean => value > 0, 'a positive number'] as const;
/** A decay rate of a moving average. */
export const belowOne = [(value: number): boolean => value >= 0 && value < 1, 'a number in [0, 1)'] as const;

/** Checks the options that all optimisers have. @throws ConfigurationError naming the option. */
export function checkOptions(check: OptionCheck, options: OptimiserOptions): void {
  check('learningRate', options.learningRate, ...nonNegative);
  check('weightDecay', options.weightDecay, ...nonNegative);
  check('clipNorm', options.clipNorm, ...positive);
  for (const { prefix, learningRate, weightDecay } of options.groups ?? []) {
    check(`groups '${prefix}' learningRate`, learningRate, ...nonNegative);
    check(`groups '${prefix}' weightDecay`, weightDecay, ...nonNegative);
  }
}
