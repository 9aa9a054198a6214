import type { FrozenBackbone } from '@dynaprompt/core';
import { placeOf } from '@dynaprompt/runner';
import {
  type Dtype,
  type HeadOptions,
  openTextBackbone,
  type TextBackboneOptions,
  type TextExample,
} from '@dynaprompt/text';

import { bundled } from './bundled.js';

/** How a backbone is opened. */
export interface OpenOptions {
  readonly head: HeadOptions;
  /** Prompt slots to leave room for. */
  readonly slots: number;
  /** Most tokens of a text; default: as many as the model has room for. */
  readonly maxLength: number | undefined;
  /** Threads within an operator; default: as many as there are cores. */
  readonly threads?: number;
  /** Arithmetic of large products; default: float32. */
  readonly compute?: TextBackboneOptions['compute'];
  /** Element type of the weights, which says what file is opened; default: fp32. */
  readonly dtype?: Dtype | undefined;
}

/** Opens a folder in the Hugging Face layout, a bundled model by its name, or a hub id. */
export async function openBackbone(
  location: string,
  { head, slots, maxLength, threads, compute, dtype }: OpenOptions,
): Promise<FrozenBackbone<TextExample>> {
  return openTextBackbone(placeOf(location, bundled), {
    head,
    reserve: slots,
    ...(maxLength === undefined ? {} : { maximumTokens: maxLength }),
    ...(threads === undefined ? {} : { threads }),
    ...(compute === undefined ? {} : { compute }),
    ...(dtype === undefined ? {} : { dtype }),
  });
}
