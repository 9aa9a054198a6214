import { randomUUID } from 'node:crypto';
import { mkdir, readdir, rename, rm, rmdir } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';

import {
  ConfigurationError,
  type DynamicPrompt,
  encodeSafetensors,
  fixedCandidateOf,
  type PromptConfiguration,
  sizeOf,
} from '@dynaprompt/core';

import { replaceFile } from '../files/replace-file.js';
import { packageName } from '../package-name.js';
import type { Adapter } from './adapter.js';
import {
  peftFiles,
  type PeftPromptTuning,
  type PeftTaskType,
  promptEmbeddings,
} from './peft-configuration.js';
import { restorePrompt } from './restore.js';

/** How a dynamic prompt becomes a static one. */
export interface PeftExportOptions {
  /** Entry of the pool to take; for representation `select`, which has no single prompt. */
  readonly entry?: number | undefined;
  /** Take P without the update that is made from the features; for representation `generate`. */
  readonly base?: boolean | undefined;
  /** Default: `SEQ_CLS` for a linear head, else none. */
  readonly taskType?: PeftTaskType | undefined;
  /** Hub id or path of the PyTorch model; default: the name of the backbone. */
  readonly baseModel?: string | undefined;
}

/** What {@link exportPeft} wrote. */
export interface PeftExport {
  readonly configuration: PeftPromptTuning;
  /** [tokens, d] */
  readonly prompt: Float32Array;
  /** Where the PEFT adapter differs from this one, a sentence each. */
  readonly warnings: readonly string[];
}

/**
 * Writes the static part of an adapter as a PEFT `PROMPT_TUNING` adapter: `adapter_config.json` and
 * `adapter_model.safetensors` with `prompt_embeddings` [tokens, d]. Needs a backend chosen by `selectBackend`.
 *
 * @param folder New or empty; it appears complete or not at all.
 * @throws ConfigurationError when there is no single prompt and none is chosen, when prompts are deep, or when the folder
 * holds files or cannot be written.
 */
export async function exportPeft(
  folder: string,
  adapter: Adapter,
  options: PeftExportOptions = {},
): Promise<PeftExport> {
  const { configuration } = adapter;
  if (configuration === undefined) {
    throw unusable(`adapter ${adapter.method}`, 'it has no prompt', 'Export an adapter of another method');
  }
  requireSinglePrompt(configuration, options);
  const prompt = await restorePrompt({
    ...adapter,
    configuration: { ...configuration, noiseAtEvaluation: false },
  });
  const tokens = lengthOf(prompt, adapter.task.index);
  const { width } = prompt;
  const { values } = prompt.effectivePrompt();
  const start = (options.entry ?? 0) * sizeOf([configuration.slots, width]);
  const rows = values.slice(start, start + tokens * width);
  const peft = peftConfiguration(adapter, tokens, options);
  const tensors = new Map([[promptEmbeddings, { shape: [tokens, width], values: rows }]]);
  await writeNew(folder, [
    [peftFiles.configuration, `${JSON.stringify(peft, null, 2)}\n`],
    [peftFiles.tensors, encodeSafetensors(tensors, { format: 'pt' })],
  ]);
  return { configuration: peft, prompt: rows, warnings: differences(adapter, configuration) };
}

function requireSinglePrompt(
  { representation, layers }: PromptConfiguration,
  { entry, base = false }: PeftExportOptions,
): void {
  const subject = `representation ${representation.kind}`;
  if (layers !== 1) {
    throw unusable(
      'deep prompts',
      'PEFT prompt tuning has prompts at the input alone',
      'Train with layers 1 to export',
    );
  }
  if (representation.kind === 'select') {
    const { pool } = representation;
    const remedy = `Choose an entry of the pool, 0..${pool - 1}`;
    if (entry === undefined) throw unusable(subject, 'it has no single prompt', remedy);
    if (!Number.isInteger(entry) || entry < 0 || entry >= pool)
      throw unusable(subject, `entry ${entry} is none of the pool of ${pool}`, remedy);
  } else if (entry !== undefined) {
    throw unusable(subject, 'it has no pool to choose an entry of', 'Leave out the entry');
  }
  if (representation.kind === 'generate' && !base) {
    const remedy = 'Choose base to export P without the update that every example gets';
    throw unusable(subject, 'it has no single prompt', remedy);
  }
  if (representation.kind !== 'generate' && base) {
    throw unusable(subject, 'it has no update to leave out', 'Leave out base');
  }
}

