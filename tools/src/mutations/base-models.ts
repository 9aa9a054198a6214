import { copyFileSync, existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readCaseFile } from '../gradcheck/case-file.js';
import { FORMS, quantise } from '../quantise/forms.js';

const FIXTURES = fileURLToPath(new URL('../../../packages/onnx-autodiff/fixtures', import.meta.url));
/** The case that is tried in every form of reduced precision too. */
const QUANTISED = 'bert-17';

/** Case folders to mutate: the committed ones, and in `scratch` the forms of reduced precision of one of them. */
export async function baseFolders(scratch: string): Promise<readonly string[]> {
  const folders = readdirSync(FIXTURES)
    .map((name) => join(FIXTURES, name))
    .filter((folder) => existsSync(join(folder, 'case.safetensors')));
  const original = join(FIXTURES, QUANTISED);
  const { model, references } = readCaseFile(original);
  const inputs = ['input_ids', 'attention_mask', 'token_type_ids'];
  const calibration = references
    .slice(0, 1)
    .map((reference) => Object.fromEntries(inputs.map((input) => [input, reference.tensor(input)])));
  for (const form of FORMS) {
    const folder = join(scratch, `${QUANTISED}-${form}`);
    mkdirSync(folder);
    copyFileSync(join(original, 'case.safetensors'), join(folder, 'case.safetensors'));
    writeFileSync(join(folder, 'model.onnx'), await quantise(model, form, { calibration, blockSize: 16 }));
    folders.push(folder);
  }
  return folders;
}
