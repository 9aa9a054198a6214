import { describe, expect, test } from '@jest/globals';
import sharp from 'sharp';
import { DataError, type ImageExample } from '@dynaprompt/core';
import { decodeImage } from '../images/decode.js';
import { encoded, encoder, given, patterned } from '../images/pictures.test.fixture.js';
import { parsePreprocessor } from '../images/preprocessor.js';
import { createPictureLoader, type PictureLoader } from './picture-loader.js';
import type { PictureRequest } from './pixel-source.js';

const preprocessor = parsePreprocessor({ image_processor_type: 'ViTImageProcessor', size: 8 }, 'config');
const PLANES = preprocessor.valuesPerPicture;

/** A picture of one colour, so that its first pixel value tells which one it is. */
async function numbered(value: number, side = 20): Promise<ImageExample> {
  const background = { r: value, g: 0, b: 0 };
  const bytes = await sharp({ create: { width: side, height: side, channels: 3, background } })
    .png()
    .toBuffer();
  return encoded(bytes, `train/${value}`);
}

const broken = (id: string) => encoded(Buffer.from('no picture'), id);
const requestsOf = (examples: readonly ImageExample[]) => examples.map((example) => ({ example }));

function inBatches<Item>(items: readonly Item[], size: number): Item[][] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, at) =>
    items.slice(at * size, (at + 1) * size),
  );
}

/** The numbers of {@link numbered} that a batch holds. */
function numbersIn(pixelValues: Float32Array): number[] {
  return Array.from({ length: pixelValues.length / PLANES }, (_, row) =>
    Math.round(((pixelValues[row * PLANES] ?? NaN) + 1) * 127.5),
  );
}

async function collect(loader: PictureLoader, batches: Iterable<readonly PictureRequest[]>) {
  const collected: number[][] = [];
  for await (const { pixelValues } of loader.batches(batches)) collected.push(numbersIn(pixelValues));
  return collected;
}

describe('order', () => {
  test('batches come in the order of their source, however long each picture takes', async () => {
    const sides = [1500, 10, 900, 12, 14, 1200, 16, 10, 11];
    const examples = await Promise.all(sides.map((side, at) => numbered(at * 20, side)));
    const loader = createPictureLoader({ preprocessor });
    expect(await collect(loader, inBatches(requestsOf(examples), 2))).toEqual([
      [0, 20],
      [40, 60],
      [80, 100],
      [120, 140],
      [160],
    ]);
    await loader.close();
  });

  test('a batch holds what decoding and preprocessing give, and what was asked for', async () => {
    const examples = [given(patterned(30, 20)), await numbered(9)];
    const requests = examples.map((example, label) => ({ example, label }));
    const loader = createPictureLoader({ preprocessor });
    const { value: batch } = await loader.batches([requests]).next();
    const parts = await Promise.all(
      examples.map(async (example) => preprocessor.pixelValues(await decodeImage(example))),
    );
    expect(batch).toEqual({
      requests,
      rows: [0, 1],
      pixelValues: Float32Array.from(parts.flatMap((part) => [...part])),
    });
    await loader.close();
  });

  test('an asynchronous source', async () => {
    const batches = inBatches(requestsOf([await numbered(1), await numbered(2)]), 1);
    async function* source() {
      for (const batch of batches) yield await Promise.resolve(batch);
    }
    const loader = createPictureLoader({ preprocessor });
    const seen: number[] = [];
    for await (const { pixelValues } of loader.batches(source())) seen.push(...numbersIn(pixelValues));
    expect(seen).toEqual([1, 2]);
  });

  test('a source without batches', async () => {
    expect(await collect(createPictureLoader({ preprocessor }), [])).toEqual([]);
  });
});

