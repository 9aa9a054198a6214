import { unusable, encodeExample, type EncodedExample, type TextExample } from '../tokenization/encode.js';
import type { Tokenizer } from '../tokenization/tokenizer.js';
import type { AdapterKind } from '../folder/families.js';
import type { Answer } from './answers.js';
import type { Head } from './head.js';

/** An example as the model reads it, with its answers where the head scores some. */
export interface Question extends EncodedExample {
  /** One for each class; empty where the head asks for none. */
  readonly answers: readonly Answer[];
}

/**
 * Encodes examples for a head, each once.
 * @throws DataError (the function that is returned) if an example lacks what template or head ask for, or leaves no token.
 */
export function questionReader(
  tokenizer: Tokenizer,
  head: Head,
  kind: AdapterKind,
  maximum: number,
): (example: TextExample) => Question {
  const known = new WeakMap<TextExample, Question>();
  const template = head.kind === 'linear' ? undefined : head.template;
  const read = (example: TextExample): Question => {
    const answers = answersOf(example, tokenizer, head, kind);
    // A decoder reads all of an answer but its last token behind the text.
    const longest = Math.max(1, ...answers.map((answer) => answer?.length ?? 0));
    const room = kind === 'decoder' ? maximum - longest + 1 : maximum;
    const encoded = encodeExample(tokenizer, example, template, room);
    if (encoded.ids.length === 0) throw unusable(example, 'it has no token');
    return { ...encoded, answers };
  };
  return (example) => {
    const question = known.get(example) ?? read(example);
    known.set(example, question);
    return question;
  };
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
  if (choices.length < 2 || choices.length > head.classes)
    throw unusable(example, `it has ${choices.length} choices, not 2 to ${head.classes}`);
  const encode = kind === 'seq2seq' ? tokenizer.encode : tokenizer.encodeNext;
  return Array.from({ length: head.classes }, (_, index) => {
    const choice = choices[index];
    const ids = choice === undefined ? undefined : encode(choice);
    if (ids?.length === 0) throw unusable(example, `its choice "${choice ?? ''}" has no token`);
    return ids;
  });
}
