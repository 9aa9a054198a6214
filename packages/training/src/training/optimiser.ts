import {
  type AdafactorOptions,
  type AdamWOptions,
  createAdafactor,
  createAdamW,
  createSgd,
  type Optimiser,
  type OptimiserOptions,
  type SgdOptions,
} from '@dynaprompt/core';

/** The optimiser and its own options; rates, decay and clipping are settings of the run. Plain JSON. */
export type OptimiserSettings =
  | ({ readonly kind: 'adamw' } & Omit<AdamWOptions, keyof OptimiserOptions>)
  | ({ readonly kind: 'adafactor' } & Omit<AdafactorOptions, keyof OptimiserOptions>)
  | ({ readonly kind: 'sgd' } & Omit<SgdOptions, keyof OptimiserOptions>);

/** Name of an optimiser. */
export type OptimiserKind = OptimiserSettings['kind'];

/** Learning rates by what a parameter is for. */
export interface LearningRates {
  /** Prompt tokens, those of a pool too. */
  readonly prompt: number;
  /** Networks that choose position, length and mixture, or re-parameterise the prompt. */
  readonly networks: number;
  readonly head: number;
  /** The backbone's own weights; `fine-tuning` only. */
  readonly weights: number;
}

/** What a run takes where it names nothing. */
export interface OptimiserDefaults {
  readonly learningRates: LearningRates;
  readonly weightDecay: number;
}

/** Every optimiser with its defaults, for prompts that start from rows of the embedding table. */
export const optimiserDefaults: Readonly<Record<OptimiserKind, OptimiserDefaults>> = {
  adamw: {
    learningRates: { prompt: 0.005, networks: 0.005, head: 0.01, weights: 5e-5 },
    weightDecay: 0.01,
  },
  adafactor: {
    learningRates: { prompt: 0.005, networks: 0.005, head: 0.01, weights: 5e-5 },
    weightDecay: 0,
  },
  sgd: {
    learningRates: { prompt: 0.1, networks: 0.1, head: 0.1, weights: 0.005 },
    weightDecay: 0,
  },
};

/** For AdamW. */
export const defaultLearningRates: LearningRates = optimiserDefaults.adamw.learningRates;

/** Names of the optimisers. */
export const optimiserKinds = Object.keys(optimiserDefaults) as readonly OptimiserKind[];

/** Makes the optimiser of a run. @throws ConfigurationError naming the option that is out of range. */
export function createOptimiser(settings: OptimiserSettings, options: OptimiserOptions): Optimiser {
  switch (settings.kind) {
    case 'adamw':
      return createAdamW({ ...settings, ...options });
    case 'adafactor':
      return createAdafactor({ ...settings, ...options });
    case 'sgd':
      return createSgd({ ...settings, ...options });
  }
}
