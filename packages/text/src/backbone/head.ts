import { initialLinearHead, initialNumberHead } from '@dynaprompt/backbone';
import { ConfigurationError, type ParameterSet } from '@dynaprompt/core';
import type { AdapterKind } from '../folder/families.js';
import { PACKAGE_NAME } from '../package-name.js';
import type { Tokenizer } from '../tokenization/tokenizer.js';
import { biasesOf, type CalibrationOptions } from '../calibration/options.js';
import type { ChatOptions } from '../tokenization/chat.js';
import { parseQuestion, parseTemplate, type TemplatePart } from '../tokenization/template.js';

/** What trainable heads read. */
interface PoolingOptions {
  /**
   * `mean` over the example's own tokens (default of encoders), its first token (`cls`), neither of which pools prompt tokens;
   * or, for decoders and there the default, the `last` token, which has seen all others, be it one of the prompt.
   */
  readonly pooling?: Pooling;
}

/** A trainable linear layer on a pooled hidden state. */
export interface LinearHeadOptions extends PoolingOptions {
  readonly kind: 'linear';
  readonly classes: number;
}

/** A trainable linear output that is a number, such as a similarity; its loss is the mean squared error in units of the range. */
export interface RegressionHeadOptions extends PoolingOptions {
  readonly kind: 'regression';
  /** Lowest and highest number of the data. Predictions are in the same units, and may lie outside. */
  readonly range: readonly [lowest: number, highest: number];
}

/**
 * A trainable linear score of every candidate that an example brings along (`choices`), each read as the second text of a pair; the
 * same layer for all. The probability of a candidate is the softmax over those of its example.
 */
export interface CandidatesHeadOptions extends PoolingOptions {
  readonly kind: 'candidates';
  /** Most candidates of an example. */
  readonly classes: number;
}

/** What the log-likelihoods of an answer's tokens are taken together by. */
export type AnswerScore = 'sum' | 'mean';

/** How a question is put and answers of several tokens are scored. */
interface AnswerOptions extends ChatOptions {
  /**
   * `sum` of the log-likelihoods of an answer's tokens (default), or their `mean`, which does not put long answers at a disadvantage
   * (Brown et al. 2020, section 2.4).
   */
  readonly score?: AnswerScore;
}

/** The model's own language head, read where the answer stands; nothing to train. */
export interface VerbalizerHeadOptions extends AnswerOptions, CalibrationOptions {
  readonly kind: 'verbalizer';
  /** Wording with `{text}` and, for pairs, `{pair}`; encoders need `{mask}`, for others it can stand at the end. */
  readonly template: string;
  /** One word for each class, in label order; several tokens each where the model is no encoder. */
  readonly words: readonly string[];
}

/** Answers that every example brings along (`choices`), scored by their log-likelihood; nothing to train. No encoders. */
export interface ChoicesHeadOptions extends AnswerOptions {
  readonly kind: 'choices';
  readonly template: string;
  /** Most choices of an example. */
  readonly classes: number;
}

/** How the answer is read off a backbone. */
export type HeadOptions =
  | LinearHeadOptions
  | RegressionHeadOptions
  | CandidatesHeadOptions
  | VerbalizerHeadOptions
  | ChoicesHeadOptions;

/** Which hidden states a head reads: the mean over tokens, the first one, or the last one. */
export type Pooling = 'mean' | 'cls' | 'last';

/** A head with tensors of its own, on a pooled hidden state. */
export type TrainedHead =
  | { readonly kind: 'linear' | 'candidates'; readonly classes: number; readonly pooling: Pooling }
  | {
      readonly kind: 'regression';
      readonly classes: 1;
      readonly pooling: Pooling;
      readonly range: readonly [number, number];
    };

/** A head that fits the tokeniser and the kind of model. */
export type Head =
  | TrainedHead
  | {
      readonly kind: 'verbalizer';
      readonly classes: number;
      readonly template: readonly TemplatePart[];
      /** Token id of each class's word. */
      readonly wordIds: readonly number[];
      /** [classes] added to the logits. */
      readonly biases?: readonly number[];
    }
  | {
      /** Answers of several tokens: Σ log p(token | all before). */
      readonly kind: 'scored';
      readonly classes: number;
      readonly template: readonly TemplatePart[];
      /** Token ids of each class's answer; undefined where examples bring their own. */
      readonly answers: readonly (readonly number[])[] | undefined;
      readonly score: AnswerScore;
      /** [classes] added to the scores. */
      readonly biases?: readonly number[];
    };

/** Whether a head is one that is trained, and reads a pooled hidden state instead of the model's own head. */
export function isTrained(head: Head): head is TrainedHead {
  return head.kind === 'linear' || head.kind === 'regression' || head.kind === 'candidates';
}

/**
 * Checks head options against the kind of model, the tokeniser and the `maximum` of tokens that an example may have.
 * @throws ConfigurationError if there are fewer than two classes or a range is empty; a word has no token, one that is not known,
 * or several with an encoder, or is given twice; the template is malformed, needs a mask token that the tokeniser lacks, or leaves
 * no room for text.
 */
