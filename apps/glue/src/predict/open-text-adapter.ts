import { type AdapterOptions, openAdapter, type OpenAdapter } from '@dynaprompt/runner';
import { DTYPES, type TextExample } from '@dynaprompt/text';

import { openBackbone } from '../backbone.js';
import { bundled } from '../bundled.js';
import { headOptionsOf, maxLengthOf } from './head-options.js';

/** Which adapter to use, and on what. */
export interface TextAdapterOptions extends AdapterOptions {
  /** Most tokens of a text; default: as many as in training. */
  readonly maxLength: number | undefined;
}

/** An adapter on a backbone that reads texts. */
export type OpenTextAdapter = OpenAdapter<TextExample>;

/** Loads an adapter and opens its backbone, which the caller has to release. */
export function openTextAdapter(options: TextAdapterOptions): Promise<OpenTextAdapter> {
  const { folder, maxLength } = options;
  return openAdapter(options, {
    bundled,
    open: (adapter, { location, slots, compute, dtype: stored }) => {
      const head = headOptionsOf(adapter, folder);
      const dtype = DTYPES.find((known) => known === stored);
      const { maximumTokens } = maxLengthOf(adapter, maxLength);
      return openBackbone(location, { head, slots, maxLength: maximumTokens, compute, dtype });
    },
  });
}
