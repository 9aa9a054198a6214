import type { RunResults } from '../results/schema.js';
import { formatCount } from './score-format.js';

/** Most steps of a method that are named. */
const MOST_STEPS = 5;

/** What a run did without, a sentence each: examples that could not be used, and steps that were not finite. */
export function leftOut({ data, methods }: Pick<RunResults, 'data' | 'methods'>): readonly string[] {
  const { skipped: examples } = data;
  const steps = Object.entries(methods).flatMap(([name, { skipped = [] }]) => {
    if (skipped.length === 0) return [];
    const named = skipped
      .slice(0, MOST_STEPS)
      .map(({ seed, step, quantity }) => `seed ${seed} step ${step} (${quantity})`);
    const others = skipped.length - named.length;
    const which = [...named, ...(others === 0 ? [] : [`${formatCount(others)} others`])].join(', ');
    return [`${name}: ${counted(skipped.length, 'step')} not finite, ${which}`];
  });
  if (examples === undefined) return steps;
  const { count, first } = examples;
  const unnamed = count - first.length;
  const which = [...first, ...(unnamed > 0 ? [`${formatCount(unnamed)} others`] : [])].join('; ');
  return [`${counted(count, 'example')} that could not be used: ${which}`, ...steps];
}

function counted(count: number, what: string): string {
  return `${formatCount(count)} ${what}${count === 1 ? '' : 's'}`;
}
