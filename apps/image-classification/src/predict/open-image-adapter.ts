import { type AdapterOptions, openAdapter, type OpenAdapter } from '@dynaprompt/runner';
import { DTYPES, type VisionExample } from '@dynaprompt/vision';

import { openBackbone } from '../backbone.js';
import { bundled } from '../bundled.js';
import { ClipTowers } from '../clip/towers.js';
import { ClipViewer } from '../clip/viewer.js';
import { clipChoiceOf, headOfAdapter } from '../head.js';

/** An adapter on a backbone that sees pictures. */
export interface OpenImageAdapter extends OpenAdapter<VisionExample> {
  /** Shows what both towers read; absent where there is no text. The caller has to close it. */
  readonly viewer: ClipViewer | undefined;
}

/** Loads an adapter and opens its backbone, which the caller has to release. */
export async function openImageAdapter(options: AdapterOptions): Promise<OpenImageAdapter> {
  let viewer: ClipViewer | undefined;
  const opened = await openAdapter(options, {
    bundled,
    async open(adapter, { location, slots, compute, dtype: stored }) {
      const dtype = DTYPES.find((known) => known === stored);
      const choice = clipChoiceOf(adapter);
      if (choice === undefined) {
        const head = headOfAdapter(adapter, options.folder);
        return openBackbone(location, { head, slots, compute, dtype });
      }
      const classes = adapter.head.labels;
      const towers = new ClipTowers(location, { choice, classes, compute, dtype });
      if (adapter.configuration === undefined) return towers.probe();
      const backbone = await towers.prompted(adapter.configuration);
      viewer = new ClipViewer(backbone, location, { choice, dtype });
      return backbone;
    },
  });
  return { ...opened, viewer };
}
