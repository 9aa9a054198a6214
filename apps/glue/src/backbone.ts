import { existsSync } from 'node:fs';

import type { FrozenBackbone } from '@dynaprompt/core';
import { bundledModels } from '@dynaprompt/mini-models';
import { createTextEncoder, type HeadOptions, type TextExample } from '@dynaprompt/text';

/** How a backbone is opened. */
export interface OpenOptions {
  readonly head: HeadOptions;
  /** Prompt slots to leave room for. */
  readonly slots: number;
  /** Most tokens of a text; default: as many as the model has room for. */
  readonly maxLength: number | undefined;
  /** Threads within an operator; default: as many as there are cores. */
  readonly threads?: number;
}

/** Opens a folder in the Hugging Face layout, a bundled model by its name, or a hub id. */
export async function openBackbone(
  location: string,
  { head, slots, maxLength, threads }: OpenOptions,
): Promise<FrozenBackbone<TextExample>> {
  const bundled = Object.values(bundledModels).find(({ name }) => name === location);
  const place = bundled === undefined || existsSync(location) ? location : bundled.folder;
  return createTextEncoder(place, {
    head,
    reserve: slots,
    ...(maxLength === undefined ? {} : { maximumTokens: maxLength }),
    ...(threads === undefined ? {} : { threads }),
  });
}
