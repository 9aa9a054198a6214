import { ConfigurationError, stream, type ParameterSet } from '@dynaprompt/core';
import { PACKAGE_NAME } from '../package-name.js';
import type { Tokenizer } from '../tokenization/tokenizer.js';
import { parseTemplate, type TemplatePart } from '../tokenization/template.js';

/** A trainable linear layer on a pooled hidden state. */
export interface LinearHeadOptions {
  readonly kind: 'linear';
  readonly classes: number;
  /** `mean` over the example's own tokens (default), or the first token (`cls`). Prompt tokens are never pooled. */
  readonly pooling?: 'mean' | 'cls';
}

/** The model's own masked-LM head, read at the mask for one word of each class; nothing to train. */
export interface VerbalizerHeadOptions {
  readonly kind: 'verbalizer';
  /** Wording with `{text}`, `{mask}` and, for pairs, `{pair}`. */
  readonly template: string;
  /** One word for each class, in label order. */
  readonly words: readonly string[];
}

export type HeadOptions = LinearHeadOptions | VerbalizerHeadOptions;

/** A head that fits the tokeniser. */
export type Head =
  | { readonly kind: 'linear'; readonly classes: number; readonly pooling: 'mean' | 'cls' }
  | {
      readonly kind: 'verbalizer';
      readonly classes: number;
      readonly template: readonly TemplatePart[];
      /** Token id of each class's word. */
      readonly wordIds: readonly number[];
    };

/**
 * Checks head options against the tokeniser and the `maximum` of tokens that an example may have.
 * @throws ConfigurationError if there are fewer than two classes, a verbaliser's word is not one token or given twice, or its
 * template is malformed, needs a mask token that the tokeniser lacks, or leaves no room for text.
 */
export function resolveHead(options: HeadOptions, tokenizer: Tokenizer, maximum: number): Head {
  const classes = options.kind === 'linear' ? options.classes : options.words.length;
  if (!Number.isInteger(classes) || classes < 2) {
    throw invalid('classes', `${classes} is not a number of classes`, 'Give at least two');
  }
  if (options.kind === 'linear') return { kind: 'linear', classes, pooling: options.pooling ?? 'mean' };
  const template = parseTemplate(options.template);
  checkTemplate(options.template, template, tokenizer, maximum);
  const wordIds = options.words.map((word) => {
    const ids = tokenizer.encode(word);
    const [id] = ids;
    const complain = (problem: string): ConfigurationError =>
      invalid(`verbaliser word "${word}"`, problem, 'Choose a word that is one token');
    if (ids.length !== 1 || id === undefined)
      throw complain(`the tokeniser splits it into ${ids.length} tokens`);
    if (tokenizer.specialIds.has(id)) throw complain('the tokeniser does not know it');
    return id;
  });
  if (new Set(wordIds).size !== wordIds.length) {
    throw invalid('verbaliser words', 'two classes have the same token', 'Give each class a word of its own');
  }
  return { kind: 'verbalizer', classes, template, wordIds };
}

/** Refuses a template that no example could be put into. */
function checkTemplate(
  wording: string,
  template: readonly TemplatePart[],
  tokenizer: Tokenizer,
  maximum: number,
): void {
  const subject = `template "${wording}"`;
  if (tokenizer.maskId === undefined) {
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

/** Scale of a new linear head; small, so that training starts near the uniform answer. */
const INITIAL_DEVIATION = 0.02;

/** Starting values of a head: weight [classes, d] ~ N(0, 0.02²), bias [classes] = 0; nothing for a verbaliser. */
export function initialHead(head: Head, width: number, seed: number): ParameterSet {
  if (head.kind === 'verbalizer') return new Map();
  const random = stream(seed, 'head');
  const weight = new Float32Array(head.classes * width).map(() => INITIAL_DEVIATION * random.normal());
  return new Map([
    ['head.weight', { shape: [head.classes, width], values: weight }],
    ['head.bias', { shape: [head.classes], values: new Float32Array(head.classes) }],
  ]);
}

function invalid(subject: string, problem: string, remedy: string): ConfigurationError {
  return new ConfigurationError({ packageName: PACKAGE_NAME, subject, problem, remedy });
}
