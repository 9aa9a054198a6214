import {
  ConfigurationError,
  parseConfiguration,
  type PromptConfiguration,
  type PromptConfigurationInput,
} from '@dynaprompt/core';
import {
  baselineNames,
  defaultLearningRates,
  type LearningRates,
  methodNamed,
  type TrainingMethod,
} from '@dynaprompt/training';

import type { HeadKind } from '../options/comparison.js';
import { packageName } from '../package-name.js';

/** A rate, and that of the head beside it; a number alone leaves the head its default. */
export type RateSetting = number | { readonly rate: number; readonly head: number };

/** Prompt rate, the rate of the networks as a multiple of it, and that of the head where it is not the default. */
export interface RatePair {
  readonly prompt: number;
  readonly ratio: number;
  readonly head?: number;
}

/** What is tried for each kind of method. All lists have the same length, so that every method is tuned equally. */
export interface RateGrid {
  /** For prompts without networks. */
  readonly prompt: readonly RateSetting[];
  /** For prompts with networks: those that choose, or re-parameterise. */
  readonly networks: readonly RatePair[];
  /** For heads alone. */
  readonly head: readonly number[];
  /** For fine-tuning. */
  readonly weights: readonly RateSetting[];
}

/** Which list of the grid a method is tuned over; `none`: it trains nothing. */
export type RateKind = keyof RateGrid | 'none';

/** Six settings for each kind of method, for AdamW. */
export const defaultGrid: RateGrid = {
  prompt: [0.001, 0.002, 0.005, 0.01, 0.02, 0.05],
  networks: [
    { prompt: 0.002, ratio: 1 },
    { prompt: 0.002, ratio: 0.1 },
    { prompt: 0.01, ratio: 1 },
    { prompt: 0.01, ratio: 0.1 },
    { prompt: 0.05, ratio: 1 },
    { prompt: 0.05, ratio: 0.1 },
  ],
  head: [0.001, 0.003, 0.01, 0.03, 0.1, 0.3],
  weights: [2e-5, 5e-5, 1e-4, 2e-4, 5e-4, 1e-3],
};

/** @throws ConfigurationError where one kind of method would be tried with more settings than another. */
export function requireEqualTuning(grid: RateGrid): void {
  const counts = Object.entries(grid).map(([name, list]) => ({ name, count: (list as unknown[]).length }));
  if (new Set(counts.map(({ count }) => count)).size === 1) return;
  throw new ConfigurationError({
    packageName,
    subject: 'learning rates to try',
    problem: `methods would be tuned unequally: ${counts.map(({ name, count }) => `${name} ${count}`).join(', ')}`,
    remedy: 'Give --prompt-rates, --network-rates, --head-rates and --weights-rates equally many settings',
  });
}

/** The prompt of a method by its name, on top of `base`, with a length penalty where one is given; null without a prompt. */
export function configurationOf(
  name: string,
  slots: number,
  penalty?: number,
  base?: PromptConfigurationInput,
): { readonly method: TrainingMethod; readonly configuration: PromptConfiguration | null } {
  const overrides = penalty === undefined ? { slots } : { slots, length: { penalty } };
  const method = methodNamed(name, overrides, base);
  const configuration = typeof method === 'object' ? parseConfiguration(method.configuration) : null;
  return { method, configuration };
}

/** What of a method has a learning rate worth tuning. */
export function rateKindOf(
  name: string,
  configuration: PromptConfiguration | null,
  head: HeadKind,
): RateKind {
  if (name === 'fine-tuning') return 'weights';
  if (name === 'frozen' && head !== 'linear') return 'none';
  if (configuration === null || baselineNames.some((baseline) => baseline === name)) return 'head';
  const { position, length, representation, reparameterisation } = configuration;
  const isStatic =
    position.level === 'none' &&
    length.level === 'none' &&
    representation.kind === 'fixed' &&
    reparameterisation.kind === 'none';
  return isStatic ? 'prompt' : 'networks';
}

/** The settings to try for a kind of method; rates that are not tuned have their defaults. */
export function candidatesOf(kind: RateKind, grid: RateGrid): readonly LearningRates[] {
  const rates = defaultLearningRates;
  switch (kind) {
    case 'none':
      return [rates];
    case 'networks':
      return grid.networks.map(({ prompt, ratio, head = rates.head }) => ({
        ...rates,
        prompt,
        networks: rounded(prompt * ratio),
        head,
      }));
    default:
      return grid[kind].map((setting) =>
        typeof setting === 'number'
          ? { ...rates, [kind]: setting }
          : { ...rates, [kind]: setting.rate, head: setting.head },
      );
  }
}

/** The rates that were tuned, in words. */
export function describeRates(kind: RateKind, rates: LearningRates): string {
  if (kind === 'none') return '–';
  const head = kind === 'head' || rates.head === defaultLearningRates.head ? '' : `, head ${rates.head}`;
  if (kind === 'networks') return `prompt ${rates.prompt}, networks ${rates.networks}${head}`;
  return `${kind} ${rates[kind]}${head}`;
}

/** Without the last digits of a binary product: 0.01 × 0.3 is 0.003. */
function rounded(value: number): number {
  return Number(value.toPrecision(12));
}
