import { metrics } from '@dynaprompt/benchmarks';
import { collapse } from '@dynaprompt/core';
import { predictor, type TunedRun } from '@dynaprompt/runner';
import { type Adapter, restorePrompt } from '@dynaprompt/training';
import type { VisionExample } from '@dynaprompt/vision';

import type { NovelClasses } from '../data/base-to-novel.js';
import type { ImageMetricName } from '../options.js';
import type { ClipTowers } from './towers.js';

/** Pictures of one pass. */
const batch = 32;

/**
 * Base-to-novel generalisation (Zhou et al. 2022b): the score on the classes that a run was trained on, that of its prompt with the
 * names of others on pictures of those, and their harmonic mean.
 *
 * @param towers opened with the names of the novel classes.
 * @returns nothing for a layer that knows the base classes alone.
 */
export async function baseToNovelMeasures(
  { score, adapter }: Pick<TunedRun, 'score' | 'adapter'>,
  towers: ClipTowers,
  { classes, examples }: NovelClasses,
  metric: ImageMetricName,
): Promise<Readonly<Record<string, number>>> {
  if (adapter !== undefined && adapter.configuration === undefined) return {};
  const predict = await predictionOf(adapter, towers, classes);
  const said: number[] = [];
  for (let start = 0; start < examples.length; start += batch) {
    const part = examples.slice(start, start + batch);
    for (const logits of await predict(part.map(({ id, image }) => ({ id, image })))) {
      said.push(logits.indexOf(Math.max(...logits)));
    }
  }
  const labels = examples.map(({ label }) => label);
  const novel = metrics[metric].score(Int32Array.from(said), Int32Array.from(labels));
  return { 'base classes': score, 'novel classes': novel, 'harmonic mean': harmonicMean(score, novel) };
}

/** Of two shares; 0 where one is. */
export function harmonicMean(first: number, second: number): number {
  return first * second === 0 ? 0 : (2 * first * second) / (first + second);
}

/** Logits of each example over the novel classes: with the prompt of an adapter, or zero-shot without one. */
async function predictionOf(
  adapter: Adapter | undefined,
  towers: ClipTowers,
  classes: readonly string[],
): Promise<(examples: readonly VisionExample[]) => Promise<readonly Float32Array[]>> {
  if (adapter?.configuration === undefined) {
    const backbone = await towers.zeroShot();
    return async (examples) => {
      const logits = await backbone.predict(examples, undefined, new Map());
      return examples.map((_, row) => logits.subarray(row * classes.length, (row + 1) * classes.length));
    };
  }
  const predict = predictor({
    adapter: { ...adapter, head: { ...adapter.head, classes: classes.length, labels: classes } },
    backbone: await towers.prompted(adapter.configuration),
    prompt: collapse(await restorePrompt(adapter)),
  });
  return async (examples) => (await predict(examples)).map(({ logits }) => logits);
}
