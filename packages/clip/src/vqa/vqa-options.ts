import type { ImageSource } from '@dynaprompt/core';
import { invalid, type DualOptions } from '../dual/options.js';

/** A question about a picture. */
export interface VqaExample {
  /** Names it in errors and results. */
  readonly id: string;
  readonly question: string;
  readonly image: ImageSource;
  /** Answers of the example's own, in label order; only for a head of the kind `candidates` without answers. */
  readonly candidates?: readonly string[];
}

/** A trained linear layer on [v; t; v⊙t] of image and question, one output for each answer of a vocabulary. */
export interface AnswerClassification {
  readonly kind: 'classification';
  readonly answers: readonly string[];
}

/** Answers are scored by the similarity of the image and a statement made of question and answer; nothing to train but prompts. */
export interface AnswerCandidates {
  readonly kind: 'candidates';
  /** The same for all examples; without it each brings `candidates` of its own. */
  readonly answers?: readonly string[];
  /** Most candidates of an example, where they are its own. */
  readonly most?: number;
  /** Default `{question} {answer}`; without `{question}`, the answers alone are compared with the picture. */
  readonly template?: string;
}

/** What of an example is looked at: both, or one for baselines. */
export type VqaUse = 'both' | 'question' | 'image';

/** How a dual encoder is opened for questions about pictures. */
export interface VqaOptions extends DualOptions {
  readonly head: AnswerClassification | AnswerCandidates;
  /**
   * Default `both`. With `image` no question is read: statements are the answers alone. With `question` no picture is: statements are
   * compared with the question.
   */
  readonly use?: VqaUse;
  /** Words around a question that is read by itself. Default `{question}`. */
  readonly questionTemplate?: string;
}

/**
 * @returns K, columns of the logits.
 * @throws ConfigurationError for answers, templates or towers that cannot be used.
 */
export function checkVqa({ head, use = 'both', prompts = 'text', trainLogitScale }: VqaOptions): number {
  const { answers } = head;
  const own = head.kind === 'candidates' && answers === undefined;
  const count = own ? (head.most ?? 0) : (answers?.length ?? 0);
  if (!Number.isInteger(count) || count < 2)
    throw invalid(
      'answers',
      `${count} is not a number of answers`,
      own ? 'Give `most` of them' : 'Give at least two',
    );
  const twice = answers?.find((answer, index) => answers.indexOf(answer) !== index);
  if (twice !== undefined) throw invalid('answers', `"${twice}" is there twice`, 'Give each answer once');
  if (use === 'question' && prompts !== 'text')
    throw invalid(
      "use 'question'",
      'no picture is looked at, so prompts in its tower do nothing',
      "Use prompts 'text'",
    );
  const readsText = head.kind === 'candidates' || use !== 'image';
  if (!readsText && prompts !== 'vision')
    throw invalid(
      "use 'image'",
      'no text is read, so prompts in its tower do nothing',
      "Use prompts 'vision'",
    );
  if (head.kind === 'classification' && trainLogitScale)
    throw invalid(
      'trainLogitScale',
      'a linear layer scales by itself',
      "Leave it out, or use head 'candidates'",
    );
  return count;
}
