import { stat } from 'node:fs/promises';
import { join } from 'node:path';

import {
  decodeSafetensors,
  ModelError,
  type ParameterSet,
  parseConfiguration,
  type PromptConfiguration,
} from '@dynaprompt/core';

import { packageName } from '../package-name.js';
import { Fields, unusableFile } from './fields.js';
import { peftFiles, promptEmbeddings } from './peft-configuration.js';
import { longestTensors, readBounded, readJson } from './read-file.js';
import { requireFinite } from './tensors.js';

/** A static prompt from a PEFT adapter. */
export interface ImportedPrompt {
  /** A fixed prompt in front of the input, with as many slots as the adapter has virtual tokens. */
  readonly configuration: PromptConfiguration;
  /** The tensors of that configuration; hand both to `trainPrompt`, these as `initial`. The head starts fresh. */
  readonly parameters: { readonly prompt: ParameterSet };
  readonly peftType: 'PROMPT_TUNING' | 'P_TUNING';
  readonly taskType: string | undefined;
  readonly baseModel: string | undefined;
  /** Names of tensors that are not used, such as those of a classifier. */
  readonly ignored: readonly string[];
}

/** What PEFT's other prompt methods hold, where that is no prompt. */
const refused: Readonly<Record<string, string>> = {
  PREFIX_TUNING: 'it holds keys and values of every layer, not prompt tokens',
  MULTITASK_PROMPT_TUNING: 'its prompt is multiplied by matrices of each task',
  CPT: 'its prompt is a text with a learned difference',
};

/**
 * Reads the prompt of a PEFT adapter, `PROMPT_TUNING` or `P_TUNING` (which PEFT saves as the prompt that its network made);
 * float16 and bfloat16 are widened. For an encoder-decoder the encoder's prompt is taken.
 *
 * @param backbone What the prompt is for; its width must be the adapter's.
 * @throws DataError naming the file that is missing or malformed, or the kind of adapter that has no prompt tokens.
 * @throws ModelError when the adapter was made for a model of another width.
 */
export async function importPeft(
  folder: string,
  backbone: { readonly width: number },
): Promise<ImportedPrompt> {
  const path = join(folder, peftFiles.configuration);
  const fields = new Fields(await readJson(path), path);
  const peftType = fields.text('peft_type');
  if (peftType !== 'PROMPT_TUNING' && peftType !== 'P_TUNING') {
    const problem = refused[peftType] ?? 'it holds no prompt tokens';
    throw unusableFile(
      path,
      `${peftType} cannot be imported: ${problem}`,
      'Use a PROMPT_TUNING or P_TUNING adapter',
    );
  }
  const slots = fields.count('num_virtual_tokens', 1);
  const width = fields.optionalCount('token_dim', 1) ?? backbone.width;
  if (width !== backbone.width) throw otherWidth(path, width, backbone.width);
  const { values, ignored } = await readPrompt(folder, slots, backbone.width);
  return {
    configuration: parseConfiguration({ slots, initialisation: { kind: 'given' } }),
    parameters: {
      prompt: new Map([['representation.prompt', { shape: [slots, width], values }]]),
    },
    peftType,
    taskType: fields.optionalText('task_type'),
    baseModel: fields.optionalText('base_model_name_or_path'),
    ignored,
  };
}

/** [slots, width]; PEFT saves one prompt for each of an encoder-decoder's halves, the encoder's first. */
async function readPrompt(
  folder: string,
  slots: number,
  width: number,
): Promise<{ readonly values: Float32Array; readonly ignored: readonly string[] }> {
  const file = join(folder, peftFiles.tensors);
  await refusePickle(folder, file);
  const { tensors } = decodeSafetensors(await readBounded(file, longestTensors), file);
  const tensor = tensors.get(promptEmbeddings);
  if (tensor === undefined || tensor.dtype === 'I64') {
    const names = [...tensors.keys()].slice(0, 5).join(', ');
    throw unusableFile(file, `it has no ${promptEmbeddings} of floating-point numbers, only ${names}`);
  }
  const [rows = 0, columns = 0] = tensor.shape;
  if (tensor.shape.length === 2 && columns !== width) throw otherWidth(file, columns, width);
  if (tensor.shape.length !== 2 || (rows !== slots && rows !== 2 * slots)) {
    const shape = `[${tensor.shape.join(', ')}]`;
    throw unusableFile(file, `${promptEmbeddings} is ${shape} where [${slots}, ${width}] is expected`);
  }
  const values = tensor.values.slice(0, slots * width);
  requireFinite(promptEmbeddings, values, file);
  return { values, ignored: [...tensors.keys()].filter((name) => name !== promptEmbeddings) };
}

async function refusePickle(folder: string, file: string): Promise<void> {
  const exists = (path: string): Promise<boolean> =>
    stat(path).then(
      () => true,
      () => false,
    );
  const pickle = join(folder, peftFiles.pickle);
  if ((await exists(file)) || !(await exists(pickle))) return;
  throw unusableFile(
    pickle,
    'it is a Python pickle, which is not read',
    'Save the adapter with safe_serialization=True',
  );
}

function otherWidth(file: string, trained: number, here: number): ModelError {
  return new ModelError({
    packageName,
    subject: file,
    problem: `its prompt has width ${trained}, the backbone has ${here}`,
    remedy: 'Open the backbone that the adapter was trained on',
  });
}
