import { ConfigurationError } from '@dynaprompt/core';
import { ownLicense } from '../datasets/own-license.js';
import type { BadRowPolicy } from '../datasets/rows/faults.js';
import { packageName } from '../package-name.js';
import { readCifar10, readCifar100 } from './cifar.js';
import { readIdx } from './idx.js';
import { readImageFolder } from './image-folder.js';
import { type OpenMojiClasses, readOpenMoji } from './openmoji.js';
import { readImageParquet } from './parquet.js';
import { splitImages, type SplitOptions } from './splits.js';
import type { LabelledImageDataset } from './types.js';

/** Data sets and formats of pictures, in the order in which lists show them. */
export const imageDatasetNames = [
  'openmoji',
  'image-folder',
  'parquet',
  'cifar-10',
  'cifar-100',
  'mnist',
  'fashion-mnist',
  'idx',
] as const;

/** A data set or format of pictures by name. */
export type ImageDatasetName = (typeof imageDatasetNames)[number];

/** What of a data set of pictures is loaded. */
export interface LoadImagesOptions extends SplitOptions {
  /** Column of the labels of `parquet`; of `cifar-100` `fine_label`, the default, or `coarse_label`. */
  readonly label?: string;
  /** Whether rows of `parquet` with bad labels stop the load (`fail`, the default) or are left out. */
  readonly badRows?: BadRowPolicy;
  /** Of `openmoji`: JSON list of the pictures that the backbone was not trained on. */
  readonly heldOut?: string;
  /** Of `openmoji`: what the classes are, `groups` by default. */
  readonly by?: OpenMojiClasses;
  /** Of `openmoji`: path or URL of the module that depends on the package. */
  readonly from?: string | URL;
}

/**
 * Loads a data set of pictures by name. `folder` holds its files and stays undefined for `openmoji`. Rejects with a
 * `ConfigurationError` for what was asked, and with a `DataError` that names the file for what the files hold.
 */
export async function loadImages(
  name: string,
  folder: string | undefined,
  options: LoadImagesOptions,
): Promise<LabelledImageDataset> {
  const known = imageDatasetNames.find((candidate) => candidate === name);
  if (known === undefined) {
    throw unusable(name, 'there is no data set of that name', `Use one of ${imageDatasetNames.join(', ')}`);
  }
  if (known === 'openmoji') {
    const { heldOut, by, from } = options;
    if (folder !== undefined) throw unusable(name, `it takes no folder (${folder})`, 'Leave the folder out');
    if (heldOut === undefined) {
      throw unusable(name, 'the list of held-out pictures is not named', "Name the backbone's heldout.json");
    }
    return splitImages(await readOpenMoji({ heldOut, ...(by && { by }), ...(from && { from }) }), options);
  }
  if (folder === undefined) {
    throw unusable(name, 'the folder with its files is not named', 'Name the folder that holds its files');
  }
  switch (known) {
    case 'image-folder':
      return splitImages(await readImageFolder(folder), options);
    case 'parquet':
      return splitImages(await readImageParquet(folder, options), options);
    case 'cifar-10':
      return splitImages(await readCifar10(folder), options);
    case 'cifar-100':
      return splitImages(await readCifar100(folder, cifarLabels(options.label)), options);
    case 'mnist':
      return splitImages(await readIdx(folder, mnist), options);
    case 'fashion-mnist':
      return splitImages(await readIdx(folder, fashionMnist), options);
    case 'idx':
      return splitImages(await readIdx(folder), options);
  }
}

const mnist = {
  name: 'mnist',
  description: 'Handwritten digits, 28 × 28 pixels (LeCun et al. 1998).',
  license: ownLicense,
  classes: ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9'],
};

const fashionMnist = {
  name: 'fashion-mnist',
  description: 'Pictures of clothes, 28 × 28 pixels (Xiao et al. 2017).',
  license: 'MIT',
  classes: [
    'T-shirt/top',
    'Trouser',
    'Pullover',
    'Dress',
    'Coat',
    'Sandal',
    'Shirt',
    'Sneaker',
    'Bag',
    'Ankle boot',
  ],
};

function cifarLabels(label: string | undefined) {
  if (label === undefined || label === 'fine_label' || label === 'coarse_label') return label;
  throw unusable('cifar-100', `it has no labels "${label}"`, 'Use fine_label or coarse_label');
}

function unusable(name: string, problem: string, remedy: string): ConfigurationError {
  return new ConfigurationError({ packageName, subject: `data set "${name}"`, problem, remedy });
}
