import { readConfigFile } from '@dynaprompt/backbone';
import { z } from 'zod';

/** What config.json says. */
export interface AdapterNameConfig {
  /** `model_type` */
  readonly family: string;
  /** [channels, height, width] of the pictures; undefined where it says nothing. */
  readonly extents: readonly number[] | undefined;
}

const count = z.int().positive();
const schema = z.object({
  model_type: z.string(),
  num_channels: count.default(3),
  image_size: z.union([count.transform((side) => [side, side]), z.array(count).length(2)]).optional(),
});

/**
 * Reads config.json.
 * @throws ModelError if it is no JSON or lacks `model_type`.
 */
export function readConfig(file: string): AdapterNameConfig {
  const config = readConfigFile(file, schema);
  const { model_type: family, num_channels: channels, image_size: sides } = config;
  return { family, extents: sides && [channels, ...sides] };
}
