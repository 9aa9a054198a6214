import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { RowFault } from '../../datasets/rows/faults.js';
import { ownLicense } from '../../datasets/own-license.js';
import { imageFault } from '../../images/faults.js';
import { openMojiAttribution } from '../../images/openmoji.js';
import type { VqaCollection, VqaExample, VqaSplit } from '../types.js';
import { firstFolder } from './picture-folder.js';
import { settled, type VqaReadOptions } from './rows.js';
import { readVqaPart, type VqaPart } from './vqa-part.js';

/** Which of the data sets in this format a folder holds. */
export type VqaEdition = 'vqa-v2' | 'ok-vqa' | 'scenes';

interface Edition {
  /** What its file names start with, in front of `OpenEnded_` and behind it. */
  readonly prefix: string;
  readonly source: string;
  readonly description: string;
  readonly license: string;
}

const editions: Readonly<Record<VqaEdition, Edition>> = {
  'vqa-v2': {
    prefix: 'v2_',
    source: 'mscoco',
    description: 'Questions about photographs with the answers of ten people (Goyal et al. 2017).',
    license: 'CC BY 4.0; the photographs under their own',
  },
  'ok-vqa': {
    prefix: '',
    source: 'mscoco',
    description:
      'Questions about photographs that ask for outside knowledge, with ten answers (Marino et al. 2019).',
    license: ownLicense,
  },
  scenes: {
    prefix: '',
    source: 'scenes',
    description: 'Made-up questions about scenes of OpenMoji drawings, each with ten answers.',
    license: 'CC BY-SA 4.0',
  },
};

/** Which subsets of the files are a split; the first that is there counts. */
const subsets: Readonly<Record<VqaSplit, RegExp>> = {
  train: /^train(?:\d{4})?$/,
  validation: /^val(?:idation)?(?:\d{4})?$/,
  test: /^test(?:\d{4})?$/,
};

/**
 * VQAv2, OK-VQA or scenes in the layout of VQA: `v2_OpenEnded_mscoco_train2014_questions.json` with
 * `v2_mscoco_train2014_annotations.json`, both without `v2_` for OK-VQA, the same for `val2014` and `test2015`, and the pictures in
 * `train2014/`, `val2014/`, `test2015/`, in the folder or in its `images/`. A split without annotations has hidden answers. Rejects
 * with a `DataError` that names the file.
 */
export async function readVqaFolder(
  folder: string,
  edition: VqaEdition,
  options: VqaReadOptions = {},
): Promise<VqaCollection> {
  const { prefix, source, description, license } = editions[edition];
  const names = new Set(
    await readdir(folder).catch((cause: unknown) => {
      throw imageFault(folder, 'the folder cannot be read', 'Name the folder with the questions', cause);
    }),
  );
  const pattern = new RegExp(`^${prefix}OpenEnded_${source}_([^_]+)_questions\\.json$`);
  const found = [...names].flatMap((name) => pattern.exec(name)?.[1] ?? []).sort();
  const faults: RowFault[] = [];
  const splits: Partial<Record<VqaSplit, readonly VqaExample[]>> = {};
  for (const [split, isSubset] of Object.entries(subsets) as [VqaSplit, RegExp][]) {
    const subset = found.find((name) => isSubset.test(name));
    if (subset === undefined) continue;
    const annotations = `${prefix}${source}_${subset}_annotations.json`;
    const part: VqaPart = {
      name: subset,
      questions: join(folder, `${prefix}OpenEnded_${source}_${subset}_questions.json`),
      ...(names.has(annotations) && { annotations: join(folder, annotations) }),
      pictures: await firstFolder([join(folder, subset), join(folder, 'images', subset)]),
    };
    if (part.annotations === undefined && split !== 'test') {
      throw imageFault(
        join(folder, annotations),
        'the file does not exist',
        'Unpack the annotations there too',
      );
    }
    splits[split] = await readVqaPart(part, faults);
  }
  if (Object.keys(splits).length === 0) {
    throw imageFault(
      folder,
      `there is no ${prefix}OpenEnded_${source}_…_questions.json`,
      'Name the folder with the unpacked questions and annotations',
    );
  }
  return {
    name: edition,
    description,
    license,
    source: folder,
    ...(edition === 'scenes' && { attribution: openMojiAttribution }),
    measure: 'soft',
    faults: settled(faults, options),
    splits,
    examples: (entries) => Promise.resolve(entries),
  };
}
