import type { CurvePoint } from '@dynaprompt/training';

const mostPoints = 400;
const mostEvaluations = 40;

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

/** Of what was recorded at many steps, what belongs to at most 40 of them, evenly spread with the last among them. */
export function evenly<Point extends { readonly step: number }>(
  points: readonly Point[],
  most = mostEvaluations,
): readonly Point[] {
  const steps = [...new Set(points.map(({ step }) => step))];
  if (steps.length <= most) return points;
  const kept = new Set(
    Array.from({ length: most }, (_, index) => steps[Math.round(((index + 1) * steps.length) / most) - 1]),
  );
  return points.filter(({ step }) => kept.has(step));
}
