import { openBackboneFolder } from '@dynaprompt/backbone';
import { ConfigurationError } from '@dynaprompt/core';
import { join } from 'node:path';
import { resolveHead } from './backbone/head.js';
import type { VisionBackboneOptions } from './backbone/options.js';
import { fixPositions } from './backbone/resized-positions.js';
import { visionBackbone, type VisionBackbone } from './backbone/vision-backbone.js';
import { readVisionModel } from './backbone/vision-model.js';
import { readVisionConfig } from './folder/vision-config.js';
import { readPreprocessor } from './images/preprocessor.js';
import { PACKAGE_NAME } from './package-name.js';

const PREPROCESSOR = 'preprocessor_config.json';

/**
 * Opens a vision transformer as a frozen backbone for dynamic prompts: ViT, DeiT, BEiT, DINOv2, and the image towers of CLIP and
 * SigLIP, by the `model_type` of config.json. Prompts go behind the class token, among the patches, take the position embedding of
 * the slot they stand in, and are differentiated inside onnxruntime. Pictures are decoded and preprocessed as the model's
 * preprocessor_config.json says.
 *
 * @param location folder with config.json, preprocessor_config.json and onnx/model.onnx (or onnx/vision_model.onnx), or a hub id; of
 * another `dtype` than fp32 the file is called by it, such as onnx/model_quantized.onnx for q8.
 * @returns a backbone whose features are [B, d] and whose logits are [B, classes]; after `release` its methods reject.
 * @throws ModelError if a file is missing or belongs to another model, the family is not supported, or the model lacks what the
 * head reads.
 * @throws ConfigurationError if the head's classes are not the model's, or another option cannot be used.
 * @throws MalformedModelError (of onnx-autodiff) if the ONNX file is truncated, a git-lfs pointer or no model, and
 * StructureNotFoundError if it has no patches to put prompts between.
 */
export async function openVisionBackbone(
  location: string,
  options: VisionBackboneOptions,
): Promise<VisionBackbone> {
  checkReserve(options.reserve);
  const files = await openBackboneFolder(location, [PREPROCESSOR], options);
  const config = readVisionConfig(files.config);
  const { resizer } = options;
  const preprocessor = readPreprocessor(join(files.folder, PREPROCESSOR), {
    family: config.processor,
    ...(resizer && { resizer }),
  });
  const head = resolveHead(options.head, config);
  const { output } = preprocessor.config;
  const model = await fixPositions(readVisionModel(await files.model(...config.files), output), output);
  const { name, commit } = files;
  return visionBackbone({ name, commit, config, preprocessor, head, model, options });
}

function checkReserve(reserve: number): void {
  if (Number.isInteger(reserve) && reserve >= 0) return;
  throw new ConfigurationError({
    packageName: PACKAGE_NAME,
    subject: 'prompt slots',
    problem: `${reserve} is no number of slots`,
    remedy: 'Give a whole number from 0 on',
  });
}
