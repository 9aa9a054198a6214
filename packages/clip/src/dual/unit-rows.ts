import { stream } from '@dynaprompt/core';

/** Rows [n, width] scaled to length 1; a row of zeros stays as it is. */
export function unitRows(values: Float32Array, width: number): Float32Array {
  const rows = new Float32Array(values.length);
  for (let start = 0; start < values.length; start += width) {
    const row = values.subarray(start, start + width);
    const length = Math.sqrt(row.reduce((sum, value) => sum + value * value, 0));
    row.forEach((value, column) => (rows[start + column] = length > 0 ? value / length : 0));
  }
  return rows;
}

/** ⟨a_i, b_j⟩ of two rows. */
export function product(a: Float32Array, i: number, b: Float32Array, j: number, width: number): number {
  let sum = 0;
  for (let column = 0; column < width; column++)
    sum += (a[i * width + column] ?? 0) * (b[j * width + column] ?? 0);
  return sum;
}

/** [rows, columns] of the products of rows [rows, width] with a matrix [columns, width]. */
export function products(rows: Float32Array, matrix: Float32Array, width: number): Float32Array {
  const columns = matrix.length / width;
  return Float32Array.from({ length: (rows.length / width) * columns }, (_, index) =>
    product(rows, Math.floor(index / columns), matrix, index % columns, width),
  );
}

/**
 * A map of rows to another width that keeps lengths on average: a fixed random matrix [to, from] of N(0, 1/to); undefined where
 * the widths are the same.
 */
export function projection(from: number, to: number): Float32Array | undefined {
  if (from === to) return undefined;
  const random = stream(0, 'embedding projection');
  return new Float32Array(from * to).map(() => random.normal() / Math.sqrt(to));
}
