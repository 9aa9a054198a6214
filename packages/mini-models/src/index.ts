import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** A backbone that ships inside this package, in the Hugging Face folder layout. */
export interface BundledModel {
  /** Name of the model and of its folder. */
  readonly name: string;
  /** Absolute path of the folder that holds `config.json`, the tokeniser and `onnx/`. */
  readonly folder: string;
  /** `model_type` of `config.json`. */
  readonly family: string;
  /** What the model was trained to do, as a transformers.js pipeline name. */
  readonly pipeline: string;
  /** Element type of the weights, to be given as `dtype` to transformers.js. */
  readonly dtype: 'fp32';
  readonly parameters: number;
  /** Most tokens of a text that the model takes. */
  readonly maximumTokens: number;
  /** Side of the square pictures that the model takes, pixels. Absent where it takes no pictures. */
  readonly imageSize?: number;
  /** Absolute path of the JSON list of pictures that the model was never trained on, where there is one. */
  readonly heldOut?: string;
  /** SPDX identifier. */
  readonly license: string;
}

/** Absolute path of the `mini-bert` folder: a masked-language-model encoder, 4 layers × 256. */
export const miniBert: string = modelFolder('mini-bert');

/** Absolute path of the `mini-clip` folder: an image tower of 6 layers × 192 and a text tower of 4 layers × 192. */
export const miniClip: string = modelFolder('mini-clip');

/** Every model of this package, by name. */
export const bundledModels = {
  'mini-bert': {
    name: 'mini-bert',
    folder: miniBert,
    family: 'bert',
    pipeline: 'fill-mask',
    dtype: 'fp32',
    parameters: 5_364_480,
    maximumTokens: 128,
    license: 'Apache-2.0',
  },
  'mini-clip': {
    name: 'mini-clip',
    folder: miniClip,
    family: 'clip',
    pipeline: 'zero-shot-image-classification',
    dtype: 'fp32',
    parameters: 6_127_489,
    maximumTokens: 32,
    imageSize: 64,
    heldOut: join(miniClip, 'heldout.json'),
    license: 'Apache-2.0',
  },
} as const satisfies Readonly<Record<string, BundledModel>>;

/** `models/` lies beside both `src/` and `dist/`. */
function modelFolder(name: string): string {
  return fileURLToPath(new URL(`../models/${name}`, import.meta.url));
}
