/** Inputs of every prompted graph; T is the prompted length, l the prompt's, D the layers behind the first that take prompts. */
export const PROMPT_INPUT = {
  /** float32 [B, l, d] */
  prompts: 'prompt_embeddings',
  /** float32 [B, D, l, d] prompts of layers 2 … D + 1 */
  deep: 'deep_prompt_embeddings',
  /** int64 [B, T] row of [prompts; content] at each position */
  order: 'prompt_order',
  /** int64 [B, l] position of each prompt row */
  slots: 'prompt_slots',
  /** float32 [B, T] log-gate added to the attention scores of each key */
  keyBias: 'key_bias',
  /** float32 [B, T] share of the log-gates that each row's attention takes, where a model gates by row */
  gatedRows: 'gated_rows',
  /** int64 [B] */
  labels: 'labels',
  /** float32 [B, 1] */
  targets: 'targets',
} as const;

/** Outputs of prompted graphs. */
export const OUTPUT = {
  /** [B, d] what a linear head reads */
  pooled: 'pooled',
  /** [B, classes] */
  logits: 'class_logits',
  loss: 'loss',
  /** [B, l, d] */
  prompts: 'prompt_gradient',
  /** [B, D, l, d] */
  deep: 'deep_prompt_gradient',
  /** [B, T, columns] ⟨dL/dE_t, row⟩ */
  scores: 'position_scores',
  /** [B, T] ⟨dL/dE_t, v_t⟩ of what a prompt receives in slot t, where slots give something */
  slotScores: 'prompt_slot_scores',
  /** [B, T] */
  keyBias: 'key_bias_gradient',
} as const;

/** Output that holds the gradient of a tensor. */
export function gradientOutput(tensor: string): string {
  return `${tensor}.gradient`;
}
