import { randomUUID } from 'node:crypto';
import { mkdir, readdir, rename, rm, rmdir, writeFile } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { ConfigurationError, DynaPromptError, stream } from '@dynaprompt/core';
import { heldOutDrawings, packageFolder } from '../../images/openmoji.js';
import { packageName } from '../../package-name.js';
import type { VqaSplit } from '../types.js';
import { heldOutCombinations } from './combinations.js';
import { concepts, type Concept } from './concepts.js';
import { numbered, type NumberedScene, pictureName, readme, splitFiles } from './files.js';
import { type ScenePainter, scenePainter } from './painter.js';
import { askedScenes } from './questions.js';

/** How many scenes are drawn, and from what. */
export interface SceneOptions {
  readonly seed: number;
  /** Pictures of each split, a question each; a split of 0 is left out. At most 999,999. */
  readonly train: number;
  readonly validation: number;
  readonly test: number;
  /** JSON list of the pictures that the backbone was not trained on, e.g. `heldout.json` of mini-clip. */
  readonly heldOut: string;
  /** Width and height, pixels, 32 … 512; 64, what mini-clip takes, where absent. */
  readonly size?: number;
  /** Path or URL of the module that depends on the npm package `openmoji`; this package where absent. */
  readonly from?: string | URL;
}

/** What {@link writeScenes} wrote. */
export interface WrittenScenes {
  /** Absolute path. */
  readonly folder: string;
  /** Pictures, and as many questions. */
  readonly scenes: Readonly<Record<VqaSplit, number>>;
  /** Words for the things that are shown. */
  readonly concepts: readonly string[];
}

const splitNames = ['train', 'validation', 'test'] as const;
/** Numbers of the pictures of one split start so far behind those of the one before. */
const IDS_PER_SPLIT = 1_000_000;
/** Pictures that are encoded at the same time. */
const AT_ONCE = 16;
/** With fewer concepts a scene of four could not do without a held-out pair. */
const FEWEST_CONCEPTS = 12;

/**
 * Draws scenes of OpenMoji drawings with questions and writes them in the layout of VQA, to be read as the data set `scenes`. Same
 * options and same versions of `openmoji` and `sharp`: same bytes. All is written into a folder beside the target first, so that the
 * target appears complete or not at all; it must not hold anything yet. Rejects with a `ConfigurationError` for what was asked and
 * for packages that are not installed, and with a `DataError` for a list of held-out pictures that cannot be used.
 */
export async function writeScenes(folder: string, options: SceneOptions): Promise<WrittenScenes> {
  const { seed, size = 64, heldOut, from = import.meta.url } = options;
  requireOptions(options, size);
  const target = resolve(folder);
  await requireEmpty(target);
  const drawings = join(packageFolder(from), 'color', 'svg');
  const plan = planScenes(options, await heldOutDrawings(heldOut), heldOut);
  const painter = await scenePainter(drawings, size);
  const staging = join(dirname(target), `.${basename(target)}-${randomUUID()}`);
  try {
    await mkdir(staging, { recursive: true });
    for (const [split, scenes] of plan.scenes) await writeSplit(staging, split, scenes, seed, painter);
    const counts = Object.fromEntries([...plan.scenes].map(([split, scenes]) => [split, scenes.length]));
    await writeFile(join(staging, 'README.md'), readme(counts, seed, size));
    // Moving over an empty folder works on some systems only.
    await rmdir(target).catch(() => undefined);
    await rename(staging, target);
  } catch (cause) {
    await rm(staging, { recursive: true, force: true });
    if (cause instanceof DynaPromptError) throw cause;
    throw unusable(
      target,
      `the scenes cannot be written (${(cause as Error).message})`,
      'Name a folder in a place that is writable and has space',
      cause,
    );
  }
  const { train, validation, test } = options;
  return {
    folder: target,
    scenes: { train, validation, test },
    concepts: plan.concepts.map(({ name }) => name),
  };
}

