import { taskNamed } from './tasks.js';
import type { EvaluationSplit } from './folders/choose-variant.js';
import type { FolderVariant, SplitSource } from './folders/layout.js';

const SHARD = /-\d{5}-of-\d{5}\.parquet$|\.parquet$/;
/** Splits of a data set of pictures, however they are spelled. */
const PICTURES = /^((?:[^/]+\/)?)(?:train|validation|val|valid|dev|test)(?:-\d{5}-of-\d{5})?\.parquet$/;

/** Of the paths of a repository on the Hub those that a task is read from; none where it has none of its files. */
export function hubPathsOf(
  task: string,
  paths: readonly string[],
  evaluation: EvaluationSplit = 'validation',
): readonly string[] {
  const { layout } = taskNamed(task);
  if (layout.kind !== 'folder') return [];
  const found = layout.variants
    .flatMap((variant) => [variant.within, undefined].map((within) => ({ variant, within })))
    .map(({ variant, within }) => {
      const splits = [variant.train, variant[evaluation]].filter((source) => source !== undefined);
      return splits.map((source) => paths.filter((path) => isOf(path, variant, within, source)));
    });
  return (
    found.find((splits) => splits.length === 2 && splits.every(({ length }) => length > 0)) ?? []
  ).flat();
}

/** The same for pictures in parquet files: those in the repository itself, in its `data/`, or in its only folder. */
export function hubPicturePathsOf(paths: readonly string[]): readonly string[] {
  const folders = new Map<string, string[]>();
  for (const path of paths) {
    const folder = PICTURES.exec(path)?.[1];
    if (folder !== undefined) folders.set(folder, [...(folders.get(folder) ?? []), path]);
  }
  const [only, ...others] = folders.values();
  return folders.get('') ?? folders.get('data/') ?? (others.length === 0 ? only : undefined) ?? [];
}

function isOf(
  path: string,
  { format }: FolderVariant,
  within: string | undefined,
  source: SplitSource,
): boolean {
  const stem = within === undefined ? source.path : `${within}/${source.path}`;
  return format === 'parquet' ? SHARD.test(path) && path.replace(SHARD, '') === stem : path === stem;
}
