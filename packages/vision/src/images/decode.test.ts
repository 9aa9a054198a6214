import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import sharp from 'sharp';
import { DataError, type ImageSource } from '@dynaprompt/core';
import { decodeImage } from './decode.js';
import {
  encoded,
  encoder,
  given,
  maximumDifference,
  meanDifference,
  patterned,
  smooth,
} from './pictures.test.fixture.js';

const image = smooth(60, 40);

describe('formats', () => {
  test.each([
    ['PNG', () => encoder(image).png().toBuffer(), 0],
    ['TIFF', () => encoder(image).tiff({ compression: 'lzw' }).toBuffer(), 0],
    ['lossless WebP', () => encoder(image).webp({ lossless: true }).toBuffer(), 0],
    ['JPEG', () => encoder(image).jpeg({ quality: 95, chromaSubsampling: '4:4:4' }).toBuffer(), 6],
    ['progressive JPEG', () => encoder(image).jpeg({ quality: 95, progressive: true }).toBuffer(), 9],
    ['AVIF', () => encoder(image).avif({ quality: 90 }).toBuffer(), 12],
    ['interlaced PNG', () => encoder(image).png({ progressive: true }).toBuffer(), 0],
  ])('%s', async (_, encode, tolerance) => {
    const decoded = await decodeImage(encoded(await encode()));
    expect([decoded.width, decoded.height]).toEqual([60, 40]);
    expect(maximumDifference(decoded.data, image.data)).toBeLessThanOrEqual(tolerance);
  });

  test('a palette', async () => {
    const two = patterned(16, 16);
    two.data.forEach((_, at) => (two.data[at] = Math.floor(at / 3) % 3 === 0 ? 250 : (at % 3) * 40));
    const decoded = await decodeImage(encoded(await encoder(two).png({ palette: true }).toBuffer()));
    expect(decoded).toEqual(two);
  });

  test('grey, 8 and 16 bit: the high byte, three times', async () => {
    const samples = Uint16Array.from({ length: 64 }, (_, at) => at * 1000 + 77);
    const raw = { width: 8, height: 8, channels: 1 } as const;
    const high = Uint8Array.from(samples, (value) => value >> 8);
    const repeated = Uint8Array.from({ length: 192 }, (_, at) => high[Math.floor(at / 3)] ?? 0);
    const grey16 = await sharp(samples, { raw }).toColourspace('grey16').png().toBuffer();
    expect(await sharp(grey16).metadata()).toMatchObject({ depth: 'ushort', channels: 1 });
    expect((await decodeImage(encoded(grey16))).data).toEqual(repeated);
    const grey8 = await sharp(high, { raw }).toColourspace('b-w').png().toBuffer();
    expect(await sharp(grey8).metadata()).toMatchObject({ depth: 'uchar', channels: 1 });
    expect((await decodeImage(encoded(grey8))).data).toEqual(repeated);
  });

  test('16-bit colours: the high byte', async () => {
    const samples = Uint16Array.from({ length: 192 }, (_, at) => (at * 3571) % 65536);
    const raw = { width: 8, height: 8, channels: 3 } as const;
    const bytes = await sharp(samples, { raw }).toColourspace('rgb16').png().toBuffer();
    expect(await sharp(bytes).metadata()).toMatchObject({ depth: 'ushort', channels: 3 });
    const { data } = await decodeImage(encoded(bytes));
    expect(data).toEqual(Uint8Array.from(samples, (value) => value >> 8));
  });

  test('CMYK JPEG: colours come back through the printing profile', async () => {
    // Muted colours, which print; a reading of CMYK as RGB, or inverted, would be far off.
    const muted = smooth(64, 64);
    muted.data.forEach((value, at) => (muted.data[at] = 110 + Math.round((value - 127) / 4)));
    const bytes = await encoder(muted).toColourspace('cmyk').jpeg({ quality: 95 }).toBuffer();
    expect((await sharp(bytes).metadata()).space).toBe('cmyk');
    const decoded = await decodeImage(encoded(bytes));
    expect(meanDifference(decoded.data, muted.data)).toBeLessThan(8);
  });

  test.each(['gif', 'webp'] as const)('an animated %s: its first frame', async (format) => {
    const frames = [
      [255, 0, 0],
      [0, 255, 0],
      [0, 0, 255],
    ].map((colour) => Uint8Array.from({ length: 20 * 10 * 3 }, (_, at) => colour[at % 3] ?? 0));
    const raw = { width: 20, height: 30, channels: 3, pageHeight: 10 } as const;
    const animation = sharp(Buffer.concat(frames), { raw });
    const bytes = await (
      format === 'gif' ? animation.gif({ delay: [50, 50, 50] }) : animation.webp({ lossless: true })
    ).toBuffer();
    expect((await sharp(bytes, { animated: true }).metadata()).pages).toBe(3);
    const decoded = await decodeImage(encoded(bytes));
    expect([decoded.width, decoded.height]).toEqual([20, 10]);
    expect(decoded.data).toEqual(frames[0]);
  });
});

