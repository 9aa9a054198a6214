import { readConfigFile } from '@dynaprompt/backbone';
import { z } from 'zod';

/** What config.json says. */
export interface AdapterNameConfig {
  /** `model_type` */
  readonly family: string;
  /** Most rows that the model takes, prompt included. */
  readonly maximumTokens: number;
  /** Token id of padding, where the model has tokens. */
  readonly padId: number;
}

const schema = z.object({
  model_type: z.string(),
  max_position_embeddings: z.int().positive().default(512),
  pad_token_id: z.int().nonnegative().nullish(),
});

/**
 * Reads config.json.
 * @throws ModelError if it is no JSON or lacks `model_type`.
 */
export function readConfig(file: string): AdapterNameConfig {
  const {
    model_type: family,
    max_position_embeddings: maximumTokens,
    pad_token_id: padId,
  } = readConfigFile(file, schema);
  return { family, maximumTokens, padId: padId ?? 0 };
}
