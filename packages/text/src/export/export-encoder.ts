import { mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import {
  ConfigurationError,
  restoreParameters,
  type DynamicPrompt,
  type ParameterSet,
} from '@dynaprompt/core';
import type { Graph } from '@dynaprompt/onnx-autodiff';
import { promptOfTask, writeFolder, writeModelFiles, type WeightPlacement } from '@dynaprompt/onnx-export';
import { maximumOwnTokens } from '../backbone/checks.js';
import { initialHead, isTrained, resolveHead, type Head } from '../backbone/head.js';
import { pendingCalibration } from '../calibration/options.js';
import { createTextEncoder, type TextEncoderOptions } from '../encoder/text-encoder.js';
import { openBackboneFolder } from '@dynaprompt/backbone';
import { fingerprint } from '@dynaprompt/backbone';
import { readModelConfig } from '../folder/model-config.js';
import { PACKAGE_NAME } from '../package-name.js';
import { loadTokenizer, TOKENIZER_FILES } from '../tokenization/tokenizer.js';
import { copyTokenizer, longestInput, writeConfig, writeJson } from './folder-files.js';
import { buildTunedGraph } from './tuned-graph.js';

/** What was trained. */
export interface TunedEncoder {
  readonly prompt: DynamicPrompt;
  /** The head's trained tensors; empty for a verbaliser. */
  readonly head: ParameterSet;
}

/** How a tuned encoder is exported. */
export interface ExportOptions {
  /** Names of the classes, in label order; default LABEL_0, LABEL_1, … */
  readonly labels?: readonly string[];
  /**
   * Where the frozen weights lie: in `onnx/model.onnx_data`, a copy of the original ONNX file (default) or a hard link to it, or
   * inside `onnx/model.onnx`.
   */
  readonly weights?: WeightPlacement;
  /** Adds the outputs `prompt_position` and `prompt_length`, int64 [B]: what was chosen for each example. Default false. */
  readonly reportChoices?: boolean;
  /** Which task, where several share the prompt. */
  readonly task?: number;
}

/** What was written. */
export interface ExportedEncoder {
  /** Absolute path of the folder. */
  readonly folder: string;
  /** Paths of all files in it, relative to it. */
  readonly files: readonly string[];
  /** Most tokens of an input, special tokens included; what is left of the model's positions holds the prompt. */
  readonly maximumTokens: number;
}

/**
 * Exports an encoder with its dynamic prompt and head as one ordinary Hugging Face ONNX folder. It takes the original's inputs
 * and gives `logits` [B, classes]; positions, lengths and prompts are decided inside the graph, as `predict` with the plan of
 * an evaluation does. transformers.js runs it as `text-classification`, onnxruntime in any language without options. A
 * verbaliser's template is put around the text inside the graph.
 *
 * @param location the backbone that was tuned: its folder or hub id.
 * @param options the options that it was opened with in training.
 * @param target a folder that does not exist, or is empty. It appears when everything is written, or not at all.
 * @throws ConfigurationError if `target` is occupied, the prompt has more slots than `options.reserve`, labels do not fit the
 * classes, choices are sampled at evaluation, or the prompt has options that the export does not know.
 * @throws DataError if the tensors of prompt or head are not those of this configuration and backbone.
 * @throws ModelError, and errors of onnx-autodiff, if the backbone cannot be read or its inputs are not those of an encoder.
 */
export async function exportTunedEncoder(
  location: string,
  options: TextEncoderOptions,
  tuned: TunedEncoder,
  target: string,
  { labels, weights = 'copy', reportChoices = false, task }: ExportOptions = {},
): Promise<ExportedEncoder> {
  const source = await openBackboneFolder(location, TOKENIZER_FILES, options);
  const headOptions = await calibratedHead(location, options);
  const config = readModelConfig(source.config, ['encoder']);
  const tokenizer = await loadTokenizer(source.folder);
  const maximum = maximumOwnTokens(options.reserve, options.maximumTokens, config.maximumTokens);
  const head = resolveHead(headOptions, tokenizer, maximum);
  if (head.kind === 'candidates')
    throw invalid('head of the kind candidates', 'an exported model reads one text', 'Export a linear head');
  const headParameters = initialHead(head, config.embeddingWidth, 0);
  restoreParameters(headParameters, tuned.head);
  const prompt = promptOfTask(tuned.prompt, task);
  checkSlots(prompt.configuration.slots, options.reserve);
  const names = labelsOf(labels, head.classes);
  const file = await source.model();
  const graph = buildTunedGraph({
    file,
    hiddenWidth: config.width,
    head,
    headParameters,
    prompt,
    tokenizer,
    reportChoices,
  });
  const maximumTokens = longestInput(head, tokenizer, maximum);

  const files = ['config.json', 'dynamic_prompt.json'];
  await writeFolder(target, async (folder) => {
    await mkdir(join(folder, 'onnx'));
    const data = await writeModelFiles(graph, join(folder, 'onnx'), weights);
    files.push(...['model.onnx', ...data].map((name) => `onnx/${name}`));
    files.push(...(await copyTokenizer(source.folder, folder, maximumTokens)));
    await writeConfig(source.config, join(folder, 'config.json'), {
      family: config.family,
      labels: names,
      dataFiles: data.length,
    });
    await writeJson(join(folder, 'dynamic_prompt.json'), {
      format: 1,
      backbone: { name: source.name, family: config.family, revision: fingerprint(file) },
      configuration: prompt.configuration,
      ...(task === undefined ? {} : { task }),
      readsFeatures: prompt.needsFeatures,
      head: describeHead(head, headOptions),
      labels: names,
      maximumTokens,
      padding: 'right',
      onnx: {
        operatorSets: operatorSets(graph),
        inputs: [...graph.inputs.keys()],
        outputs: [...graph.outputs.keys()],
        data,
      },
    });
  });
  return { folder: resolve(target), files, maximumTokens };
}

/** The options of a head, with the biases of its calibration. */
async function calibratedHead(
  location: string,
  options: TextEncoderOptions,
): Promise<TextEncoderOptions['head']> {
  if (pendingCalibration(options.head) === undefined) return options.head;
  const backbone = await createTextEncoder(location, options);
  await backbone.release();
  return backbone.head;
}

/** Versions of the operator sets that the graph's operators are of. */
function operatorSets(graph: Graph): Record<string, number> {
  const used = new Set([...graph.nodes].map(({ domain }) => domain));
  const versions = [...graph.opsets].filter(([domain]) => used.has(domain));
  return Object.fromEntries(versions.map(([domain, version]) => [domain || 'ai.onnx', version]));
}

function describeHead(head: Head, options: TextEncoderOptions['head']): object {
  if (!isTrained(head)) return options;
  const { kind, pooling } = head;
  return head.kind === 'regression' ? { kind, pooling, range: head.range } : { kind, pooling };
}

function checkSlots(slots: number, reserve: number): void {
  if (slots <= reserve) return;
  throw invalid(
    'options.reserve',
    `${reserve} leaves no room for a prompt of ${slots} slots`,
    'Reserve as in training',
  );
}

function labelsOf(labels: readonly string[] | undefined, classes: number): readonly string[] {
  if (labels === undefined) return Array.from({ length: classes }, (_, index) => `LABEL_${index}`);
  if (labels.length === classes && new Set(labels).size === classes) return labels;
  throw invalid(
    'labels',
    `[${labels.join(', ')}] are not ${classes} different names`,
    'Give each class a name of its own',
  );
}

function invalid(subject: string, problem: string, remedy: string): ConfigurationError {
  return new ConfigurationError({ packageName: PACKAGE_NAME, subject, problem, remedy });
}
