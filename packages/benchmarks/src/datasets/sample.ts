import { ConfigurationError, nullThrows } from '@dynaprompt/core';
import { packageName } from '../package-name.js';
import { integerStream, shuffled } from '../random.js';

/** Something with a class. */
export interface Labelled {
  readonly label: number;
}

/** Something that may belong together with others. */
export interface Grouped {
  readonly group?: string;
}

/**
 * Draws `count` examples so that each class keeps its share (largest remainder) and, where `count` allows, every class keeps
 * at least one. Keeps the order of the input; the same seed draws the same examples. All of them where there are no more
 * than `count`.
 */
export function stratifiedSample<Example extends Labelled>(
  examples: readonly Example[],
  count: number,
  seed: number,
): readonly Example[] {
  if (examples.length <= count) return examples;
  const stream = integerStream(seed);
  const groups = indicesByLabel(examples);
  const quotas = shares(
    groups.map((group) => group.length),
    count,
  );
  const chosen = groups.flatMap((group, position) => shuffled(group, stream).slice(0, quotas[position]));
  return chosen
    .sort((first, second) => first - second)
    .map((index) => nullThrows(examples[index], 'index of an example'));
}

/** A {@link stratifiedSample}, or a {@link groupSample} of examples that have groups. */
export function sampleOf<Example extends Labelled & Grouped>(
  examples: readonly Example[],
  count: number,
  seed: number,
): readonly Example[] {
  return examples.some(({ group }) => group !== undefined)
    ? groupSample(examples, count, seed)
    : stratifiedSample(examples, count, seed);
}

/**
 * Draws whole groups, at most `count` examples together, so that measures of groups keep their meaning. Keeps the order of the
 * input; the same seed draws the same examples. Throws a `ConfigurationError` where `count` is less than any group.
 */
export function groupSample<Example extends Grouped>(
  examples: readonly Example[],
  count: number,
  seed: number,
): readonly Example[] {
  if (examples.length <= count) return examples;
  const sizes = new Map<string | undefined, number>();
  for (const { group } of examples) sizes.set(group, (sizes.get(group) ?? 0) + 1);
  const chosen = new Set<string | undefined>();
  let left = count;
  for (const [group, size] of shuffled([...sizes], integerStream(seed))) {
    if (size > left) continue;
    chosen.add(group);
    left -= size;
  }
  if (chosen.size > 0) return examples.filter(({ group }) => chosen.has(group));
  throw new ConfigurationError({
    packageName,
    subject: `limit ${count}`,
    problem: 'every group of examples that belong together is larger',
    remedy: `Give at least ${Math.min(...sizes.values())}`,
  });
}

/** Positions of each class's examples, classes in ascending order. */
export function indicesByLabel(examples: readonly Labelled[]): number[][] {
  const groups = new Map<number, number[]>();
  examples.forEach(({ label }, index) => {
    const group = groups.get(label);
    if (group) group.push(index);
    else groups.set(label, [index]);
  });
  return [...groups.entries()].sort(([first], [second]) => first - second).map(([, indices]) => indices);
}

/** Splits `count` in proportion to `sizes`. Every size is positive and `count` is less than their sum. */
function shares(sizes: readonly number[], count: number): number[] {
  const total = sum(sizes);
  const minimum = count >= sizes.length ? 1 : 0;
  const exact = sizes.map((size) => (size * count) / total);
  const quotas = exact.map((value) => Math.max(minimum, Math.floor(value)));
  const claim = (position: number) =>
    nullThrows(exact[position], 'share') - nullThrows(quotas[position], 'quota');
  const positions = sizes.map((_, position) => position);
  for (let left = count - sum(quotas); left !== 0; left += left > 0 ? -1 : 1) {
    const ranked = positions.toSorted((first, second) => claim(second) - claim(first));
    const taker =
      left > 0 ? ranked[0] : ranked.findLast((position) => nullThrows(quotas[position], 'quota') > minimum);
    const position = nullThrows(taker, 'a class that can give or take one');
    quotas[position] = nullThrows(quotas[position], 'quota') + (left > 0 ? 1 : -1);
  }
  return quotas;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
