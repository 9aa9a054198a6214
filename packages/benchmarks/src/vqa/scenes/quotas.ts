import { nullThrows, type RandomStream } from '@dynaprompt/core';

/** How much more often the first answer of a question comes than an even share, and how much less often the last. */
const PRIOR = 0.2;

/**
 * [count] Answers in a random order, each as often as its share demands: shares fall in even steps from 1.2 to 0.8 of the even one.
 * So someone who knows the question alone can do a little better than by chance, as in data that people wrote.
 */
export function balanced<T>(answers: readonly T[], count: number, random: RandomStream): readonly T[] {
  const last = Math.max(1, answers.length - 1);
  const exact = answers.map(
    (_, index) => ((1 + PRIOR - (2 * PRIOR * index) / last) * count) / answers.length,
  );
  const quotas = exact.map(Math.floor);
  const left = count - quotas.reduce((sum, quota) => sum + quota, 0);
  const byRest = [...answers.keys()].sort(
    (first, second) => restOf(exact, second) - restOf(exact, first) || first - second,
  );
  for (const index of byRest.slice(0, left)) quotas[index] = (quotas[index] ?? 0) + 1;
  return random.shuffle(answers.flatMap((answer, index) => Array<T>(quotas[index] ?? 0).fill(answer)));
}

/** One of some things. */
export function oneOf<T>(items: readonly T[], random: RandomStream): T {
  return nullThrows(items[random.integer(items.length)], 'there is something to choose from');
}

function restOf(exact: readonly number[], index: number): number {
  const share = exact[index] ?? 0;
  // Rounded, so that equal rests are equal.
  return Math.round((share - Math.floor(share)) * 1e9);
}
