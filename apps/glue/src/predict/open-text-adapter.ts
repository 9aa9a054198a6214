import { type AdapterOptions, openAdapter, type OpenAdapter } from '@dynaprompt/runner';
import { type Dtype, DTYPES, type TextExample } from '@dynaprompt/text';
import type { Adapter } from '@dynaprompt/training';

import { bundled, openBackbone } from '../backbone.js';
import { headOptionsOf } from './head-options.js';

/** Which adapter to use, and on what. */
export interface TextAdapterOptions extends AdapterOptions {
  /** Most tokens of a text; default: as many as the model has room for. */
  readonly maxLength: number | undefined;
}

/** An adapter on a backbone that reads texts. */
export type OpenTextAdapter = OpenAdapter<TextExample>;

/** Loads an adapter and opens its backbone, which the caller has to release. */
export function openTextAdapter(options: TextAdapterOptions): Promise<OpenTextAdapter> {
  const { folder, maxLength } = options;
  return openAdapter(options, {
    bundled,
    open: (adapter, { location, slots, compute }) => {
      const head = headOptionsOf(adapter, folder);
      return openBackbone(location, { head, slots, maxLength, compute, dtype: dtypeOf(adapter) });
    },
  });
}

/** Element type of the file that an adapter was trained on; what is computed in int8 was read in float32 unless it says more. */
function dtypeOf({ backbone }: Pick<Adapter, 'backbone'>): Dtype | undefined {
  const [stored] = backbone.dtype.split(', ');
  return stored === 'int8' ? undefined : DTYPES.find((dtype) => dtype === stored);
}