describe('looking ahead', () => {
  test.each([0, 1, 3])('reads %i batches ahead of the one handed out, not more', async (lookAhead) => {
    const example = await numbered(5);
    let pulled = 0;
    function* source() {
      for (; pulled < 12;) {
        pulled++;
        yield [{ example }];
      }
    }
    const loader = createPictureLoader({ preprocessor, lookAhead });
    let taken = 0;
    for await (const batch of loader.batches(source())) {
      taken++;
      expect(batch.requests).toHaveLength(1);
      expect(pulled).toBe(Math.min(12, taken + lookAhead));
    }
    expect(taken).toBe(12);
  });

  test.each([-1, 0.5, NaN])('%d batches are refused', (lookAhead) => {
    expect(() => createPictureLoader({ preprocessor, lookAhead })).toThrow(/lookAhead/);
  });

  test('before a batch is handed out, the next ones are with other threads', async () => {
    const bytes = await encoder(patterned(600, 600)).png().toBuffer();
    const batches = inBatches(
      Array.from({ length: 12 }, (_, at) => ({ example: encoded(bytes, `train/${at}`) })),
      3,
    );
    const loader = createPictureLoader({ preprocessor, lookAhead: 1 });
    const iterator = loader.batches(batches);
    for (const begun of [6, 9, 12]) {
      await iterator.next();
      const { queue, process } = sharp.counters();
      expect(queue + process + loader.report().decoded).toBe(begun);
    }
    await loader.close();
  });

  test('a small memory for decoding slows it down, nothing else', async () => {
    const examples = await Promise.all([10, 300, 20, 400, 30].map((side, at) => numbered(at, side)));
    const loader = createPictureLoader({ preprocessor, decodingBytes: 2000 });
    const batches = inBatches(requestsOf(examples), 2);
    expect(await collect(loader, batches)).toEqual([[0, 1], [2, 3], [4]]);
  });
});

describe('bad pictures', () => {
  test('the error comes with its batch, after the ones before it, and ends the iteration', async () => {
    const examples = [await numbered(1), await numbered(2), broken('train/3'), broken('train/4')];
    const loader = createPictureLoader({ preprocessor, lookAhead: 3 });
    const iterator = loader.batches(inBatches(requestsOf(examples), 1));
    expect(numbersIn((await iterator.next()).value?.pixelValues ?? new Float32Array(0))).toEqual([1]);
    expect(numbersIn((await iterator.next()).value?.pixelValues ?? new Float32Array(0))).toEqual([2]);
    await expect(iterator.next()).rejects.toThrow(/picture 'train\/3'/);
    expect(await iterator.next()).toEqual({ done: true, value: undefined });
    expect(loader.report().skipped).toEqual([]);
    await loader.close();
  });

  test('are left out where that is asked for, and named once', async () => {
    const bad = broken('train/bad');
    const examples = [await numbered(1), bad, await numbered(3), bad, broken('train/alone'), bad];
    const loader = createPictureLoader({ preprocessor, badPictures: 'skip' });
    const rows: (readonly number[])[] = [];
    const numbers: number[][] = [];
    for await (const batch of loader.batches(inBatches(requestsOf(examples), 2))) {
      rows.push(batch.rows);
      numbers.push(numbersIn(batch.pixelValues));
      expect(batch.requests).toHaveLength(batch.rows.length);
    }
    expect(numbers).toEqual([[1], [3]]);
    expect(rows).toEqual([[0], [0]]);
    const { skipped, decoded } = loader.report();
    expect(skipped.map(({ id }) => id)).toEqual(['train/bad', 'train/alone']);
    expect(skipped[0]?.reason).toContain("picture 'train/bad'");
    expect(decoded).toBe(2);
  });

  test('an error of the source is no bad picture, and waits for its turn', async () => {
    const example = await numbered(1);
    function* source() {
      yield [{ example }];
      throw new Error('the disk is gone');
    }
    const loader = createPictureLoader({ preprocessor, badPictures: 'skip', lookAhead: 3 });
    const iterator = loader.batches(source());
    expect((await iterator.next()).done).toBe(false);
    await expect(iterator.next()).rejects.toThrow('the disk is gone');
  });

  test('load reports the first of its batch under either policy', async () => {
    const examples = [await numbered(1), broken('train/x'), broken('train/y')];
    const loader = createPictureLoader({ preprocessor, badPictures: 'skip' });
    await expect(loader.load(requestsOf(examples))).rejects.toThrow(/train\/x/);
  });
});

