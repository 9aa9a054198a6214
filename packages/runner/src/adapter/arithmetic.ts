/** In what numbers a backbone stores its weights and computes. */
export interface Arithmetic {
  /** Of large products. */
  readonly compute: 'float32' | 'int8';
  /** Element type of the file; undefined: float32. */
  readonly dtype: string | undefined;
}

/**
 * What the `dtype` of a backbone's description may stand for, the likeliest first: `int8` is what a float32 file computed in int8
 * says of itself, and a file of int8 weights too; the fingerprint of the file tells them apart.
 */
export function arithmeticsOf(described: string): readonly [Arithmetic, ...Arithmetic[]] {
  if (described === 'int8') {
    return [
      { compute: 'int8', dtype: undefined },
      { compute: 'float32', dtype: 'int8' },
    ];
  }
  const [stored = described] = described.split(', ');
  const compute = described.endsWith(', products in int8') ? 'int8' : 'float32';
  return [{ compute, dtype: stored === 'fp32' ? undefined : stored }];
}