describe('orientation', () => {
  test.each([1, 3, 6, 8])('EXIF orientation %i is applied', async (orientation) => {
    const bytes = await encoder(image).withMetadata({ orientation }).png().toBuffer();
    const decoded = await decodeImage(encoded(bytes));
    const at = (x: number, y: number) => [...image.data.slice((y * 60 + x) * 3, (y * 60 + x) * 3 + 3)];
    const sideways = orientation === 6 || orientation === 8;
    expect([decoded.width, decoded.height]).toEqual(sideways ? [40, 60] : [60, 40]);
    // Where the stored corner at the top left belongs, by the table of the EXIF standard.
    const corner = { 1: at(0, 0), 3: at(59, 39), 6: at(0, 39), 8: at(59, 0) }[orientation];
    expect([...decoded.data.slice(0, 3)]).toEqual(corner);
  });
});

describe('transparency', () => {
  const data = Uint8Array.from({ length: 16 * 4 }, (_, at) => [200, 100, 50, (at >> 2) * 16][at % 4] ?? 0);
  const raw = { width: 4, height: 4, channels: 4 } as const;

  test('is dropped as the image processors do, or put on white', async () => {
    const bytes = await sharp(data, { raw }).png().toBuffer();
    const pixels: ImageSource = { kind: 'pixels', width: 4, height: 4, channels: 4, data };
    for (const source of [encoded(bytes).image, pixels]) {
      const example = { id: 'a', image: source };
      const dropped = await decodeImage(example);
      expect([...dropped.data]).toEqual(Array.from({ length: 16 }, () => [200, 100, 50]).flat());
      const white = await decodeImage(example, { alpha: 'white' });
      const expected = Array.from({ length: 16 }, (_, at) =>
        [200, 100, 50].map((value) => 255 + ((value - 255) * at * 16) / 255),
      ).flat();
      expect(maximumDifference(white.data, expected)).toBeLessThanOrEqual(1);
    }
  });

  test('beside grey', async () => {
    const grey = await sharp(data, { raw }).toColourspace('b-w').png().toBuffer();
    expect((await sharp(grey).metadata()).channels).toBe(2);
    const { data: decoded } = await decodeImage(encoded(grey));
    expect(decoded).toHaveLength(48);
    expect(decoded[0]).toBe(decoded[2]);
  });
});

