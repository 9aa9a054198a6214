import { nullThrows } from '@dynaprompt/core';

/** Logits below this are of candidates that are not there. */
const ABSENT = -1e8;

/** An element that is there. */
export function at(values: ArrayLike<number>, index: number): number {
  return nullThrows(values[index], `no element ${index} of ${values.length}`);
}

/** Largest |left − right|; NaN where lengths differ or a value is NaN. */
export function distance(left: Float32Array, right: Float32Array): number {
  if (left.length !== right.length) return NaN;
  let most = 0;
  for (let index = 0; index < left.length; index++) {
    const difference = Math.abs(at(left, index) - at(right, index));
    if (!(difference <= most)) most = difference;
    if (Number.isNaN(most)) return NaN;
  }
  return most;
}

/** Largest absolute value, at least 1; logits of absent candidates do not count. */
export function sizeOfValues(values: Float32Array): number {
  return values.reduce((most, value) => (value > ABSENT ? Math.max(most, Math.abs(value)) : most), 1);
}

/** ⟨left, right⟩ in double precision. */
export function inner(left: Float32Array, right: Float32Array): number {
  let sum = 0;
  for (let index = 0; index < left.length; index++) sum += at(left, index) * at(right, index);
  return sum;
}

/** Euclidean norm. */
export function norm(values: Float32Array): number {
  return Math.sqrt(inner(values, values));
}

/** left + scale · right. */
export function along(left: Float32Array, right: Float32Array, scale: number): Float32Array {
  return left.map((value, index) => value + scale * at(right, index));
}

/** Whether two arrays have the same bits. */
export function isSame(left: Float32Array | undefined, right: Float32Array | undefined): boolean {
  if (left?.length !== right?.length) return false;
  return left?.every((value, index) => Object.is(value, right?.[index])) ?? true;
}

/** Mean cross-entropy of logits [B, classes] in nats, in double precision. */
export function crossEntropy(logits: Float32Array, labels: readonly number[]): number {
  const classes = logits.length / labels.length;
  const losses = labels.map((label, row) => {
    const scores = logits.subarray(row * classes, (row + 1) * classes);
    const most = Math.max(...scores);
    return (
      Math.log(scores.reduce((sum, score) => sum + Math.exp(score - most), 0)) + most - at(scores, label)
    );
  });
  return losses.reduce((sum, loss) => sum + loss, 0) / losses.length;
}

/** Mean of ((prediction − target) / (highest − lowest))². */
export function squaredError(
  predictions: Float32Array,
  targets: readonly number[],
  [lowest, highest]: readonly [number, number],
): number {
  const errors = targets.map((target, row) => ((at(predictions, row) - target) / (highest - lowest)) ** 2);
  return errors.reduce((sum, error) => sum + error, 0) / errors.length;
}

/**
 * ∫ f over [0, end] by Simpson's rule in log x from 1e-9 · end on, an even number of intervals: as fine at every scale, since gates
 * may bend a loss within any.
 */
export async function integralFromZero(
  f: (place: number) => Promise<number>,
  end: number,
  intervals: number,
): Promise<number> {
  const width = Math.log(1e9) / intervals;
  let sum = 0;
  for (let index = 0; index <= intervals; index++) {
    const place = end * Math.exp((index - intervals) * width);
    const isEnd = index === 0 || index === intervals;
    sum += (isEnd ? 1 : index % 2 === 1 ? 4 : 2) * place * (await f(place));
  }
  return (sum * width) / 3;
}
