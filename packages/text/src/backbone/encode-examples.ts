import { unusable, encodeExample, type EncodedExample, type TextExample } from '../tokenization/encode.js';
import { BoundedCache } from '../tokenization/bounded-cache.js';
import type { Tokenizer } from '../tokenization/tokenizer.js';
import type { AdapterKind } from '../folder/families.js';
import { withAnswer, type Answer } from './answers.js';
import { isTrained, type Head } from './head.js';

/** An example as the model reads it, with its answers where the head scores some. */
export interface Question extends EncodedExample {
  /** Rows of the model's batch: itself; one for each answer that a decoder reads behind it, or for each candidate. */
  readonly rows: readonly EncodedExample[];
  /** One for each class; empty where the head asks for none. */
  readonly answers: readonly Answer[];
}

/** Tokens of the examples that are kept encoded: up to 100 MB, such as 65,000 texts of 64. */
const CACHED_TOKENS = 2 ** 22;

/**
 * Encodes examples for a head, each once while there is room for it.
 * @throws DataError (the function that is returned) if an example lacks what template or head ask for, or leaves no token.
 */
export function questionReader(
  tokenizer: Tokenizer,
  head: Head,
  kind: AdapterKind,
  maximum: number,
): (example: TextExample) => Question {
  const known = new BoundedCache<TextExample, Question>(CACHED_TOKENS, ({ rows }) =>
    rows.reduce((sum, { ids }) => sum + ids.length, 0),
  );
  const template = isTrained(head) ? undefined : head.template;
  const rowsOf = (
    example: TextExample,
    encoded: EncodedExample,
    answers: readonly Answer[],
  ): readonly EncodedExample[] => {
    if (head.kind === 'candidates')
      return candidatePairs(example).map((pair) => encodeExample(tokenizer, pair, undefined, maximum));
    return kind === 'decoder' && head.kind === 'scored'
      ? answers.map((answer) => withAnswer(encoded, answer))
      : [encoded];
  };
  const read = (example: TextExample): Question => {
    const answers = answersOf(example, tokenizer, head, kind);
    // A decoder reads all of an answer but its last token behind the text.
    const longest = Math.max(1, ...answers.map((answer) => answer?.length ?? 0));
    const room = kind === 'decoder' ? maximum - longest + 1 : maximum;
    const encoded = encodeExample(tokenizer, example, template, room);
    if (encoded.ids.length === 0) throw unusable(example, 'it has no token');
    return { ...encoded, answers, rows: rowsOf(example, encoded, answers) };
  };
  return (example) => known.get(example, read);
}

/** Each candidate of an example with the text that it is an answer to, in place of the example's own second text. */
export function candidatePairs({ id, text, choices = [] }: TextExample): readonly TextExample[] {
  return choices.map((pair) => ({ ...(id === undefined ? {} : { id }), text, pair }));
}

/**
 * Refuses an example without choices, or with more than a head was opened for.
 * @throws DataError naming the example.
 */
export function checkChoices(example: TextExample, most: number): void {
  const { length } = example.choices ?? [];
  if (length < 1 || length > most) throw unusable(example, `it has ${length} choices, not 1 to ${most}`);
}

function answersOf(
  example: TextExample,
  tokenizer: Tokenizer,
  head: Head,
  kind: AdapterKind,
): readonly Answer[] {
  if (head.kind !== 'scored') return [];
  if (head.answers) return head.answers;
  const { choices = [] } = example;
  checkChoices(example, head.classes);
  const encode = kind === 'seq2seq' ? tokenizer.encode : tokenizer.encodeAnswer;
  return Array.from({ length: head.classes }, (_, index) => {
    const choice = choices[index];
    const ids = choice === undefined ? undefined : encode(choice);
    if (ids?.length === 0) throw unusable(example, `its choice "${choice ?? ''}" has no token`);
    return ids;
  });
}