describe('SVG', () => {
  const svg = (attributes: string) =>
    Buffer.from(
      `<svg xmlns="http://www.w3.org/2000/svg" ${attributes}><rect width="12" height="12" fill="#00f"/></svg>`,
    );

  test('is drawn on white at the size it is wanted in', async () => {
    for (const attributes of ['viewBox="0 0 24 12"', 'width="24" height="12"']) {
      const decoded = await decodeImage(encoded(svg(attributes)), {
        target: ({ width, height }) => ({ width: (224 * width) / height, height: 224 }),
      });
      expect([decoded.width, decoded.height]).toEqual([448, 224]);
      const row = decoded.data.slice(100 * 448 * 3, 101 * 448 * 3);
      // Sharp edges: blue up to the middle, white from there on.
      expect([...row.slice(222 * 3, 223 * 3)]).toEqual([0, 0, 255]);
      expect([...row.slice(225 * 3, 226 * 3)]).toEqual([255, 255, 255]);
    }
  });

  test('beyond the limit is refused before it is drawn', async () => {
    const example = encoded(svg('width="1" height="100000" viewBox="0 0 1 100000"'), 'long.svg');
    const target = ({ width, height }: { width: number; height: number }) => ({
      width: 224,
      height: (224 * height) / width,
    });
    await expect(decodeImage(example, { target })).rejects.toThrow(/long\.svg.*more than the limit/);
  });

  test('with a reference to a file of the machine reads nothing', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'vision-'));
    try {
      writeFileSync(join(folder, 'secret.png'), await encoder(image).png().toBuffer());
      const bytes = Buffer.from(
        `<svg xmlns="http://www.w3.org/2000/svg" width="60" height="40"><image href="file://${folder}/secret.png" width="60" height="40"/></svg>`,
      );
      const { data } = await decodeImage(encoded(bytes));
      expect(data.every((value) => value === 255)).toBe(true);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

describe('what cannot be used is refused by name', () => {
  const folder = mkdtempSync(join(tmpdir(), 'vision-'));
  beforeAll(() => {
    mkdirSync(join(folder, 'directory.jpg'));
    writeFileSync(join(folder, 'empty.jpg'), '');
    execFileSync('mkfifo', [join(folder, 'pipe.jpg')]);
  });
  afterAll(() => {
    rmSync(folder, { recursive: true });
  });

  test.each(['missing.jpg', 'directory.jpg', 'empty.jpg', 'pipe.jpg'])('%s', async (name) => {
    const path = join(folder, name);
    const decoding = decodeImage({ id: `train/${name}`, image: { kind: 'file', path } });
    await expect(decoding).rejects.toThrow(DataError);
    const message = await decoding.catch((error: unknown) => (error as Error).message);
    expect(message).toContain(`picture 'train/${name}'`);
    expect(message).toContain(path);
  });

  test('a file whose name sharp would take for options is read', async () => {
    const path = join(folder, 'a[page=3].png');
    writeFileSync(path, await encoder(image).png().toBuffer());
    expect((await decodeImage({ id: 'a', image: { kind: 'file', path } })).data).toEqual(image.data);
  });

  test.each(['jpeg', 'png', 'webp', 'gif', 'tiff', 'avif'] as const)(
    'a %s cut off anywhere',
    async (format) => {
      const whole = await encoder(patterned(64, 48)).toFormat(format).toBuffer();
      for (const share of [0.02, 0.3, 0.6, 0.9, 0.98]) {
        const example = encoded(whole.subarray(0, Math.floor(whole.length * share)), 'train/cut');
        await expect(decodeImage(example)).rejects.toThrow(
          /picture 'train\/cut': it is damaged or no picture/,
        );
      }
    },
  );

  test.each([
    ['text', Buffer.from('name,label\ncat,1\n'.repeat(50))],
    ['zeros', new Uint8Array(5000)],
    ['HTML', Buffer.from('<!doctype html><html><body>404</body></html>')],
    ['broken XML', Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"><rect')],
    ['an SVG without size', Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" width="0" height="0"/>')],
    ['no bytes', new Uint8Array(0)],
  ])('%s', async (_, bytes) => {
    const decoding = decodeImage(encoded(bytes, 'dev/7'));
    await expect(decoding).rejects.toThrow(DataError);
    await expect(decoding).rejects.toThrow(/picture 'dev\/7'/);
  });

  test('damage in the middle is a picture or an error, never a crash', async () => {
    const whole = await encoder(patterned(64, 48)).png().toBuffer();
    for (let at = 8; at < whole.length; at += 97) {
      const bytes = Uint8Array.from(whole);
      bytes[at] = (bytes[at] ?? 0) ^ 0xff;
      const result = await decodeImage(encoded(bytes)).catch((error: unknown) => error);
      expect(result instanceof DataError || (result as { width: number }).width === 64).toBe(true);
    }
  });

  test('more pixels than the limit, by the header alone', async () => {
    const bytes = await encoder(image).png().toBuffer();
    await expect(decodeImage(encoded(bytes), { maximumPixels: 2399 })).rejects.toThrow(
      /60 × 40 pixels, more than the limit of 2399/,
    );
    expect((await decodeImage(encoded(bytes), { maximumPixels: 2400 })).width).toBe(60);
    // A header that promises 30,000 × 30,000: the checksum does not matter, nothing is decoded.
    const bomb = Buffer.from(bytes);
    bomb.writeUInt32BE(30_000, 16);
    bomb.writeUInt32BE(30_000, 20);
    await expect(decodeImage(encoded(bomb))).rejects.toThrow(DataError);
    await expect(decodeImage(given(image), { maximumPixels: 10 })).rejects.toThrow(DataError);
  });

  test('a larger file than the limit', async () => {
    const bytes = await encoder(image).png().toBuffer();
    const path = join(folder, 'large.png');
    writeFileSync(path, bytes);
    const limit = { maximumFileBytes: bytes.length - 1 };
    for (const source of [{ kind: 'file', path } as const, { kind: 'bytes', bytes } as const]) {
      await expect(decodeImage({ id: 'x', image: source }, limit)).rejects.toThrow(/limit of/);
    }
  });

  test.each([
    [{ width: 4, height: 4, channels: 3, data: new Uint8Array(47) }],
    [{ width: 0, height: 4, channels: 3, data: new Uint8Array(0) }],
    [{ width: 2.5, height: 2, channels: 3, data: new Uint8Array(15) }],
    [{ width: 2, height: 2, channels: 2, data: new Uint8Array(8) }],
  ])('pixels that do not fit their size %#', async (pixels) => {
    const source = { kind: 'pixels', ...pixels } as ImageSource;
    await expect(decodeImage({ id: 'p', image: source })).rejects.toThrow(/picture 'p'/);
  });
});

test('pixels are taken as they are, grey repeated', async () => {
  expect((await decodeImage(given(image))).data).toEqual(image.data);
  const grey: ImageSource = {
    kind: 'pixels',
    width: 2,
    height: 1,
    channels: 1,
    data: new Uint8Array([7, 9]),
  };
  expect([...(await decodeImage({ id: 'g', image: grey })).data]).toEqual([7, 7, 7, 9, 9, 9]);
});

test('a picture of 50 million pixels is decoded smaller, upright', async () => {
  const bytes = await sharp({ create: { width: 8192, height: 6144, channels: 3, background: '#204060' } })
    .withMetadata({ orientation: 6 })
    .jpeg()
    .toBuffer();
  const decoded = await decodeImage(encoded(bytes), { target: () => ({ width: 224, height: 299 }) });
  expect(decoded.width).toBeGreaterThanOrEqual(4 * 224);
  expect(decoded.width).toBeLessThan(1200);
  expect(decoded.height / decoded.width).toBeCloseTo(8192 / 6144, 2);
  expect(maximumDifference(decoded.data.slice(0, 3), [0x20, 0x40, 0x60])).toBeLessThanOrEqual(2);
});

test.each(['jpeg', 'png'] as const)('a cut %s is refused where it is decoded smaller too', async (format) => {
  const whole = await encoder(smooth(2600, 2000)).toFormat(format).toBuffer();
  const target = () => ({ width: 224, height: 224 });
  expect((await decodeImage(encoded(whole), { target })).width).toBeLessThan(2600);
  const cut = whole.subarray(0, Math.floor(whole.length * 0.6));
  await expect(decodeImage(encoded(cut, 'cut'), { target })).rejects.toThrow(/'cut': it is damaged/);
});
