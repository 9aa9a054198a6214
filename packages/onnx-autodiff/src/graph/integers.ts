const LIMIT = 2n ** 63n;

/** The int64 nearest to a whole number: 2^63 − 1, which a double rounds up to 2^63, comes back as itself. */
export function toInt64(value: number): bigint {
  const exact = BigInt(value);
  if (exact >= LIMIT) return LIMIT - 1n;
  return exact < -LIMIT ? -LIMIT : exact;
}

/** An int64 array from whole numbers. */
export function int64Array(values: readonly number[]): BigInt64Array {
  return BigInt64Array.from(values, toInt64);
}
