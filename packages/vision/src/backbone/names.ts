/** Inputs of a vision model's graphs; T is the prompted length. */
export const INPUT = {
  /** float32 [B, 3, height, width] */
  pixels: 'pixel_values',
  /** float32 [B, T] weights of the rows that are pooled; prompts have 0. */
  rowWeights: 'row_weights',
  /** int64 [B] active rows of each example's prompt */
  active: 'active_prompts',
} as const;

/** [B, d] what dynamic prompts read. */
export const FEATURES = 'features';
