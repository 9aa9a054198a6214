import { nullThrows } from '@dynaprompt/core';

/** Largest difference of two arrays; NaN where their lengths or a value say so. */
export function distance(left: ArrayLike<number>, right: ArrayLike<number>): number {
  if (left.length !== right.length || left.length === 0) return NaN;
  return Array.from(left, (value, index) => Math.abs(value - at(right, index))).reduce((most, difference) =>
    Number.isNaN(difference) || difference > most ? difference : most,
  );
}

/** ⟨left, right⟩ in double precision. */
export function inner(left: ArrayLike<number>, right: ArrayLike<number>): number {
  return Array.from(left).reduce((sum, value, index) => sum + value * at(right, index), 0);
}

/** left + scale · right. */
export function along(left: Float32Array, right: ArrayLike<number>, scale: number): Float32Array {
  return left.map((value, index) => value + scale * at(right, index));
}

/** An element that is there. */
export function at(values: ArrayLike<number>, index: number): number {
  return nullThrows(values[index], `no element ${index} of ${values.length}`);
}

/** Mean cross-entropy of logits [B, classes] in double precision. */
export function crossEntropy(logits: ArrayLike<number>, labels: readonly number[]): number {
  const classes = logits.length / labels.length;
  const losses = labels.map((label, row) => {
    const scores = Array.from({ length: classes }, (_, index) => at(logits, row * classes + index));
    const most = Math.max(...scores);
    return (
      most + Math.log(scores.reduce((sum, score) => sum + Math.exp(score - most), 0)) - at(scores, label)
    );
  });
  return losses.reduce((sum, loss) => sum + loss, 0) / losses.length;
}

/** Derivative of f at 0 from central differences of steps h and h/2 (Richardson): error O(h⁴). */
export async function derivative(f: (step: number) => Promise<number>, h: number): Promise<number> {
  const central = async (step: number): Promise<number> => ((await f(step)) - (await f(-step))) / (2 * step);
  return (4 * (await central(h / 2)) - (await central(h))) / 3;
}

/**
 * Error of a loss's derivative at 0, as a part of what is tolerated: a hundredth, and rounding. Smaller steps cross fewer kinks of
 * ReLU, larger ones drown rounding: a right derivative is that of one of them.
 */
export async function slopeError(analytic: number, loss: (step: number) => Promise<number>): Promise<number> {
  let least = Infinity;
  const rounding = 3e-5 * (1 + 2 * (await loss(0)));
  for (const step of [0.005, 0.02, 0.001, 0.0003]) {
    const numeric = await derivative(loss, step);
    least = Math.min(least, Math.abs(analytic - numeric) / (0.01 * Math.abs(numeric) + rounding));
    if (least < 1) break;
  }
  return least;
}

/** ∫ f over [from, to] by Simpson's rule with an even number of intervals. */
export async function integral(
  f: (place: number) => Promise<number>,
  from: number,
  to: number,
  intervals: number,
): Promise<number> {
  const width = (to - from) / intervals;
  let sum = 0;
  for (let index = 0; index <= intervals; index++) {
    const isEnd = index === 0 || index === intervals;
    sum += (isEnd ? 1 : index % 2 === 1 ? 4 : 2) * (await f(from + index * width));
  }
  return (sum * width) / 3;
}