/** Tokens of the static prompt: the length that was learned for the task, or all slots. */
function lengthOf(prompt: DynamicPrompt, task: number | undefined): number {
  const { slots, length } = prompt.configuration;
  if (length.level !== 'task') return slots;
  // A length at task level depends on no features.
  const { choices } = prompt.plan(new Float32Array(prompt.width), 1, { training: false, task });
  const [tokens = 0] = choices.length;
  if (tokens > 0) return tokens;
  throw unusable('length', 'training found that no token is best', 'There is nothing to export');
}

function peftConfiguration(
  { backbone, head }: Adapter,
  tokens: number,
  { taskType, baseModel }: PeftExportOptions,
): PeftPromptTuning {
  return {
    auto_mapping: null,
    base_model_name_or_path: baseModel ?? backbone.name,
    inference_mode: true,
    num_attention_heads: null,
    num_layers: null,
    num_transformer_submodules: 1,
    num_virtual_tokens: tokens,
    peft_type: 'PROMPT_TUNING',
    prompt_tuning_init: 'RANDOM',
    prompt_tuning_init_text: null,
    revision: null,
    task_type: taskType ?? (head.kind === 'linear' || head.kind === 'regression' ? 'SEQ_CLS' : null),
    token_dim: backbone.width,
    tokenizer_kwargs: null,
    tokenizer_name_or_path: null,
  };
}

function differences(adapter: Adapter, configuration: PromptConfiguration): readonly string[] {
  const { position, length, representation } = configuration;
  const front = fixedCandidateOf({
    ...configuration,
    position: { ...position, level: 'none', candidate: 'front' },
  });
  const notes = [
    'PEFT puts the prompt before the whole input; here it stands behind the first special token, where there is one.',
  ];
  if (position.level !== 'none') {
    notes.push(`The position was learned (${position.level} level); PEFT always puts the prompt in front.`);
  } else if (fixedCandidateOf(configuration) !== front) {
    notes.push('The prompt does not stand in front here; PEFT always puts it there.');
  }
  if (length.level === 'instance') {
    notes.push('The length was learned for every example; all slots are exported.');
  }
  if (representation.kind === 'select') {
    notes.push('One entry of the pool is exported; the networks that mix the pool are not.');
  }
  if (representation.kind === 'generate') {
    notes.push('The prompt is exported without the update that is made from the features.');
  }
  if (adapter.parameters.head.size > 0) {
    notes.push('The trained head is not exported; PEFT needs a head of its own.');
  }
  return notes;
}

/** Writes files into a folder beside the wanted one and renames it. */
async function writeNew(
  folder: string,
  files: readonly (readonly [string, string | Uint8Array])[],
): Promise<void> {
  const target = resolve(folder);
  const found = await readdir(target).catch((cause: unknown) => {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw unusable(target, `it cannot be read (${(cause as Error).message})`, 'Name a new folder', cause);
  });
  if (found !== undefined && found.length > 0) {
    throw unusable(target, 'the folder holds files', 'Name a new or empty folder');
  }
  const staging = join(dirname(target), `.${basename(target)}-${randomUUID()}`);
  try {
    await mkdir(staging, { recursive: true });
    for (const [name, content] of files) await replaceFile(join(staging, name), content);
    if (found !== undefined) await rmdir(target);
    await rename(staging, target);
  } catch (cause) {
    await rm(staging, { recursive: true, force: true });
    const problem = `the adapter cannot be written (${(cause as Error).message})`;
    throw unusable(target, problem, 'Name a folder in a place that is writable and has space', cause);
  }
}

function unusable(subject: string, problem: string, remedy: string, cause?: unknown): ConfigurationError {
  return new ConfigurationError({ packageName, subject, problem, remedy, cause });
}
