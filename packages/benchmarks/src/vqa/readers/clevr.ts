import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { RowFault } from '../../datasets/rows/faults.js';
import { textOf, type Values } from '../../datasets/rows/values.js';
import { imageFault } from '../../images/faults.js';
import type { VqaCollection, VqaExample, VqaSplit } from '../types.js';
import { pictureFolder, type PictureFolder } from './picture-folder.js';
import { idOf, interner, optionalText, present, readItems, settled, type VqaReadOptions } from './rows.js';

const subsets: Readonly<Record<VqaSplit, string>> = { train: 'train', validation: 'val', test: 'test' };

/**
 * CLEVR (Johnson et al. 2017): `questions/CLEVR_train_questions.json` …, pictures in `images/train/` …. The question type is the
 * last function of the question's program (`count`, `query_color`); answers of the test split are hidden. Rejects with a
 * `DataError` that names file and row.
 */
export async function readClevr(folder: string, options: VqaReadOptions = {}): Promise<VqaCollection> {
  const place = join(folder, 'questions');
  const names = await readdir(place).catch((cause: unknown) => {
    throw imageFault(place, 'the folder cannot be read', 'Name the unpacked folder CLEVR_v1.0', cause);
  });
  const faults: RowFault[] = [];
  const splits: Partial<Record<VqaSplit, readonly VqaExample[]>> = {};
  for (const [split, subset] of Object.entries(subsets) as [VqaSplit, string][]) {
    const name = names.find((file) => file.endsWith(`_${subset}_questions.json`));
    if (name === undefined) continue;
    const pictures = await pictureFolder(join(folder, 'images', subset));
    const same = interner();
    splits[split] = await readItems(
      join(place, name),
      'questions',
      (values) => exampleOf(values, subset, pictures, same),
      faults,
    );
  }
  if (Object.keys(splits).length === 0) {
    throw imageFault(place, 'there is no CLEVR_train_questions.json', 'Name the unpacked folder CLEVR_v1.0');
  }
  return {
    name: 'clevr',
    description: 'Questions about rendered scenes of simple solids, one answer each (Johnson et al. 2017).',
    license: 'CC BY 4.0',
    source: folder,
    measure: 'exact',
    faults: settled(faults, options),
    splits,
    examples: (entries) => Promise.resolve(entries),
  };
}

function exampleOf(
  values: Values,
  subset: string,
  pictures: PictureFolder,
  same: (text: string) => string,
): VqaExample {
  const questionId = idOf(values, 'question_index');
  const answer = subset === 'test' ? undefined : same(textOf(values, 'answer'));
  return {
    id: `${subset}/${questionId}`,
    questionId,
    imageId: idOf(values, 'image_index'),
    question: textOf(values, 'question'),
    image: { kind: 'file', path: pictures.named(textOf(values, 'image_filename')) },
    answers: answer === undefined ? [] : [answer],
    ...present({ answer, questionType: lastFunction(values) }),
  };
}

/** What the last step of a program does; the step calls it `function`, or `type` in some releases. */
function lastFunction({ program }: Values): string | undefined {
  const last: unknown = Array.isArray(program) ? program.at(-1) : undefined;
  if (typeof last !== 'object' || last === null) return undefined;
  return optionalText(last as Values, 'function') ?? optionalText(last as Values, 'type');
}
