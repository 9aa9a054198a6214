import { existsSync } from 'node:fs';
import { copyFile, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ModelError } from '@dynaprompt/core';
import { PACKAGE_NAME } from '../package-name.js';
import { isTrained, type Head } from '../backbone/head.js';
import type { Tokenizer } from '../tokenization/tokenizer.js';

/** Class name of a sequence classifier by `model_type`. */
const ARCHITECTURES: Readonly<Record<string, string>> = {
  bert: 'BertForSequenceClassification',
  roberta: 'RobertaForSequenceClassification',
  'xlm-roberta': 'XLMRobertaForSequenceClassification',
  mpnet: 'MPNetForSequenceClassification',
  distilbert: 'DistilBertForSequenceClassification',
  albert: 'AlbertForSequenceClassification',
  electra: 'ElectraForSequenceClassification',
  'deberta-v2': 'DebertaV2ForSequenceClassification',
  modernbert: 'ModernBertForSequenceClassification',
};

const TOKENIZER_CONFIG = 'tokenizer_config.json';
/** Files of a tokeniser besides its configuration; which of them exist depends on its kind. */
const TOKENIZER_FILES = [
  'tokenizer.json',
  'special_tokens_map.json',
  'added_tokens.json',
  'vocab.txt',
  'vocab.json',
  'merges.txt',
] as const;

/** What config.json says besides the backbone's own. */
export interface ClassifierConfig {
  readonly family: string;
  readonly labels: readonly string[];
  /** Files with weights beside model.onnx. */
  readonly dataFiles: number;
}

/**
 * Writes the backbone's config.json as one of a sequence classifier, so that transformers.js picks the right class, precision
 * and data files by itself.
 */
export async function writeConfig(source: string, target: string, config: ClassifierConfig): Promise<void> {
  const original = await readJson(source);
  const architecture = ARCHITECTURES[config.family];
  if (architecture === undefined) {
    throw new ModelError({
      packageName: PACKAGE_NAME,
      subject: source,
      problem: `there is no sequence classifier of the family '${config.family}'`,
      remedy: `Export a backbone of the family ${Object.keys(ARCHITECTURES).join(', ')}`,
    });
  }
  const forLibrary = original['transformers.js_config'];
  await writeJson(target, {
    ...original,
    architectures: [architecture],
    num_labels: config.labels.length,
    id2label: Object.fromEntries(config.labels.map((label, index) => [String(index), label])),
    label2id: Object.fromEntries(config.labels.map((label, index) => [label, index])),
    problem_type: config.labels.length === 1 ? 'regression' : 'single_label_classification',
    'transformers.js_config': {
      ...(typeof forLibrary === 'object' ? forLibrary : {}),
      dtype: 'fp32',
      use_external_data_format: { 'model.onnx': config.dataFiles },
    },
  });
}

/**
 * Copies a tokeniser, which now leaves room for prompt and template: it cuts texts to `maximum` tokens, special ones included.
 * @returns names of the files.
 */
export async function copyTokenizer(
  source: string,
  target: string,
  maximum: number,
): Promise<readonly string[]> {
  const present = TOKENIZER_FILES.filter((file) => existsSync(join(source, file)));
  for (const file of present) await copyFile(join(source, file), join(target, file));
  const config = await readJson(join(source, TOKENIZER_CONFIG));
  await writeJson(join(target, TOKENIZER_CONFIG), { ...config, model_max_length: maximum });
  return [...present, TOKENIZER_CONFIG];
}

/** Most tokens of an input, so that template and prompt still fit beside it; `maximum` counts the template's tokens too. */
export function longestInput(head: Head, tokenizer: Tokenizer, maximum: number): number {
  if (isTrained(head)) return maximum;
  const wording = head.template.map((part) => {
    if (part.kind === 'words') return tokenizer.encode(part.words).length;
    // The separator of a given pair is not among the template's tokens.
    return part.kind === 'mask' ? 1 : part.kind === 'pair' ? -tokenizer.pair.between.length : 0;
  });
  return maximum - wording.reduce((sum, count) => sum + count, 0);
}

async function readJson(file: string): Promise<Record<string, unknown>> {
  try {
    return JSON.parse(await readFile(file, 'utf8')) as Record<string, unknown>;
  } catch (cause) {
    throw new ModelError({
      packageName: PACKAGE_NAME,
      subject: file,
      problem: 'it cannot be read as JSON',
      remedy: 'Download the file again',
      cause,
    });
  }
}

/** Writes a file of readable JSON. */
export async function writeJson(file: string, value: unknown): Promise<void> {
  await writeFile(file, `${JSON.stringify(value, undefined, 2)}\n`);
}
