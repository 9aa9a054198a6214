import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { ownLicense } from '../../datasets/own-license.js';
import type { RowFault } from '../../datasets/rows/faults.js';
import { textOf, type Values } from '../../datasets/rows/values.js';
import { imageFault } from '../../images/faults.js';
import type { VqaCollection, VqaExample, VqaSplit } from '../types.js';
import { firstFolder, pictureFolder, type PictureFolder } from './picture-folder.js';
import { idOf, interner, optionalText, present, readItems, settled, type VqaReadOptions } from './rows.js';

/** Files of the splits; `test` falls back on the one with hidden answers. */
const stems: Readonly<Record<VqaSplit, readonly string[]>> = {
  train: ['train_balanced'],
  validation: ['val_balanced'],
  test: ['testdev_balanced', 'test_balanced'],
};

/**
 * GQA (Hudson and Manning 2019): `train_balanced_questions.json`, `val_balanced_questions.json` and `testdev_balanced_questions.json`
 * (or `test_balanced_…`, whose answers are hidden) in the folder or its `questions/`, pictures in `images/`. The question type is
 * the structural one (`query`), the answer type the semantic one (`rel`). Rejects with a `DataError` that names file and row.
 */
export async function readGqa(folder: string, options: VqaReadOptions = {}): Promise<VqaCollection> {
  const pictures = await pictureFolder(await firstFolder([join(folder, 'images')]));
  const faults: RowFault[] = [];
  const splits: Partial<Record<VqaSplit, readonly VqaExample[]>> = {};
  for (const [split, names] of Object.entries(stems) as [VqaSplit, readonly string[]][]) {
    const found = await firstFile(folder, names);
    if (found === undefined) continue;
    const { stem, path } = found;
    const isHidden = stem === 'test_balanced';
    const same = interner();
    splits[split] = await readItems(
      path,
      undefined,
      (values, key) => exampleOf(values, `${key}`, stem, pictures, isHidden, same),
      faults,
    );
  }
  if (Object.keys(splits).length === 0) {
    throw imageFault(
      folder,
      'there is no train_balanced_questions.json and no other balanced split',
      'Name the folder with the unpacked questions and images/',
    );
  }
  return {
    name: 'gqa',
    description:
      'Compositional questions about photographs, balanced, one answer each (Hudson and Manning 2019).',
    license: ownLicense,
    source: folder,
    measure: 'exact',
    faults: settled(faults, options),
    splits,
    examples: (entries) => Promise.resolve(entries),
  };
}

async function firstFile(
  folder: string,
  names: readonly string[],
): Promise<{ readonly stem: string; readonly path: string } | undefined> {
  for (const stem of names) {
    for (const path of [folder, join(folder, 'questions')].map((place) =>
      join(place, `${stem}_questions.json`),
    )) {
      const isThere = await stat(path).then(
        () => true,
        () => false,
      );
      if (isThere) return { stem, path };
    }
  }
  return undefined;
}

function exampleOf(
  values: Values,
  questionId: string,
  name: string,
  pictures: PictureFolder,
  isHidden: boolean,
  same: (text: string) => string,
): VqaExample {
  const imageId = idOf(values, 'imageId');
  const answer = isHidden ? undefined : same(textOf(values, 'answer'));
  return {
    id: `${name}/${questionId}`,
    questionId,
    imageId,
    question: textOf(values, 'question'),
    image: { kind: 'file', path: pictures.named(`${imageId}.jpg`) },
    answers: answer === undefined ? [] : [answer],
    ...present({ answer, ...gqaTypes(values) }),
  };
}

/** Types of a question of GQA. */
export function gqaTypes({ types }: Values): Pick<VqaExample, 'questionType' | 'answerType'> {
  if (typeof types !== 'object' || types === null) return {};
  return present({
    questionType: optionalText(types as Values, 'structural'),
    answerType: optionalText(types as Values, 'semantic'),
  });
}
