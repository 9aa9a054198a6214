import { basename, join } from 'node:path';
import { openBackboneFolder, type BackboneFolder } from '@dynaprompt/backbone';
import { ModelError } from '@dynaprompt/core';
import { floatsOf, int64, openSession, prepareGraph, type Graph } from '@dynaprompt/onnx-autodiff';
import { loadTokenizer, TOKENIZER_FILES, type Tokenizer } from '@dynaprompt/text';
import { openPixels, readPreprocessor } from '@dynaprompt/vision';
import { readClipConfig, type ClipConfig } from '../folder/clip-config.js';
import { readLogitScale, type LogitScale } from '../folder/logit-scale.js';
import type { VisionSource } from '../graph/vision-source.js';
import { PACKAGE_NAME } from '../package-name.js';
import { readTextTower, type TextTower } from '../towers/text-tower.js';
import { readVisionTower, type VisionTower } from '../towers/vision-tower.js';
import { DualEncoder } from './dual-encoder.js';
import { checkOptions, invalid, type DualOptions } from './options.js';

const PREPROCESSOR = 'preprocessor_config.json';
const WHOLE = 'onnx/model.onnx';
const TEXT = 'onnx/text_model.onnx';
const VISION = 'onnx/vision_model.onnx';

/** A dual encoder that was opened, with what tasks are made of. */
export interface OpenedDual {
  readonly name: string;
  readonly config: ClipConfig;
  readonly tokenizer: Tokenizer;
  readonly encoder: DualEncoder;
  readonly logitScale: LogitScale;
  /** Most tokens of a text without its prompt. */
  readonly maximumTokens: number;
  /** What makes embeddings what they are, besides the content of examples. */
  readonly making: string;
}

/**
 * Opens a folder or hub id: one file with both towers, or one for each.
 * @throws ModelError, ConfigurationError, and errors of onnx-autodiff.
 */
export async function openDual(location: string, options: DualOptions): Promise<OpenedDual> {
  checkOptions(options);
  const files = await openBackboneFolder(location, [...TOKENIZER_FILES, PREPROCESSOR], options);
  const config = readClipConfig(files.config);
  const tokenizer = await loadTokenizer(files.folder);
  const { resizer } = options;
  const preprocessor = readPreprocessor(join(files.folder, PREPROCESSOR), {
    family: config.processor,
    ...(resizer && { resizer }),
  });
  const paths = await modelFiles(files);
  // A file with both towers is read once.
  const graph = prepareGraph(paths.text);
  const images = paths.vision === paths.text ? graph.clone() : prepareGraph(paths.vision);
  const text = readTextTower(paths.text, config, graph.clone());
  const vision = readVisionTower(paths.vision, preprocessor.config.output, images);
  if (text.vocabulary < tokenizer.vocabulary) {
    throw new ModelError({
      packageName: PACKAGE_NAME,
      subject: text.file,
      problem: `it knows ${text.vocabulary} tokens, the tokeniser gives ${tokenizer.vocabulary}`,
      remedy: 'Take config.json, the tokeniser and the model from one revision of one repository',
    });
  }
  const maximumTokens = text.maximumTokens - (options.prompts === 'vision' ? 0 : options.reserve);
  if (maximumTokens < tokenizer.single.before.length + tokenizer.single.after.length + 1) {
    throw invalid(
      'prompt slots',
      `${options.reserve} slots leave ${maximumTokens} of ${text.maximumTokens} tokens for the text`,
      'Use fewer slots or a backbone with more positions',
    );
  }
  const source = sourceOf(options, text, vision);
  checkLayers(options, text, vision);
  const { output, ...processing } = preprocessor.config;
  const { alpha = 'drop', fullDecodePixels = '' } = options.decode ?? {};
  const encoder = new DualEncoder({
    name: files.name,
    commit: files.commit,
    text,
    vision,
    width: await embeddingWidth(text, vision),
    padId: tokenizer.padId,
    pixels: openPixels(preprocessor, options),
    source,
    options,
  });
  return {
    name: files.name,
    config,
    tokenizer,
    encoder,
    logitScale: logitScaleOf(graph, config, options),
    maximumTokens,
    making: JSON.stringify([processing, output, resizer ?? 'pillow', alpha, fullDecodePixels, 'embedding']),
  };
}

async function modelFiles(files: BackboneFolder): Promise<{ text: string; vision: string }> {
  const text = await files.model(TEXT, WHOLE);
  const isTower = basename(text).startsWith(basename(TEXT, '.onnx'));
  return { text, vision: isTower ? await files.model(VISION) : text };
}

/** The scale that was asked for, that of a file with both towers, or the family's. */
function logitScaleOf(graph: Graph, config: ClipConfig, options: DualOptions): LogitScale {
  const found = readLogitScale(graph) ?? { scale: config.logitScale, bias: 0 };
  return options.logitScale === undefined ? found : { ...found, scale: options.logitScale };
}

function sourceOf({ prompts, coupling }: DualOptions, text: TextTower, vision: VisionTower): VisionSource {
  if (prompts !== 'both' || coupling === 'independent') return { kind: 'plan' };
  return { kind: 'coupled', textWidth: text.width, visionWidth: vision.width };
}

function checkLayers({ layers = 1 }: DualOptions, text: TextTower, vision: VisionTower): void {
  const most = Math.min(text.layers.length, vision.layers.length);
  if (layers > most)
    throw invalid(
      'layers',
      `the towers have ${most} layers that can take prompts, not ${layers}`,
      'Couple fewer',
    );
}

/** D, as a tower declares its output, or by the embedding of two tokens. */
async function embeddingWidth(text: TextTower, vision: VisionTower): Promise<number> {
  for (const { graph, output } of [text, vision]) {
    const declared = graph.outputs.get(output)?.dims?.[1];
    if (typeof declared === 'number') return declared;
  }
  const session = await openSession(text.graph, { threads: 1, optimization: 'disabled', prepack: false });
  try {
    const ones = int64([1, 1], [1, 2]);
    const results = await session.run(
      Object.fromEntries([...text.graph.inputs.keys()].map((name) => [name, ones])),
    );
    return floatsOf(results[text.output]).length;
  } finally {
    await session.release();
  }
}
