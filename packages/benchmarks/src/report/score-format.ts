import { metrics } from '../metrics/metrics.js';
import type { MethodResult, ScoreName } from '../results/schema.js';

/** Scores are shown as hundredths, as GLUE's tables show them: 0.8432 as 84.32. */
export function formatScore(score: number): string {
  return (score * 100).toFixed(2);
}

/** `84.32 ± 0.51`, or `84.32` for a single seed. */
export function formatMeanAndStd({ mean, std }: Pick<MethodResult, 'mean' | 'std'>): string {
  return std === null ? formatScore(mean) : `${formatScore(mean)} ± ${formatScore(std)}`;
}

/** `[83.1, 85.5]`, cut to the scores that are possible, or a dash for a single seed. */
export function formatConfidence(result: Pick<MethodResult, 'confidence'>, metric: ScoreName): string {
  if (result.confidence === null) return '–';
  const [lowest, highest] = scoreRange(metric);
  const low = Math.max(lowest, result.confidence.low);
  const high = Math.min(highest, result.confidence.high);
  return `[${(low * 100).toFixed(1)}, ${(high * 100).toFixed(1)}]`;
}

/** What a score is called. */
export function scoreTitle(metric: ScoreName): string {
  return metric === 'mean' ? 'mean score' : metrics[metric].title;
}

/** Lowest and highest possible score; a mean may hold correlations. */
export function scoreRange(metric: ScoreName): readonly [number, number] {
  return metric === 'mean' ? [-1, 1] : metrics[metric].range;
}

/** The metric's title with the scale that {@link formatScore} uses. */
export function metricTitle(metric: ScoreName): string {
  return scoreRange(metric)[0] === 0 ? `${scoreTitle(metric)} (%)` : `${scoreTitle(metric)} × 100`;
}

/** Names with commas between them; of very many, the first ones and the number of the others. */
export function formatNames(names: readonly string[], most = 100): string {
  if (names.length <= most) return names.join(', ');
  return `${names.slice(0, most).join(', ')} and ${formatCount(names.length - most)} others`;
}

/** A whole number with thousands separators. */
export function formatCount(value: number): string {
  return value.toLocaleString('en-US');
}

/** `8.3 s`, `2 min 5 s`. */
export function formatSeconds(seconds: number): string {
  if (seconds < 60) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  return `${Math.floor(whole / 60)} min ${whole % 60} s`;
}
