import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { DataError } from '@dynaprompt/core';
import { floatsOf } from '@dynaprompt/onnx-autodiff';
import sharp from 'sharp';
import { openVisionBackbone } from '../open-vision-backbone.js';
import {
  pictureOf,
  pixelsOf,
  SIDE,
  temporaryFolder,
  VISION_MODELS,
  writeFixture,
} from '../testing/fixture-folders.js';
import { distance } from '../testing/plans.js';
import { contentHash, drawn, type VisionExample } from './example.js';
import type { VisionBackboneOptions } from './options.js';

const { folder, remove } = temporaryFolder();
afterAll(remove);
const location = join(folder, 'model');
beforeAll(() => {
  writeFixture(location, VISION_MODELS.vit);
});

const open = (options: Partial<VisionBackboneOptions> = {}): ReturnType<typeof openVisionBackbone> =>
  openVisionBackbone(location, { threads: 1, reserve: 2, head: { kind: 'linear', classes: 3 }, ...options });

/** A picture as a PNG file, and the same as pixels. */
async function written(name: string, side = SIDE): Promise<{ file: VisionExample; pixels: VisionExample }> {
  const pixels = pictureOf(name, side);
  if (pixels.image.kind !== 'pixels') throw new Error('no pixels');
  const path = join(folder, `${name}.png`);
  const bytes = await sharp(pixels.image.data, { raw: { width: side, height: side, channels: 3 } })
    .png()
    .toBuffer();
  writeFileSync(path, bytes);
  return { file: { id: name, image: { kind: 'file', path } }, pixels };
}

describe('pictures of a backbone', () => {
  it('are decoded from files as they are from pixels, and once', async () => {
    const { file, pixels } = await written('once');
    const backbone = await open();
    const head = backbone.initialHead(1);
    const logits = await backbone.predict([file], undefined, head);
    expect(distance(logits, await backbone.predict([pixels], undefined, head))).toBe(0);
    rmSync(join(folder, 'once.png'));
    const again = await backbone.predict([file, file], undefined, head);
    expect(distance(logits, again.slice(3))).toBeLessThan(1e-6);
    await backbone.release();
    const forgetful = await open({ cacheBytes: 0 });
    await expect(forgetful.predict([file], undefined, head)).rejects.toThrow(DataError);
    await forgetful.release();
  });

  it('may bring finished pixel values, among others that do not', async () => {
    const [a, b] = [pictureOf('a'), pictureOf('b')];
    const backbone = await open();
    const head = backbone.initialHead(1);
    const given = { ...b, pixelValues: floatsOf(pixelsOf([a])) };
    const logits = await backbone.predict([given, b, a], undefined, head);
    const expected = await backbone.predict([a, b, a], undefined, head);
    expect(distance(logits, expected)).toBeLessThan(1e-6);
    const short = { ...a, pixelValues: new Float32Array(7) };
    await expect(backbone.predict([short], undefined, head)).rejects.toThrow(
      /picture 'a': it brings 7 pixel values/,
    );
    await backbone.release();
  });

  it('are augmented where they have a draw, the same for the same draw, but for features and probes', async () => {
    const backbone = await open({ augmentation: { seed: 3, scale: [0.2, 0.6] } });
    const head = backbone.initialHead(1);
    const { file } = await written('drawn', 60);
    const predict = (example: VisionExample): Promise<Float32Array> =>
      backbone.predict([example], undefined, head);
    const plain = await predict(file);
    const first = await predict(drawn(file, { epoch: 0, index: 4 }));
    expect(distance(first, plain)).toBeGreaterThan(1e-3);
    expect(distance(first, await predict(drawn(file, { epoch: 1, index: 4 })))).toBeGreaterThan(1e-3);
    expect(distance(first, await predict(drawn(file, { epoch: 0, index: 4 })))).toBe(0);
    for (const kind of ['features', 'pooled'] as const) {
      const [one, other] = [
        await backbone[kind]([file]),
        await backbone[kind]([drawn(file, { epoch: 0, index: 4 })]),
      ];
      expect(distance(one, other)).toBe(0);
    }
    expect(backbone.identify(drawn(file, { epoch: 2, index: 0 }))).toBe(backbone.identify(file));
    await backbone.release();
  });

  it('may be prepared ahead, which changes nothing; what is wrong is said when they are used', async () => {
    const { file } = await written('ahead');
    const backbone = await open({ augmentation: { seed: 3, scale: [0.2, 0.6] } });
    const head = backbone.initialHead(1);
    const shown = drawn(file, { epoch: 0, index: 0 });
    const logits = await backbone.predict([shown], undefined, head);
    await backbone.prepare?.([shown]);
    rmSync(join(folder, 'ahead.png'));
    expect(distance(logits, await backbone.predict([shown], undefined, head))).toBe(0);
    await backbone.prepare?.([shown]);
    await expect(backbone.predict([shown], undefined, head)).rejects.toThrow(/picture 'ahead'/);
    await backbone.release();
    await expect(backbone.prepare?.([shown])).rejects.toThrow('was released');
  });
});

describe('the identity of a picture', () => {
  it('is its content, not its name or place', async () => {
    const { file, pixels } = await written('same');
    const { file: other } = await written('other');
    const copy = join(folder, 'copy.png');
    writeFileSync(copy, await sharp(join(folder, 'same.png')).toBuffer());
    if (file.image.kind !== 'file') throw new Error('no file');
    const renamed: VisionExample = { id: 'renamed', image: { kind: 'file', path: file.image.path } };
    expect(contentHash(renamed)).toBe(contentHash(file));
    expect(contentHash(other)).not.toBe(contentHash(file));
    const shrunk: VisionExample = {
      id: 'shrunk',
      image: {
        ...pixels.image,
        kind: 'pixels',
        width: SIDE / 2,
        height: SIDE * 2,
        channels: 3,
        data: new Uint8Array(SIDE * SIDE * 3),
      },
    };
    const square: VisionExample = {
      id: 'square',
      image: {
        kind: 'pixels',
        width: SIDE,
        height: SIDE,
        channels: 3,
        data: new Uint8Array(SIDE * SIDE * 3),
      },
    };
    expect(contentHash(shrunk)).not.toBe(contentHash(square));
    const missing: VisionExample = { id: 'gone', image: { kind: 'file', path: join(folder, 'gone.png') } };
    expect(() => contentHash(missing)).toThrow(/picture 'gone'/);
  });

  it('changes with what the backbone makes of it', async () => {
    const example = pictureOf('a');
    const keys = new Set<unknown>();
    for (const pooling of ['cls', 'mean'] as const) {
      for (const resizer of ['pillow', 'transformers.js'] as const) {
        const backbone = await open({ resizer, head: { kind: 'linear', classes: 3, pooling } });
        keys.add(backbone.identify(example));
        await backbone.release();
      }
    }
    expect(keys.size).toBe(4);
  });
});
