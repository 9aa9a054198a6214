import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { conformance } from '@dynaprompt/conformance';
import type { VisionExample } from './backbone/example.js';
import { openVisionBackbone } from './open-vision-backbone.js';
import { pictureOf, temporaryFolder, VISION_MODELS, writeFixture } from './testing/fixture-folders.js';

const { folder, remove } = temporaryFolder();
afterAll(remove);

const examples = ['a', 'b', 'c'].map((name) => pictureOf(name));

for (const name of ['vit', 'beit', 'siglip, image tower'] as const) {
  const model = VISION_MODELS[name];
  const location = writeFixture(join(folder, name), model);
  conformance<VisionExample>(
    {
      name,
      open: () =>
        openVisionBackbone(location, { threads: 1, reserve: 4, head: { kind: 'linear', classes: 3 } }),
      examples,
      labels: [2, 0, 1],
      // BEiT has relative positions of patches alone: where a prompt stands changes nothing.
      capabilities: { position: model.hasPositions },
    },
    { describe, it, afterAll, expect },
  );
}
