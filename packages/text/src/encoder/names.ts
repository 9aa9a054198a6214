/** Inputs of the encoder's graphs; T is the prompted length, l the prompt's. */
export const INPUT = {
  /** int64 [B, T] */
  ids: 'input_ids',
  /** int64 [B, T] */
  mask: 'attention_mask',
  /** int64 [B, T], where the model has it */
  types: 'token_type_ids',
  /** float32 [B, l, d] */
  prompts: 'prompt_embeddings',
  /** float32 [B, D, l, d] prompts of layers 2 … D + 1 */
  deep: 'deep_prompt_embeddings',
  /** int64 [B, T] row of [prompts; tokens] at each position */
  order: 'prompt_order',
  /** int64 [B, l] position of each prompt row */
  slots: 'prompt_slots',
  /** float32 [B, T] log-gate added to the attention scores of each key */
  keyBias: 'key_bias',
  /** float32 [B, T] weights of the pooled hidden state, e.g. 1/n at the own tokens */
  pooling: 'pooling_weights',
  /** int64 [B] */
  labels: 'labels',
} as const;

/** Outputs of the encoder's graphs. */
export const OUTPUT = {
  pooled: 'pooled',
  logits: 'class_logits',
  loss: 'loss',
  /** [B, l, d] */
  prompts: 'prompt_gradient',
  /** [B, D, l, d] */
  deep: 'deep_prompt_gradient',
  /** [B, T, T] ⟨dL/dE_t, E_u⟩ */
  scores: 'position_scores',
  /** [B, T] */
  keyBias: 'key_bias_gradient',
} as const;

/** Output that holds the gradient of a tensor. */
export function gradientOutput(tensor: string): string {
  return `${tensor}.gradient`;
}