/**
 * All scenes of all splits; those of one do not depend on the number of another's. Training and validation show drawings that are not
 * in the list, the test those that are.
 */
export function planScenes(
  options: Pick<SceneOptions, 'seed' | VqaSplit>,
  held: ReadonlySet<string>,
  list: string,
): {
  readonly concepts: readonly Concept[];
  readonly scenes: ReadonlyMap<VqaSplit, readonly NumberedScene[]>;
} {
  const drawingsOf = ({ drawings }: Concept, isHeld: boolean) =>
    drawings.filter((code) => held.has(`${code}.svg`) === isHeld);
  const usable = concepts.filter(
    (concept) => drawingsOf(concept, true).length > 0 && drawingsOf(concept, false).length > 0,
  );
  if (usable.length < FEWEST_CONCEPTS) {
    throw unusable(
      list,
      `only ${usable.length} things have a drawing that it holds out and another that it does not`,
      `Name the list of mini-clip, or one with at least ${FEWEST_CONCEPTS}`,
    );
  }
  const combinations = heldOutCombinations(usable, stream(options.seed, 'scenes/combinations'));
  const scenes = splitNames.map((split, index): [VqaSplit, readonly NumberedScene[]] => {
    const random = stream(options.seed, `scenes/${split}`);
    const stock = {
      concepts: usable,
      drawingsOf: (concept: Concept) => drawingsOf(concept, split === 'test'),
      heldOut: combinations,
    };
    const asked = askedScenes(options[split], stock, split !== 'train', random);
    return [split, numbered(asked, index * IDS_PER_SPLIT + 1, combinations, random)];
  });
  return { concepts: usable, scenes: new Map(scenes.filter(([split]) => options[split] > 0)) };
}

async function writeSplit(
  folder: string,
  split: VqaSplit,
  scenes: readonly NumberedScene[],
  seed: number,
  painter: ScenePainter,
): Promise<void> {
  await mkdir(join(folder, split));
  for (let start = 0; start < scenes.length; start += AT_ONCE) {
    // All have to end before a failure is told: nothing may be written while the folder is taken away.
    const written = await Promise.allSettled(
      scenes.slice(start, start + AT_ONCE).map(async ({ imageId, cells }) => {
        await writeFile(join(folder, split, pictureName(split, imageId)), await painter.paint(cells));
      }),
    );
    const failed = written.find((outcome) => outcome.status === 'rejected');
    if (failed !== undefined) throw failed.reason;
  }
  for (const [name, content] of splitFiles(split, scenes, seed)) await writeFile(join(folder, name), content);
}

function requireOptions(options: SceneOptions, size: number): void {
  for (const split of splitNames) {
    const count = options[split];
    if (!(Number.isSafeInteger(count) && count >= 0 && count < IDS_PER_SPLIT)) {
      throw unusable(
        `${split} ${count}`,
        'this is not a number of scenes',
        'Give a whole number, 0 to 999,999',
      );
    }
  }
  if (splitNames.every((split) => options[split] === 0)) {
    throw unusable('scenes', 'none are asked for', 'Give the number of scenes of at least one split');
  }
  if (!(Number.isSafeInteger(size) && size >= 32 && size <= 512)) {
    throw unusable(
      `size ${size}`,
      'pictures cannot have this size',
      'Give a whole number of pixels, 32 to 512',
    );
  }
}

async function requireEmpty(target: string): Promise<void> {
  const inside = await readdir(target).catch((cause: unknown): string[] => {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw unusable(target, 'this is no folder that can be read', 'Name another folder', cause);
  });
  if (inside.length > 0)
    throw unusable(target, 'the folder is not empty', 'Name a new folder, or empty this one');
}

function unusable(subject: string, problem: string, remedy: string, cause?: unknown): ConfigurationError {
  return new ConfigurationError({
    packageName,
    subject,
    problem,
    remedy,
    ...(cause !== undefined && { cause }),
  });
}
