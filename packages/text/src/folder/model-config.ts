import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { ModelError } from '@dynaprompt/core';
import { PACKAGE_NAME } from '../package-name.js';

const schema = z.object({
  model_type: z.string(),
  hidden_size: z.number().int().positive(),
  max_position_embeddings: z.number().int().positive(),
});

/** What an encoder's config.json has to say. */
export interface EncoderConfig {
  /** `model_type`, e.g. `bert`. */
  readonly family: string;
  /** d */
  readonly width: number;
  /** Most tokens that have a position embedding. */
  readonly maximumTokens: number;
}

/** Families whose exports the encoder adapter has been checked with. */
export const ENCODER_FAMILIES = ['bert'] as const;

/**
 * Reads config.json of an encoder.
 * @throws ModelError if the file is no JSON, lacks a field, or is of a family that is not supported.
 */
export function readEncoderConfig(file: string): EncoderConfig {
  let json: unknown;
  try {
    json = JSON.parse(readFileSync(file, 'utf8'));
  } catch (cause) {
    throw problemWith(file, 'it cannot be read as JSON', 'Download the file again', cause);
  }
  const family = (json as { model_type?: unknown } | null)?.model_type;
  if (typeof family === 'string' && !(ENCODER_FAMILIES as readonly string[]).includes(family)) {
    throw problemWith(
      file,
      `models of the family '${family}' are not supported yet`,
      `Use a backbone of the family ${ENCODER_FAMILIES.join(', ')}`,
    );
  }
  const parsed = schema.safeParse(json);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw problemWith(
      file,
      [...(issue?.path ?? []), issue?.message ?? 'unexpected content'].join(': '),
      'Use the config.json of the published model',
    );
  }
  return {
    family: parsed.data.model_type,
    width: parsed.data.hidden_size,
    maximumTokens: parsed.data.max_position_embeddings,
  };
}

function problemWith(subject: string, problem: string, remedy: string, cause?: unknown): ModelError {
  return new ModelError({ packageName: PACKAGE_NAME, subject, problem, remedy, cause });
}
