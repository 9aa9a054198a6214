/**
 * Inputs of a model's graphs; T is the prompted length, l the prompt's, R the rows of answers (B, or one for each class of each
 * example), S the tokens of the longest answer.
 */
export const INPUT = {
  /** int64 [B, T] */
  ids: 'input_ids',
  /** int64 [B, T] */
  mask: 'attention_mask',
  /** int64 [B, T], where the model has it */
  types: 'token_type_ids',
  /** int64 [B, T], where the model has it */
  positions: 'position_ids',
  /** int64 [R, S] what a decoder reads besides its encoder */
  decoderIds: 'decoder_input_ids',
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
  /** float32 [R, S, T] with a 1 where each token of an answer is predicted */
  answerRows: 'answer_rows',
  /** int64 [R, S] tokens of the answers */
  answerTokens: 'answer_tokens',
  /** float32 [R, S] 1 at tokens that count */
  answerWeights: 'answer_weights',
  /** float32 [R] added to the score of an answer */
  answerBias: 'answer_bias',
  /** int64 [B] */
  labels: 'labels',
} as const;

/** Outputs of a model's graphs. */
export const OUTPUT = {
  pooled: 'pooled',
  logits: 'class_logits',
  /** [R] log-likelihood of each answer */
  answers: 'answer_scores',
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
