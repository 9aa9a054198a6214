import { nullThrows } from '@dynaprompt/core';
import { createPixelCache, type VisionExample } from '@dynaprompt/vision';

/** What a picture is known by: its path or its object, as ids of two data sets may be alike. */
export function identityOf({ image, pixelValues }: VisionExample): unknown {
  return pixelValues ?? (image.kind === 'file' ? image.path : image);
}

/** Where embeddings of images [B, D] come from that are kept between runs, such as a `FeatureCache` of @dynaprompt/training. */
export interface KeptEmbeddings {
  /** Embeddings, [B, d], in the order of the images. */
  read(kind: 'pooled', images: readonly VisionExample[]): Promise<Float32Array>;
}

/** Rows that are computed once for each key. */
export interface RowCache<Item> {
  /** Rows of some items, one behind the other; those that are not known are computed, each by itself. */
  read(items: readonly Item[]): Promise<Float32Array>;
  has(item: Item): boolean;
  clear(): void;
}

/**
 * A cache of rows of `width` numbers within a number of bytes; those used longest ago are let go. A row does not depend, not even
 * in its last bit, on which others are asked for with it, nor on whether it was known.
 * @param keyOf undefined for what is not to be kept.
 */
export function createRowCache<Item>(
  limit: number,
  width: number,
  keyOf: (item: Item) => unknown,
  compute: (item: Item) => Promise<Float32Array>,
): RowCache<Item> {
  const cache = createPixelCache(limit);
  const has = (item: Item): boolean => {
    const key = keyOf(item);
    return key !== undefined && cache.get(key) !== undefined;
  };
  return {
    has,
    async read(items) {
      const rows = new Float32Array(items.length * width);
      const made = new Map<unknown, Float32Array>();
      for (const [index, item] of items.entries()) {
        const key = keyOf(item);
        const known = key === undefined ? undefined : (made.get(key) ?? cache.get(key));
        const row = known ?? (await compute(item));
        if (key !== undefined) {
          made.set(key, row);
          if (!known) cache.set(key, row);
        }
        rows.set(nullThrows(row, 'a row was computed'), index * width);
      }
      return rows;
    },
    clear: () => {
      cache.clear();
    },
  };
}

/**
 * Rows of images that are kept elsewhere.
 * @param keepable false for what is asked of `own`.
 */
export function readThrough(
  kept: KeptEmbeddings,
  own: RowCache<VisionExample>,
  keepable: (image: VisionExample) => boolean,
): RowCache<VisionExample> {
  return {
    has: keepable,
    async read(images) {
      if (images.every(keepable)) return kept.read('pooled', images);
      const rows: Float32Array[] = [];
      for (const image of images)
        rows.push(await (keepable(image) ? kept.read('pooled', [image]) : own.read([image])));
      return Float32Array.from(rows.flatMap((row) => [...row]));
    },
    clear: () => {
      own.clear();
    },
  };
}
