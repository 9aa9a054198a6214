import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { conformance } from '@dynaprompt/conformance';
import * as training from '@dynaprompt/training';
import type { VisionExample } from './backbone/example.js';
import { openVisionBackbone } from './open-vision-backbone.js';
import { pictureOf, temporaryFolder, VISION_MODELS, writeFixture } from './testing/fixture-folders.js';

const { folder, remove } = temporaryFolder();
afterAll(remove);

const examples = ['a', 'b', 'c'].map((name) => pictureOf(name));

// One of each way to embed, place and pool: class token, distillation token, relative positions, resized positions, registers, a
// projection behind the pooling, and a query of its own.
const families = [
  'vit',
  'deit',
  'beit',
  'dinov2',
  'dinov2 with registers',
  'clip, image tower',
  'siglip, image tower',
] as const;

for (const name of families) {
  const model = VISION_MODELS[name];
  const location = writeFixture(join(folder, name), model);
  conformance<VisionExample>(
    {
      name,
      open: () =>
        openVisionBackbone(location, { threads: 1, reserve: 4, head: { kind: 'linear', classes: 3 } }),
      examples,
      labels: [2, 0, 1],
      training,
      // BEiT has relative positions of patches alone: where a prompt stands changes nothing.
      capabilities: { position: model.hasPositions },
    },
    { describe, it, afterAll, expect },
  );
}
