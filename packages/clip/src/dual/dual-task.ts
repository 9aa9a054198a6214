import type { ParameterSet } from '@dynaprompt/core';
import type { VisionExample } from '@dynaprompt/vision';
import type { Scoring } from '../graph/scores.js';
import type { TokenRow } from '../towers/text-batch.js';

/** What is asked about an image, and how it is answered. */
export interface DualTask<Example> {
  /** K, columns of the logits. */
  readonly classes: number;
  readonly scoring: Scoring;
  /** Which embeddings `fused` reads; both elsewhere. */
  readonly reads: { readonly images: boolean; readonly texts: boolean };
  /** Texts that all images share, as they stand around a prompt; `shared` only. */
  readonly shared: readonly TokenRow[];
  /** An example's own texts, at most K: one for each candidate, or the one that is fused. */
  readonly textsOf: (example: Example) => readonly TokenRow[];
  readonly imageOf: (example: Example) => VisionExample;
  /** Embeddings [K, D] of texts that all images share, where texts have no prompt; absent where each example has its own. */
  readonly sharedEmbeddings?: () => Promise<Float32Array>;
  /** Text that features tell of, beside the image; absent where all examples have the same. */
  readonly featureTextOf?: (example: Example) => TokenRow;
  /** Text in place of the image, where none is looked at; candidates are then compared with that. */
  readonly standInOf?: (example: Example) => TokenRow;
  /** Tensors of a head of the task's own. */
  readonly initialHead: (seed: number) => ParameterSet;
  /** Candidates of an example, where they are fewer than K. */
  readonly countOf?: (example: Example) => number;
  /** What an example is told apart by, beside its picture. */
  readonly identify: (example: Example) => string;
}