export function resolveHead(
  options: HeadOptions,
  tokenizer: Tokenizer,
  maximum: number,
  kind: AdapterKind = 'encoder',
): Head {
  if (options.kind === 'regression') return resolveRegression(options, kind);
  const classes = options.kind === 'verbalizer' ? options.words.length : options.classes;
  if (!Number.isInteger(classes) || classes < 2) {
    throw invalid('classes', `${classes} is not a number of classes`, 'Give at least two');
  }
  if (options.kind === 'linear' || options.kind === 'candidates')
    return { kind: options.kind, classes, pooling: poolingOf(options, kind) };
  if (options.kind === 'choices' && kind === 'encoder') {
    throw invalid(
      'head of the kind choices',
      'an encoder gives texts no likelihood',
      'Use the head candidates, a decoder or T5',
    );
  }
  const template = kind === 'encoder' ? parseTemplate(options.template) : parseQuestion(options.template);
  checkTemplate(options.template, template, tokenizer, maximum, kind);
  const { score = 'sum' } = options;
  if (options.kind === 'choices') return { kind: 'scored', classes, template, answers: undefined, score };
  const answers = options.words.map((word) => answerIds(word, tokenizer, kind));
  if (new Set(answers.map((ids) => ids.join())).size !== classes) {
    throw invalid('verbaliser words', 'two classes have the same token', 'Give each class a word of its own');
  }
  const wordIds = answers.flatMap((ids) => ids);
  const common = { classes, template, ...biasesOf(options, classes) };
  return wordIds.length === classes
    ? { kind: 'verbalizer', ...common, wordIds }
    : { kind: 'scored', ...common, answers, score };
}

function resolveRegression(options: RegressionHeadOptions, kind: AdapterKind): TrainedHead {
  const [lowest, highest] = options.range;
  if (Number.isFinite(lowest) && Number.isFinite(highest) && lowest < highest)
    return { kind: 'regression', classes: 1, pooling: poolingOf(options, kind), range: [lowest, highest] };
  throw invalid('range', `${lowest} to ${highest} is no range of numbers`, 'Give the lower end first');
}

function poolingOf({ pooling }: PoolingOptions, kind: AdapterKind): Pooling {
  const allowed = kind === 'decoder' ? ['last', 'mean'] : ['mean', 'cls'];
  const chosen = pooling ?? (kind === 'decoder' ? 'last' : 'mean');
  if (allowed.includes(chosen)) return chosen;
  throw invalid(
    `pooling ${chosen}`,
    kind === 'decoder'
      ? 'the first token of a decoder has seen no other'
      : 'the last token is no summary here',
    `Use ${allowed.join(' or ')}`,
  );
}

/** Ids of an answer as the model writes it: behind the question, or as the first word of a decoder of its own. */
function answerIds(word: string, tokenizer: Tokenizer, kind: AdapterKind): readonly number[] {
  const ids = kind === 'seq2seq' ? tokenizer.encode(word) : tokenizer.encodeAnswer(word);
  const complain = (problem: string, remedy: string): ConfigurationError =>
    invalid(`verbaliser word "${word}"`, problem, remedy);
  if (ids.length === 0 || (kind === 'encoder' && ids.length > 1))
    throw complain(`the tokeniser splits it into ${ids.length} tokens`, 'Choose a word that is one token');
  if (ids.some((id) => tokenizer.specialIds.has(id)))
    throw complain('the tokeniser does not know it', 'Choose a word that is one token');
  return ids;
}

/** Refuses a template that no example could be put into. */
function checkTemplate(
  wording: string,
  template: readonly TemplatePart[],
  tokenizer: Tokenizer,
  maximum: number,
  kind: AdapterKind,
): void {
  const subject = `template "${wording}"`;
  if (kind === 'encoder' && tokenizer.maskId === undefined) {
    throw invalid(subject, 'the tokeniser has no mask token', 'Use a linear head, or a masked-LM backbone');
  }
  const { before, after } = tokenizer.single;
  // At least one token each for mask, text and pair.
  const needed = template.reduce(
    (sum, part) => sum + (part.kind === 'words' ? tokenizer.encode(part.words).length : 1),
    before.length + after.length,
  );
  if (needed <= maximum) return;
  throw invalid(
    subject,
    `it needs ${needed} tokens for itself and one word, ${maximum} are allowed`,
    'Shorten it, or allow more tokens or fewer prompt slots',
  );
}

/** Starting values of a head; nothing for a verbaliser. */
export function initialHead(head: Head, width: number, seed: number): ParameterSet {
  switch (head.kind) {
    case 'linear':
      return initialLinearHead(head.classes, width, seed);
    case 'regression':
      return initialNumberHead(width, seed);
    case 'candidates':
      return initialLinearHead(1, width, seed);
    default:
      return new Map();
  }
}

function invalid(subject: string, problem: string, remedy: string): ConfigurationError {
  return new ConfigurationError({ packageName: PACKAGE_NAME, subject, problem, remedy });
}
