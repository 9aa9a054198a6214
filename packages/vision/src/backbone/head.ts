import { initialLinearHead } from '@dynaprompt/backbone';
import { ConfigurationError, type ParameterSet } from '@dynaprompt/core';
import type { Pooling } from '../folder/families.js';
import type { VisionConfig } from '../folder/vision-config.js';
import { PACKAGE_NAME } from '../package-name.js';

/** A trainable linear layer on a pooled state. */
export interface LinearHeadOptions {
  readonly kind: 'linear';
  readonly classes: number;
  /**
   * `cls`: the class token of the last hidden state; `mean` of its patches; `pooled`: what the model's own head reads: the pooled
   * embedding of CLIP in front of its projection, of SigLIP behind its attention pooling, the normalised mean of BEiT. None of
   * them pools rows of the prompt. Default: `pooled` for CLIP, SigLIP and BEiT, `cls` for the others.
   */
  readonly pooling?: Pooling;
}

/** The model's own classifier; nothing to train. */
export interface OwnHeadOptions {
  readonly kind: 'own';
  /** The data's class names in label order; each has to be one of the model's, or one of the synonyms that it lists by commas. */
  readonly classes: readonly string[];
}

/** How the answer is read off a backbone. */
export type HeadOptions = LinearHeadOptions | OwnHeadOptions;

/** A head that fits the model. */
export type Head =
  | { readonly kind: 'linear'; readonly classes: number; readonly pooling: Pooling }
  | {
      readonly kind: 'own';
      readonly classes: number;
      /** The model's class for each of the data's. */
      readonly columns: readonly number[];
      /** Classes of the model. */
      readonly available: number;
    };

/**
 * Checks head options against what config.json says of the model.
 * @throws ConfigurationError if there are fewer than two classes, or class names that the model's classifier does not have.
 */
export function resolveHead(options: HeadOptions, { pooling, classNames, name }: VisionConfig): Head {
  const classes = options.kind === 'own' ? options.classes.length : options.classes;
  if (!Number.isInteger(classes) || classes < 2)
    throw invalid('classes', `${classes} is not a number of classes`, 'Give at least two');
  if (options.kind === 'linear') return { kind: 'linear', classes, pooling: options.pooling ?? pooling };
  if (classNames.length === 0) {
    throw invalid(
      "head of the kind 'own'",
      `config.json of this ${name} names no classes`,
      'Use a linear head',
    );
  }
  const columns = columnsOf(options.classes, classNames);
  return { kind: 'own', classes, columns, available: classNames.length };
}

/** Starting values of a head; nothing for the model's own. */
export function initialHead(head: Head, width: number, seed: number): ParameterSet {
  return head.kind === 'linear' ? initialLinearHead(head.classes, width, seed) : new Map();
}

function columnsOf(wanted: readonly string[], available: readonly string[]): readonly number[] {
  const plain = (label: string): string =>
    label
      .trim()
      .toLowerCase()
      .replaceAll(/[\s_]+/g, ' ');
  const labels = available.map((label) => ({
    whole: plain(label),
    synonyms: label.split(',').map(plain),
  }));
  const places = wanted.map((label) => {
    const whole = labels.flatMap((one, index) => (one.whole === plain(label) ? [index] : []));
    if (whole.length > 0) return whole;
    return labels.flatMap(({ synonyms }, index) => (synonyms.includes(plain(label)) ? [index] : []));
  });
  const having = (test: (count: number) => boolean): string =>
    wanted.filter((_, index) => test(places[index]?.length ?? 0)).join(', ');
  const missing = having((count) => count === 0);
  if (missing !== '')
    throw invalid('class names', `the model's classifier does not know ${missing}`, 'Use a linear head');
  const ambiguous = having((count) => count > 1);
  if (ambiguous !== '') {
    throw invalid(
      'class names',
      `several classes of the model are called ${ambiguous}`,
      'Give the whole names of id2label in config.json',
    );
  }
  const columns = places.flat();
  if (new Set(columns).size === columns.length) return columns;
  throw invalid('class names', "two of them are the same class of the model's", 'Give each class once');
}

function invalid(subject: string, problem: string, remedy: string): ConfigurationError {
  return new ConfigurationError({ packageName: PACKAGE_NAME, subject, problem, remedy });
}
