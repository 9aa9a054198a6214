import { initialLinearHead } from '@dynaprompt/backbone';
import { ConfigurationError, type ParameterSet } from '@dynaprompt/core';
import type { AdapterKind } from '../folder/families.js';
import { PACKAGE_NAME } from '../package-name.js';
import type { Tokenizer } from '../tokenization/tokenizer.js';
import { parseQuestion, parseTemplate, type TemplatePart } from '../tokenization/template.js';

/** A trainable linear layer on a pooled hidden state. */
export interface LinearHeadOptions {
  readonly kind: 'linear';
  readonly classes: number;
  /**
   * `mean` over the example's own tokens (default of encoders), its first token (`cls`), neither of which pools prompt tokens;
   * or, for decoders and there the default, the `last` token, which has seen all others, be it one of the prompt.
   */
  readonly pooling?: 'mean' | 'cls' | 'last';
}

/** The model's own language head, read where the answer stands; nothing to train. */
export interface VerbalizerHeadOptions {
  readonly kind: 'verbalizer';
  /** Wording with `{text}` and, for pairs, `{pair}`; encoders need `{mask}`, for others it can stand at the end. */
  readonly template: string;
  /** One word for each class, in label order; several tokens each where the model is no encoder. */
  readonly words: readonly string[];
}

/** Answers that every example brings along (`choices`), scored by their log-likelihood; nothing to train. No encoders. */
export interface ChoicesHeadOptions {
  readonly kind: 'choices';
  readonly template: string;
  /** Most choices of an example. */
  readonly classes: number;
}

export type HeadOptions = LinearHeadOptions | VerbalizerHeadOptions | ChoicesHeadOptions;

export type Pooling = 'mean' | 'cls' | 'last';

/** A head that fits the tokeniser and the kind of model. */
export type Head =
  | { readonly kind: 'linear'; readonly classes: number; readonly pooling: Pooling }
  | {
      readonly kind: 'verbalizer';
      readonly classes: number;
      readonly template: readonly TemplatePart[];
      /** Token id of each class's word. */
      readonly wordIds: readonly number[];
    }
  | {
      /** Answers of several tokens: Σ log p(token | all before). */
      readonly kind: 'scored';
      readonly classes: number;
      readonly template: readonly TemplatePart[];
      /** Token ids of each class's answer; undefined where examples bring their own. */
      readonly answers: readonly (readonly number[])[] | undefined;
    };

/**
 * Checks head options against the kind of model, the tokeniser and the `maximum` of tokens that an example may have.
 * @throws ConfigurationError if there are fewer than two classes, a word has no token, one that is not known, or several with an
 * encoder, or is given twice; the template is malformed, needs a mask token that the tokeniser lacks, or leaves no room for text.
 */
export function resolveHead(
  options: HeadOptions,
  tokenizer: Tokenizer,
  maximum: number,
  kind: AdapterKind = 'encoder',
): Head {
  const classes = options.kind === 'verbalizer' ? options.words.length : options.classes;
  if (!Number.isInteger(classes) || classes < 2) {
    throw invalid('classes', `${classes} is not a number of classes`, 'Give at least two');
  }
  if (options.kind === 'linear') return { kind: 'linear', classes, pooling: poolingOf(options, kind) };
  const template = kind === 'encoder' ? parseTemplate(options.template) : parseQuestion(options.template);
  checkTemplate(options.template, template, tokenizer, maximum, kind);
  if (options.kind === 'choices') {
    if (kind !== 'encoder') return { kind: 'scored', classes, template, answers: undefined };
    throw invalid('head of the kind choices', 'an encoder gives texts no likelihood', 'Use a decoder or T5');
  }
  const answers = options.words.map((word) => answerIds(word, tokenizer, kind));
  if (new Set(answers.map((ids) => ids.join())).size !== classes) {
    throw invalid('verbaliser words', 'two classes have the same token', 'Give each class a word of its own');
  }
  const wordIds = answers.flatMap((ids) => ids);
  return wordIds.length === classes
    ? { kind: 'verbalizer', classes, template, wordIds }
    : { kind: 'scored', classes, template, answers };
}

function poolingOf({ pooling }: LinearHeadOptions, kind: AdapterKind): Pooling {
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
  const ids = kind === 'seq2seq' ? tokenizer.encode(word) : tokenizer.encodeNext(word);
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
  return head.kind === 'linear' ? initialLinearHead(head.classes, width, seed) : new Map();
}

function invalid(subject: string, problem: string, remedy: string): ConfigurationError {
  return new ConfigurationError({ packageName: PACKAGE_NAME, subject, problem, remedy });
}
