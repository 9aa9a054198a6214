import { nullThrows } from '@dynaprompt/core';
import type { CurvePoint } from '../results/schema.js';

/** Most points of a drawn line. */
const MOST_POINTS = 80;

/** A line thinned out for drawing. */
export interface ThinnedCurve {
  readonly points: readonly CurvePoint[];
  /** Measured points that each drawn point is the mean of. */
  readonly window: number;
}

/** Averages runs of neighbouring points so that few enough are left to draw. The last run may be shorter. */
export function thinned(points: readonly CurvePoint[]): ThinnedCurve {
  const window = Math.max(1, Math.ceil(points.length / MOST_POINTS));
  if (window === 1) return { points, window };
  const result: CurvePoint[] = [];
  for (let start = 0; start < points.length; start += window) {
    result.push(meanPoint(points.slice(start, start + window)));
  }
  return { points: result, window };
}

/** The mean over seeds, at the steps that every seed has. */
export function meanCurve(curves: readonly (readonly CurvePoint[])[]): readonly CurvePoint[] {
  const [first = [], ...others] = curves;
  const rest = others.map((points) => new Map(points.map(({ step, value }) => [step, value])));
  return first
    .filter(({ step }) => rest.every((values) => values.has(step)))
    .map(({ step, value }) => ({
      step,
      value:
        rest.reduce((total, values) => total + nullThrows(values.get(step), 'a step that all have'), value) /
        curves.length,
    }));
}

function meanPoint(points: readonly CurvePoint[]): CurvePoint {
  const total = points.reduce(
    (sum, point) => ({ step: sum.step + point.step, value: sum.value + point.value }),
    { step: 0, value: 0 },
  );
  return { step: Math.round(total.step / points.length), value: total.value / points.length };
}
