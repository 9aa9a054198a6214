/** The most recently used arrays, as many as fit into a number of bytes. Keys are compared by identity. */
export interface PixelCache {
  /** Bytes held. */
  readonly bytes: number;
  /** Pixels kept under a key; undefined where there are none. */
  get(key: unknown): Float32Array | undefined;
  /** Keeps an array, and lets go of those used longest ago; one that is larger than the whole cache is not kept. */
  set(key: unknown, values: Float32Array): void;
  /** Lets go of everything. */
  clear(): void;
}

/** A cache of `limit` bytes. */
export function createPixelCache(limit: number): PixelCache {
  const entries = new Map<unknown, Float32Array>(); // least recently used first
  let bytes = 0;
  const remove = (key: unknown) => {
    bytes -= entries.get(key)?.byteLength ?? 0;
    entries.delete(key);
  };
  return {
    get bytes() {
      return bytes;
    },
    get(key) {
      const values = entries.get(key);
      if (values) {
        entries.delete(key);
        entries.set(key, values);
      }
      return values;
    },
    set(key, values) {
      remove(key);
      if (values.byteLength > limit) return;
      entries.set(key, values);
      bytes += values.byteLength;
      for (const oldest of entries.keys()) {
        if (bytes <= limit) return;
        remove(oldest);
      }
    },
    clear() {
      entries.clear();
      bytes = 0;
    },
  };
}
