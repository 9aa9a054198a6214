import type { RunResults } from './schema.js';

/**
 * A line for each method and seed, quoted after RFC 4180: scores as they are in `results.json`, then the scores of single tasks and
 * the further measures, a column for each.
 */
export function resultsCsv({ methods, metric }: RunResults): string {
  const all = Object.entries(methods);
  const tasks = unique(all.flatMap(([, method]) => Object.keys(method.tasks ?? {})));
  const measures = unique(all.flatMap(([, method]) => Object.keys(method.measures ?? {})));
  const head = ['method', 'seed', 'metric', 'final', 'best', 'trainable_parameters', 'seconds'];
  const rows = all.flatMap(([name, method]) =>
    method.seeds.map((seed, index) => [
      name,
      seed,
      metric,
      method.final[index],
      method.best[index],
      method.trainableParameters,
      method.seconds[index],
      ...tasks.map((task) => method.tasks?.[task]?.final[index]),
      ...measures.map((measure) => method.measures?.[measure]?.[index]),
    ]),
  );
  return [[...head, ...tasks.map((task) => `final: ${task}`), ...measures], ...rows]
    .map((cells) => `${cells.map(quoted).join(',')}\r\n`)
    .join('');
}

function quoted(cell: string | number | undefined): string {
  const text = String(cell ?? '');
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

function unique(items: readonly string[]): readonly string[] {
  return [...new Set(items)];
}
