import { inner, norm } from './numbers.js';
import type { Subject } from './subject.js';

/** A gradient and the function that it is said to be of. */
export interface Slope {
  /** What is varied, for errors, e.g. `prompts`. */
  readonly what: string;
  readonly gradient: Float32Array;
  /** Where the gradient was taken. */
  readonly values: Float32Array;
  /** Loss with `values` changed by `step · direction`. */
  readonly loss: (direction: Float32Array, step: number) => Promise<number>;
  /** Differences to one side only, where the other is out of bounds. */
  readonly side?: 'left';
  /** Default: along the gradient and along random signs. */
  readonly directions?: readonly Float32Array[];
  /** Random directions; default 3. */
  readonly random?: number;
}

const CONTRACT = 'gradients are those of the loss, as finite differences of it show';
/** Parts of the values that are moved. Large steps drown rounding, small ones cross no kinks. */
const STEPS = [0.1, 0.03, 0.3, 0.01, 0.003];
/** Rounding of a loss that is computed in float32, times the size of 1. */
const ROUNDING = 1e-6;

/**
 * Compares a gradient with finite differences along itself, which finds wrong sizes, signs and places, and along random signs,
 * which find parts that are missing.
 * @throws ConformanceError with both slopes.
 */
export async function checkSlope<Example>(subject: Subject<Example>, slope: Slope): Promise<void> {
  const { gradient, values, what } = slope;
  if (gradient.length !== values.length || !gradient.every(Number.isFinite)) {
    throw subject.broken(
      `gradient of ${what}`,
      `it has ${gradient.length} values, ${gradient.filter((value) => !Number.isFinite(value)).length} of them not finite, for ${values.length}`,
      CONTRACT,
    );
  }
  const directions = slope.directions ?? ownAndRandom(subject, slope);
  for (const direction of directions) await checkAlong(subject, slope, direction);
}

function ownAndRandom<Example>(
  { normals }: Subject<Example>,
  { what, values, gradient, random: count = 3 }: Slope,
): Float32Array[] {
  /** Root mean square of the values: steps are parts of it. */
  const size = norm(values) / Math.sqrt(values.length) || 1;
  const random = Array.from({ length: count }, (_, index) =>
    normals(`${what}, direction ${index}`, values.length).map((value) => size * Math.sign(value)),
  );
  const squares = gradient.map((value) => value ** 2);
  const square = squares.reduce((sum, value) => sum + value, 0);
  if (square === 0) return random;
  // As long as the values in the places that take part: (Σ g²)² / Σ g⁴ of them.
  const length = (size * square) / norm(squares);
  return [gradient.map((value) => (value * length) / Math.sqrt(square)), ...random];
}

/** Compares along one direction, at the first of several steps that agrees. */
async function checkAlong<Example>(
  subject: Subject<Example>,
  { what, gradient, loss, side }: Slope,
  direction: Float32Array,
): Promise<void> {
  const analytic = inner(gradient, direction);
  /** Root mean square of the slopes along random directions of this length. */
  const typical = (norm(gradient) * norm(direction)) / Math.sqrt(gradient.length);
  const start = await loss(direction, 0);
  const rounding = ROUNDING * (1 + Math.abs(start));
  let found = { numeric: NaN, allowed: NaN, ratio: Infinity };
  for (const [index, step] of STEPS.entries()) {
    // Where rounding is a good part of the slope, anything would agree.
    if (index > 0 && rounding / step > 0.03 * (Math.abs(analytic) + typical)) continue;
    const numeric =
      side === 'left'
        ? await leftSlope((part) => loss(direction, part), start, step)
        : await centralSlope((part) => loss(direction, part), step);
    const allowed = subject.tolerances.gradients * (Math.abs(analytic) + typical) + (4 * rounding) / step;
    const ratio = Math.abs(analytic - numeric) / allowed;
    if (ratio <= 1) return;
    if (!(ratio >= found.ratio)) found = { numeric, allowed, ratio };
  }
  throw subject.broken(
    `gradient of ${what}`,
    `it says ${analytic.toPrecision(6)} along a direction in which finite differences give ${found.numeric.toPrecision(6)} (allowed: ${found.allowed.toPrecision(2)} apart)`,
    CONTRACT,
  );
}

/** Central differences of steps h and h/2 (Richardson): error O(h⁴). */
async function centralSlope(f: (step: number) => Promise<number>, h: number): Promise<number> {
  const central = async (step: number): Promise<number> => ((await f(step)) - (await f(-step))) / (2 * step);
  return (4 * (await central(h / 2)) - (await central(h))) / 3;
}

/** Backward differences of steps h, h/2 and h/4 (Richardson): error O(h³). */
async function leftSlope(f: (step: number) => Promise<number>, start: number, h: number): Promise<number> {
  const backward = async (step: number): Promise<number> => (start - (await f(-step))) / step;
  const [whole, half, quarter] = [await backward(h), await backward(h / 2), await backward(h / 4)];
  return (4 * (2 * quarter - half) - (2 * half - whole)) / 3;
}
