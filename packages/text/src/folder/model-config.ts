import { readConfigFile } from '@dynaprompt/backbone';
import { z } from 'zod';
import { ModelError } from '@dynaprompt/core';
import { PACKAGE_NAME } from '../package-name.js';
import { FAMILIES, type AdapterKind, type Family } from './families.js';

/** What config.json has to say about a model. */
export interface ModelConfig {
  /** `model_type`, e.g. `bert`. */
  readonly family: string;
  readonly adapter: AdapterKind;
  /** Width of the hidden states. */
  readonly width: number;
  /** d, width of the token embeddings that layers begin with, and of prompts. */
  readonly embeddingWidth: number;
  /** Most tokens that have a position. */
  readonly maximumTokens: number;
  /** Token that a decoder begins an answer with. */
  readonly startToken: number;
}

const count = z.number().int().positive();
const token = z.number().int().nonnegative().nullish();

/**
 * Reads config.json.
 * @param adapters what the caller can open; a model of another kind is refused.
 * @throws ModelError if the file is no JSON, lacks a field, or is of a family that is not supported.
 */
export function readModelConfig(file: string, adapters: readonly AdapterKind[]): ModelConfig {
  const { model_type: name } = readConfigFile(file, z.object({ model_type: z.string() }));
  const family = Object.hasOwn(FAMILIES, name) ? FAMILIES[name] : undefined;
  if (!family || !adapters.includes(family.adapter)) {
    const known = Object.keys(FAMILIES).filter((other) =>
      adapters.includes(FAMILIES[other]?.adapter ?? 'encoder'),
    );
    throw problemWith(
      file,
      `models of the family '${name}' are not supported${family ? ' here' : ''}`,
      `Use a backbone of the families ${known.join(', ')}${family ? ', or openTextBackbone' : ''}`,
    );
  }
  const fields = readConfigFile(file, schemaOf(family)) as Record<string, number | null | undefined>;
  const width = fields[family.width] ?? 0;
  const positions = fields[family.positions] ?? family.defaultPositions ?? 0;
  const reserved = family.countsFromPadding ? (fields.pad_token_id ?? 1) + 1 : 0;
  return {
    family: name,
    adapter: family.adapter,
    width,
    embeddingWidth: (family.embedding === undefined ? undefined : fields[family.embedding]) ?? width,
    maximumTokens: positions - reserved,
    startToken: fields.decoder_start_token_id ?? fields.pad_token_id ?? 0,
  };
}

function schemaOf({ width, positions, embedding, defaultPositions }: Family): z.ZodType {
  return z.object({
    [width]: count,
    [positions]: defaultPositions === undefined ? count : count.nullish(),
    ...(embedding === undefined ? {} : { [embedding]: count.nullish() }),
    pad_token_id: token,
    decoder_start_token_id: token,
  });
}

function problemWith(subject: string, problem: string, remedy: string): ModelError {
  return new ModelError({ packageName: PACKAGE_NAME, subject, problem, remedy });
}
