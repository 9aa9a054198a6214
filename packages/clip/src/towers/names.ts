/** Inputs of text towers; R rows of T tokens, prompts included. */
export const TEXT_INPUT = {
  /** int64 [R, T] */
  ids: 'input_ids',
  /** int64 [R, T], where the model has it */
  mask: 'attention_mask',
  /** int64 [R, T], where the model has it */
  types: 'token_type_ids',
  /** int64 [R, T] */
  positions: 'position_ids',
} as const;

/** float32 [B, 3, height, width] */
export const PIXELS = 'pixel_values';

/** Output of a tower by itself: [rows, D]. */
export const EMBEDDING = 'embedding';
