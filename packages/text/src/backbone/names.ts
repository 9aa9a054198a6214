import { PROMPT_INPUT } from '@dynaprompt/backbone';

/**
 * Inputs of a text model's graphs; T is the prompted length, l the prompt's, R the rows of answers (B, or one for each class of each
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
  ...PROMPT_INPUT,
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
} as const;

/** Output of a head of answers of several tokens: [R] log-likelihood of each. */
export const ANSWER_SCORES = 'answer_scores';
