import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import sharp from 'sharp';
import { DataError } from '@dynaprompt/core';
import { openVisionBackbone } from '../open-vision-backbone.js';
import { thumbnail } from '../images/thumbnail.js';
import { pictureOf, SIDE, temporaryFolder, VISION_MODELS, writeFixture } from '../testing/fixture-folders.js';

const { folder, remove } = temporaryFolder();
afterAll(remove);

const options = { head: { kind: 'linear', classes: 2 }, reserve: 4, threads: 1 } as const;

describe('a backbone looks at a picture', () => {
  it.each([
    ['vit', ['[CLS]']],
    ['deit', ['[CLS]', '[DIST]']],
    ['dinov2 with registers', ['[CLS]', '[REG]', '[REG]', '[REG]']],
    ['siglip, image tower', []],
  ] as const)('of %s behind %j, in 4 × 4 patches', async (name, special) => {
    const backbone = await openVisionBackbone(writeFixture(join(folder, name), VISION_MODELS[name]), options);
    const example = pictureOf('a');
    const seen = await backbone.look(example);
    expect(seen).toMatchObject({ special, rows: 4, columns: 4 });
    expect(seen.special.length + seen.rows * seen.columns).toBe(backbone.lengthOf(example));
    // The picture has the model's size, so that it goes in as it is.
    expect(seen.picture).toEqual({
      width: SIDE,
      height: SIDE,
      data: example.image.kind === 'pixels' && example.image.data,
    });
    await backbone.release();
    await expect(backbone.look(example)).rejects.toThrow('the backbone was released');
  });

  it('after it was resized, and not at one that it cannot decode', async () => {
    const backbone = await openVisionBackbone(writeFixture(join(folder, 'resized'), VISION_MODELS.vit), {
      ...options,
      augmentation: { seed: 1 },
    });
    const data = new Uint8Array(3 * 60 * 30).fill(77);
    const image = { kind: 'pixels', width: 60, height: 30, channels: 3, data } as const;
    const { picture } = await backbone.look({ id: 'wide', image, draw: { epoch: 0, index: 0 } });
    expect(picture).toEqual({ width: SIDE, height: SIDE, data: new Uint8Array(3 * SIDE * SIDE).fill(77) });
    const damaged = { id: 'broken.png', image: { kind: 'bytes', bytes: Uint8Array.of(1, 2, 3) } } as const;
    await expect(backbone.look(damaged)).rejects.toThrow(DataError);
    await backbone.release();
  });
});

describe('a thumbnail', () => {
  const decoded = async (
    uri: string | undefined,
  ): Promise<{ data: Buffer; width: number; format: string }> => {
    const [, format = '', base64 = ''] = /^data:image\/(\w+);base64,(.*)$/.exec(uri ?? '') ?? [];
    const image = sharp(Buffer.from(base64, 'base64'));
    return { ...(await image.metadata()), data: await image.raw().toBuffer(), format };
  };
  const noise = pictureOf('noise', 224).image;
  const large = { width: 224, height: 224, data: noise.kind === 'pixels' ? noise.data : new Uint8Array() };

  it('is the picture itself where that is short enough', async () => {
    const data = Uint8Array.from({ length: 3 * 8 * 8 }, (_, index) => index);
    const found = await decoded(await thumbnail({ width: 8, height: 8, data }));
    expect(found).toMatchObject({ format: 'png', width: 8 });
    expect([...found.data]).toEqual([...data]);
  });

  it('is compressed and then reduced until it is, or there is none', async () => {
    const flat = { ...large, data: large.data.map((value) => value >> 5) };
    const fitting = await thumbnail(flat, 24_000);
    expect(await decoded(fitting)).toMatchObject({ format: 'webp', width: 224 });
    const small = await thumbnail(large, 6000);
    expect(small?.length).toBeLessThanOrEqual(6000);
    expect((await decoded(small)).width).toBeLessThan(224);
    expect(await thumbnail(large, 100)).toBeUndefined();
  });
});
