import type { Dirent } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { basename, extname, join } from 'node:path';
import { ownLicense } from '../datasets/own-license.js';
import { imageFault, leftOut } from './faults.js';
import type { ImageCollection, LabelledImage } from './types.js';

/** Endings of files that are pictures, in lower case. */
const endings = new Set(['.png', '.jpg', '.jpeg', '.webp', '.gif', '.tif', '.tiff', '.avif', '.svg']);

/** What the folders of the splits are called. */
const splitNames = {
  validation: ['val', 'valid', 'validation', 'dev'],
  test: ['test'],
} as const;

/**
 * Pictures in a folder for each class: `train/CLASS/…`, with `val/CLASS/…` and `test/CLASS/…` where there are such, or `CLASS/…`
 * for a set without splits. Classes are the folders of the training split in the order of their code units; pictures may lie in
 * folders below. Other files are faults. Rejects with a `DataError` for a folder that is missing, a class without training
 * pictures, and a class that only another split has.
 */
export async function readImageFolder(root: string): Promise<ImageCollection> {
  const top = await entriesOf(root, root);
  const folders = new Set(top.filter(({ isFolder }) => isFolder).map(({ name }) => name));
  const faults: string[] = [];
  if (!folders.has('train')) {
    const classes = [...folders].sort();
    return collection(root, classes, await pictures(root, '', classes, faults), {}, faults);
  }
  const stray = top.filter(({ isFolder }) => !isFolder);
  faults.push(...stray.map(({ name }) => `${name}: it is outside of the splits`));
  const classes = (await entriesOf(join(root, 'train'), root))
    .filter(({ isFolder }) => isFolder)
    .map(({ name }) => name)
    .sort();
  const train = await pictures(root, 'train', classes, faults);
  const read = async (names: readonly string[]) => {
    const name = names.find((candidate) => folders.has(candidate));
    return name === undefined ? undefined : pictures(root, name, classes, faults);
  };
  const validation = await read(splitNames.validation);
  const test = await read(splitNames.test);
  return collection(
    root,
    classes,
    train,
    { ...(validation && { validation }), ...(test && { test }) },
    faults,
  );
}

function collection(
  root: string,
  classes: readonly string[],
  train: readonly LabelledImage[],
  others: Pick<ImageCollection, 'validation' | 'test'>,
  faults: readonly string[],
): ImageCollection {
  const present = new Set(train.map(({ label }) => label));
  const bare = classes.find((_, label) => !present.has(label));
  if (classes.length === 0 || bare !== undefined) {
    throw imageFault(
      bare === undefined ? root : `class "${bare}" of ${root}`,
      bare === undefined ? 'it holds no folder of a class' : 'it has no picture to train on',
      `Put pictures (${[...endings].join(' ')}) into a folder for each class, below train/ where there are splits`,
    );
  }
  return {
    name: basename(root),
    description: `Pictures of ${classes.length} classes, in a folder for each.`,
    license: ownLicense,
    source: root,
    classes,
    train,
    ...others,
    faults: leftOut(faults),
    pictures: (entries) => Promise.resolve(entries),
  };
}

/** Pictures of the classes below `root/split`, by class and path. */
async function pictures(
  root: string,
  split: string,
  classes: readonly string[],
  faults: string[],
): Promise<readonly LabelledImage[]> {
  const found: LabelledImage[] = [];
  for (const { name, isFolder } of await entriesOf(join(root, split), root)) {
    const id = split === '' ? name : `${split}/${name}`;
    const label = classes.indexOf(name);
    if (!isFolder) faults.push(`${id}: it is in no folder of a class`);
    else if (label >= 0) await collect(root, id, label, found, faults);
    else {
      throw imageFault(
        join(root, id),
        'the training split has no class of that name',
        `Rename the folder or take it out; the classes are ${classes.join(', ')}`,
      );
    }
  }
  return found;
}

/** Adds the pictures of a folder and of those below it. */
async function collect(
  root: string,
  folder: string,
  label: number,
  found: LabelledImage[],
  faults: string[],
): Promise<void> {
  for (const { name, isFolder, isLink } of await entriesOf(join(root, folder), root)) {
    const id = `${folder}/${name}`;
    if (isFolder && isLink) faults.push(`${id}: it is a link to a folder`);
    else if (isFolder) await collect(root, id, label, found, faults);
    else if (endings.has(extname(name).toLowerCase())) {
      found.push({ id, label, image: { kind: 'file', path: join(root, id) } });
    } else faults.push(`${id}: its ending is not that of a picture`);
  }
}

interface Entry {
  readonly name: string;
  readonly isFolder: boolean;
  readonly isLink: boolean;
}

/** What a folder holds, in the order of code units. */
async function entriesOf(folder: string, root: string): Promise<readonly Entry[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch((cause: unknown) => {
    throw imageFault(
      folder,
      `the folder cannot be read (${(cause as Error).message})`,
      folder === root ? 'Name a folder that holds a folder for each class' : 'Check its permissions',
      cause,
    );
  });
  const described = entries.map(async (entry) => ({
    name: entry.name,
    isLink: entry.isSymbolicLink(),
    isFolder: entry.isDirectory() || (await isLinkToFolder(folder, entry)),
  }));
  return (await Promise.all(described)).sort((first, second) => (first.name < second.name ? -1 : 1));
}

async function isLinkToFolder(folder: string, entry: Dirent): Promise<boolean> {
  if (!entry.isSymbolicLink()) return false;
  return stat(join(folder, entry.name)).then(
    (target) => target.isDirectory(),
    () => false,
  );
}
