import type { CurvePoint } from '@dynaprompt/training';

const mostPoints = 400;

/** A curve of at most 400 points: each stands at the last step of those whose mean it is. */
export function thinned(points: readonly CurvePoint[], most = mostPoints): readonly CurvePoint[] {
  const together = Math.ceil(points.length / most);
  if (together <= 1) return points;
  const thin: CurvePoint[] = [];
  for (let start = 0; start < points.length; start += together) {
    const part = points.slice(start, start + together);
    const value = part.reduce((sum, point) => sum + point.value, 0) / part.length;
    thin.push({ step: part.at(-1)?.step ?? 0, value });
  }
  return thin;
}
