import { type AdapterOptions, openAdapter, type OpenAdapter } from '@dynaprompt/runner';
import { DTYPES, type VisionExample } from '@dynaprompt/vision';

import { bundled, openBackbone } from '../backbone.js';
import { headOfAdapter } from '../head.js';

/** An adapter on a backbone that sees pictures. */
export type OpenImageAdapter = OpenAdapter<VisionExample>;

/** Loads an adapter and opens its backbone, which the caller has to release. */
export function openImageAdapter(options: AdapterOptions): Promise<OpenImageAdapter> {
  return openAdapter(options, {
    bundled,
    open: (adapter, { location, slots, compute, dtype: stored }) => {
      const head = headOfAdapter(adapter, options.folder);
      const dtype = DTYPES.find((known) => known === stored);
      return openBackbone(location, { head, slots, compute, dtype });
    },
  });
}
