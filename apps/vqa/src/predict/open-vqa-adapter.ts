import type { VqaBackbone, VqaExample } from '@dynaprompt/clip';
import { nullThrows } from '@dynaprompt/core';
import { type AdapterOptions, openAdapter, type OpenAdapter } from '@dynaprompt/runner';
import { DTYPES } from '@dynaprompt/vision';

import { openBackbone, openProbe } from '../backbone.js';
import { bundled } from '../bundled.js';
import { headOfAdapter } from '../head.js';
import { Viewer } from '../viewer.js';

/** An adapter on a backbone that answers questions. */
export interface OpenVqaAdapter extends OpenAdapter<VqaExample> {
  readonly viewer: Viewer;
}

/** Loads an adapter and opens its backbone; the caller has to close the viewer and to release the backbone. */
export async function openVqaAdapter(options: AdapterOptions): Promise<OpenVqaAdapter> {
  let viewed: VqaBackbone | undefined;
  const opened = await openAdapter(options, {
    bundled,
    async open(adapter, { location, slots, compute, dtype: stored }) {
      const head = headOfAdapter(adapter, options.folder);
      const dtype = DTYPES.find((known) => known === stored);
      const answers = adapter.head.labels;
      const open = adapter.configuration === undefined ? openProbe : openBackbone;
      viewed = await open(location, { head, answers, slots, compute, dtype });
      return viewed;
    },
  });
  const head = headOfAdapter(opened.adapter, options.folder);
  const dtype = DTYPES.find((known) => known === opened.place.dtype);
  const backbone = nullThrows(viewed, 'the backbone was opened');
  return { ...opened, viewer: new Viewer(backbone, opened.place.location, { head, dtype }) };
}
