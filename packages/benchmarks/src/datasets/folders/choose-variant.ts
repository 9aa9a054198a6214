import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { DataError, nullThrows } from '@dynaprompt/core';
import { packageName } from '../../package-name.js';
import { parquetFiles } from '../formats/parquet.js';
import type { FolderLayout, FolderVariant, SplitSource } from './layout.js';

/** Splits that examples are evaluated on. */
export type EvaluationSplit = 'validation' | 'test';

/** A variant, and the folder that its paths start from. */
export interface Place {
  readonly folder: string;
  readonly variant: FolderVariant;
}

/**
 * Finds out how the files of a task lie in a folder: the first variant that has both splits, else the first that has one.
 * Rejects with a `DataError` where there is no such folder, or none of the files that are looked for.
 */
export async function chooseVariant(
  { variants }: FolderLayout,
  folder: string,
  evaluation: EvaluationSplit,
): Promise<Place> {
  await requireFolder(folder, variants);
  const places = variants.flatMap((variant): readonly Place[] =>
    variant.within === undefined
      ? [{ folder, variant }]
      : [
          { folder: join(folder, variant.within), variant },
          { folder, variant },
        ],
  );
  const found = await Promise.all(
    places.map(async (place) => {
      const sources = [place.variant.train, place.variant[evaluation]].filter(
        (source) => source !== undefined,
      );
      const files = await Promise.all(sources.map((source) => filesOf(place, source)));
      return { place, count: files.filter((paths) => paths.length > 0).length };
    }),
  );
  const best = found.find(({ count }) => count === 2) ?? found.find(({ count }) => count === 1);
  if (best !== undefined) return best.place;
  const [only, ...more] = variants;
  throw new DataError({
    packageName,
    subject: join(folder, only === undefined || more.length > 0 ? '' : only.train.path),
    problem:
      more.length > 0 ? 'the folder holds none of the files that are looked for' : 'the file does not exist',
    remedy: `Put the files there, or name another folder or task: ${variants.map(describe).join(', or ')}`,
  });
}

/** Files of a split that are there, in order; more than one where it is sharded. */
export async function filesOf({ folder, variant }: Place, { path }: SplitSource): Promise<readonly string[]> {
  if (variant.format === 'parquet') return parquetFiles(join(folder, path));
  for (const name of [path, ...(variant.within === undefined ? [] : [`${variant.within}.${path}`])]) {
    const found = await stat(join(folder, name)).catch(() => undefined);
    if (found?.isFile()) return [join(folder, name)];
  }
  return [];
}

async function requireFolder(folder: string, variants: readonly FolderVariant[]): Promise<void> {
  const found = await stat(folder).catch(() => undefined);
  if (found?.isDirectory()) return;
  throw new DataError({
    packageName,
    subject: folder,
    problem: found ? 'this is not a folder' : 'the folder does not exist',
    remedy: `Name the folder that holds ${describe(nullThrows(variants[0], 'a layout has a variant'))}`,
  });
}

function describe({ format, train, validation }: FolderVariant): string {
  const name = ({ path }: SplitSource): string => (format === 'parquet' ? `${path}-*.parquet` : path);
  return `${name(train)} and ${name(validation)}`;
}