describe('closing', () => {
  test('ends iterations, tells their source, decodes no more and refuses to load', async () => {
    const bytes = await encoder(patterned(700, 700)).png().toBuffer();
    let returned = false;
    function* source() {
      try {
        for (let at = 0; at < 1000; at++) yield [{ example: encoded(bytes, `train/${at}`) }];
      } finally {
        returned = true;
      }
    }
    const loader = createPictureLoader({ preprocessor, lookAhead: 4 });
    const iterator = loader.batches(source());
    await iterator.next();
    const waiting = iterator.next();
    await loader.close();
    await waiting;
    expect(await iterator.next()).toEqual({ done: true, value: undefined });
    expect(returned).toBe(true);
    const { queue, process } = sharp.counters();
    expect(queue + process).toBe(0);
    expect(loader.report().decoded).toBeLessThanOrEqual(6);
    await expect(loader.load([{ example: encoded(bytes) }])).rejects.toThrow(/was closed/);
    await loader.prefetch([{ example: encoded(bytes) }]);
    await loader.close();
  });

  test('leaving a loop early tells the source', async () => {
    const example = await numbered(1);
    let returned = false;
    function* source() {
      try {
        for (;;) yield [{ example }];
      } finally {
        returned = true;
      }
    }
    const loader = createPictureLoader({ preprocessor });
    for await (const batch of loader.batches(source())) {
      expect(batch.rows).toEqual([0]);
      break;
    }
    expect(returned).toBe(true);
    await loader.close();
  });
});

describe('the cache', () => {
  test('answers the second time, by content and not by name', async () => {
    const first = await numbered(1);
    const second = { ...(await numbered(2)), id: first.id };
    const loader = createPictureLoader({ preprocessor, cacheBytes: 10 * PLANES * 4 });
    const batches = [requestsOf([first, second])];
    expect(await collect(loader, batches)).toEqual([[1, 2]]);
    expect(await collect(loader, batches)).toEqual([[1, 2]]);
    expect(loader.report()).toEqual({ decoded: 2, cached: 2, skipped: [] });
  });

  test('holds as many as its bytes', async () => {
    const examples = await Promise.all([1, 2, 3].map((value) => numbered(value)));
    const loader = createPictureLoader({ preprocessor, cacheBytes: 2 * PLANES * 4, lookAhead: 0 });
    for (const example of examples) await loader.load([{ example }]);
    await loader.load(requestsOf(examples.slice(1)));
    expect(loader.report()).toMatchObject({ decoded: 3, cached: 2 });
    await loader.load(requestsOf(examples.slice(0, 1)));
    expect(loader.report()).toMatchObject({ decoded: 4, cached: 2 });
  });

  test('is not used for augmented pictures, whose draw decides what they become', async () => {
    const example = given(patterned(40, 40));
    const augmentation = { seed: 3, brightness: 0.5 };
    const loader = createPictureLoader({ preprocessor, augmentation, cacheBytes: 1e6 });
    const drawn = (epoch: number, index: number) => loader.load([{ example, draw: { epoch, index } }]);
    const first = await drawn(0, 0);
    expect(await drawn(0, 1)).not.toEqual(first);
    expect(await drawn(1, 0)).not.toEqual(first);
    expect(await drawn(0, 0)).toEqual(first);
    expect(loader.report()).toMatchObject({ decoded: 4, cached: 0 });
    const plain = await loader.load([{ example }]);
    expect(plain).toEqual(await preprocessor.pixelValues(patterned(40, 40)));
  });
});

describe('prefetching', () => {
  test('is taken by the load that follows, once', async () => {
    const requests = requestsOf([await numbered(1), await numbered(2)]);
    const loader = createPictureLoader({ preprocessor });
    await loader.prefetch(requests);
    expect(numbersIn(await loader.load([...requests].reverse()))).toEqual([2, 1]);
    expect(loader.report().decoded).toBe(2);
    await loader.load(requests);
    expect(loader.report().decoded).toBe(4);
  });

  test('keeps errors for the load', async () => {
    const loader = createPictureLoader({ preprocessor });
    const bad = [{ example: broken('train/late') }];
    await loader.prefetch(bad);
    await expect(loader.load(bad)).rejects.toThrow(DataError);
  });

  test('lets the oldest go beyond the look-ahead', async () => {
    const [first, second] = requestsOf([await numbered(1), await numbered(2)]);
    const loader = createPictureLoader({ preprocessor, lookAhead: 1 });
    if (!first || !second) throw new Error('two requests');
    await loader.prefetch([first]);
    await loader.prefetch([second]);
    expect(numbersIn(await loader.load([first, second]))).toEqual([1, 2]);
    expect(loader.report().decoded).toBe(3);
    await loader.close();
  });
});
