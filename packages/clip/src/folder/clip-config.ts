import { readConfigFile } from '@dynaprompt/backbone';
import { ModelError, nullThrows } from '@dynaprompt/core';
import { z } from 'zod';
import { PACKAGE_NAME } from '../package-name.js';

/** What is particular about a family of dual encoders. */
export interface ClipFamily {
  /** Image processor to assume where preprocessor_config.json names none. */
  readonly processor: string;
  /** Text tokens see those before them only. */
  readonly isCausal: boolean;
  /** Texts are filled up to the most tokens there are, padding is attended, and the last token is pooled (SigLIP). */
  readonly fillsUp: boolean;
  /** Most tokens of a text where config.json leaves it out. */
  readonly positions: number;
  /** log of the factor of the cosines where no file says it: the 100 that CLIP is clipped at. */
  readonly logitScale: number;
}

const clip: ClipFamily = {
  processor: 'CLIP',
  isCausal: true,
  fillsUp: false,
  positions: 77,
  logitScale: Math.log(100),
};

const FAMILIES: Readonly<Record<string, ClipFamily>> = {
  clip,
  siglip: { ...clip, processor: 'Siglip', isCausal: false, fillsUp: true, positions: 64 },
  chinese_clip: { ...clip, isCausal: false, positions: 512 },
};

/** `model_type`s of dual encoders that can be opened. */
export const CLIP_FAMILIES: readonly string[] = Object.keys(FAMILIES);

/** What config.json has to say about a dual encoder. */
export interface ClipConfig extends ClipFamily {
  /** `model_type`, e.g. `clip`. */
  readonly name: string;
  /** Most tokens of a text. */
  readonly maximumTokens: number;
}

const schema = z.object({
  model_type: z.string(),
  text_config: z.object({ max_position_embeddings: z.number().int().positive().nullish() }).nullish(),
});

/**
 * Reads config.json.
 * @throws ModelError if the file is no JSON, lacks a field, or is of a family that is no dual encoder.
 */
export function readClipConfig(file: string): ClipConfig {
  const { model_type: name, text_config: text } = readConfigFile(file, schema);
  if (!Object.hasOwn(FAMILIES, name)) {
    throw new ModelError({
      packageName: PACKAGE_NAME,
      subject: file,
      problem: `models of the family '${name}' are no dual encoders of images and texts that are known`,
      remedy: `Use a backbone of the families ${CLIP_FAMILIES.join(', ')}`,
    });
  }
  const family = nullThrows(FAMILIES[name], 'the family is known');
  return { ...family, name, maximumTokens: text?.max_position_embeddings ?? family.positions };
}
