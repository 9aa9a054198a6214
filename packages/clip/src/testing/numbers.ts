import { nullThrows } from '@dynaprompt/core';

/** An element that is there. */
export function at(values: ArrayLike<number>, index: number): number {
  return nullThrows(values[index], `no element ${index} of ${values.length}`);
}

/** Largest difference of two arrays; NaN where their lengths differ. */
export function distance(left: ArrayLike<number>, right: ArrayLike<number>): number {
  if (left.length !== right.length || left.length === 0) return NaN;
  return Array.from(left, (value, index) => Math.abs(value - at(right, index))).reduce((most, difference) =>
    difference > most || Number.isNaN(difference) ? difference : most,
  );
}

/** ‖left − right‖ / ‖right‖ */
export function relativeError(left: ArrayLike<number>, right: ArrayLike<number>): number {
  const norm = (values: readonly number[]): number => Math.hypot(...values);
  const difference = Array.from(right, (value, index) => at(left, index) - value);
  return norm(difference) / norm(Array.from(right));
}

export function inner(left: ArrayLike<number>, right: ArrayLike<number>): number {
  return Array.from(left).reduce((sum, value, index) => sum + value * at(right, index), 0);
}

/** left + scale · right */
export function along(left: Float32Array, right: ArrayLike<number>, scale: number): Float32Array {
  return left.map((value, index) => value + scale * at(right, index));
}

/** Mean cross-entropy of logits [B, K] in double precision. */
export function crossEntropy(logits: ArrayLike<number>, labels: ArrayLike<number>): number {
  const classes = logits.length / labels.length;
  let sum = 0;
  for (let row = 0; row < labels.length; row++) {
    const scores = Array.from({ length: classes }, (_, index) => at(logits, row * classes + index));
    const most = Math.max(...scores);
    const total = scores.reduce((all, score) => all + Math.exp(score - most), 0);
    sum += most + Math.log(total) - at(scores, at(labels, row));
  }
  return sum / labels.length;
}

/** Derivative of f at 0 from central differences of steps h and h/2 (Richardson): error O(h⁴). */
export async function derivative(f: (step: number) => Promise<number>, h: number): Promise<number> {
  const central = async (step: number): Promise<number> => ((await f(step)) - (await f(-step))) / (2 * step);
  return (4 * (await central(h / 2)) - (await central(h))) / 3;
}
