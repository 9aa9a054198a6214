import type { FrozenBackbone } from '@dynaprompt/core';
import type * as training from '@dynaprompt/training';

/** What a backbone can do. What it cannot is declared, so that it is not mistaken for a fault. */
export interface Capabilities {
  /** Layers that take prompts, which its description has to say; 1 for shallow prompts. Default: what the description says. */
  readonly layers?: number;
  /** false where the place of a prompt changes nothing (a model without positions). Default true. */
  readonly position?: boolean;
  /** false where gates cannot be trained. Default true. */
  readonly gates?: boolean;
  /** false where weights cannot be trained, such as those of reduced precision. Default: where `fineTuning` is there. */
  readonly fineTuning?: boolean;
}

/** How far numbers may be apart; parts of the size of what is compared. */
export interface Tolerances {
  /** Logits and features of one example in different batches, or with a prompt cut instead of gated. Default 1e-5. */
  readonly logits?: number;
  /** Gradients and finite differences. Default 0.01. */
  readonly gradients?: number;
}

/** How long memory is watched. */
export interface MemoryOptions {
  /** Training steps; default 24. A leak of a few bytes shows after 1000. */
  readonly steps?: number;
  /** Most growth of the heap, its buffers included; default 64 MiB. */
  readonly heapBytes?: number;
  /** Most growth of resident memory; default 256 MiB. */
  readonly residentBytes?: number;
}

/** What of `@dynaprompt/training` saves and loads adapters; the module itself will do. */
export type AdapterFiles = Pick<
  typeof training,
  'adapterOf' | 'saveAdapter' | 'loadAdapter' | 'restorePrompt'
>;

/** A backbone to check, and what to check it with. */
export interface ConformanceOptions<Example> {
  /** Names the backbone in titles and errors. */
  readonly name: string;
  /** Opens the backbone; called anew for the checks that release it. Room for {@link slots} prompt tokens. */
  readonly open: () => Promise<FrozenBackbone<Example>>;
  /** At least two examples of different content, and of different lengths where the model takes such. */
  readonly examples: readonly Example[];
  /** Answers: class indices, or numbers where the backbone has a `range`. */
  readonly labels: readonly number[];
  /** Prompt slots of plans; default 4, at least 2. */
  readonly slots?: number;
  readonly capabilities?: Capabilities;
  readonly tolerances?: Tolerances;
  readonly memory?: MemoryOptions;
  /**
   * Rows [n, d] that a prompt would have to hold to be like each token of an example's content, framing left out; for heads that
   * read where no prompt moves anything to, such as the first token. No plan makes the mixtures of places that a position gradient
   * is a slope along, but with these rows prompts come so close to tokens that differences of the loss tell the slope. Without
   * them the gradient is checked at equal places only.
   */
  readonly contentRows?: (example: Example) => Promise<Float32Array>;
  /** Present: an adapter is saved and loaded with it. */
  readonly training?: AdapterFiles;
  /** Of the prompts, heads and directions that are drawn; default 1. */
  readonly seed?: number;
  /** Milliseconds that a check may take, for runners that limit it. */
  readonly timeout?: number;
}

/** `describe`, `it` and, where a runner has it, `afterAll` and `expect`: those of jest, vitest, mocha or node:test. */
export interface Runner {
  /** Groups tests. */
  readonly describe: (name: string, body: () => void) => unknown;
  /** A test that may take `timeout` milliseconds. */
  readonly it: (name: string, body: () => Promise<void>, timeout?: number) => unknown;
  /** Releases the backbone; without it the last check does. */
  readonly afterAll?: (body: () => Promise<void>) => unknown;
  /** Lets a runner that counts assertions count each check as one. */
  readonly expect?: (value: unknown) => {
    /** Counts an assertion. */
    toBe: (expected: unknown) => unknown;
  };
}
