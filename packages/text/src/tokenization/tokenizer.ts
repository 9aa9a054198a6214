import type { PreTrainedTokenizer } from '@huggingface/transformers';
import { ModelError } from '@dynaprompt/core';
import { PACKAGE_NAME } from '../package-name.js';
import { reasonOf } from '@dynaprompt/backbone';
import type { ChatMessage } from './chat.js';
import { chatRenderer } from './render-chat.js';

/** Files that a tokeniser is made of. */
export const TOKENIZER_FILES = ['tokenizer.json', 'tokenizer_config.json'] as const;

/** Special tokens around one text, or around and between a pair, with their token types. */
export interface Frame {
  readonly before: readonly number[];
  readonly between: readonly number[];
  readonly after: readonly number[];
  /** Token type of first text, separator, second text, final tokens. */
  readonly types: {
    readonly first: number;
    readonly between: number;
    readonly second: number;
    readonly after: number;
  };
}

/** A Hugging Face tokeniser, reduced to what prompts need. */
export interface Tokenizer {
  readonly single: Frame;
  readonly pair: Frame;
  readonly padId: number;
  /** Number of ids: the largest and all below. */
  readonly vocabulary: number;
  /** undefined where the model has no mask token. */
  readonly maskId: number | undefined;
  /** Ids that stand for no word, e.g. of the mask and of unknown words. */
  readonly specialIds: ReadonlySet<number>;
  /** Ids of a text without special tokens. */
  readonly encode: (text: string) => number[];
  /** Ids of a text that stands behind another, with a space between: in some vocabularies words at the very front are others. */
  readonly encodeNext: (text: string) => number[];
  /** Ids of what stands first behind the frame. */
  readonly encodeFirst: (text: string) => number[];
  /** Ids of an answer that a decoder gives behind the frame. */
  readonly encodeAnswer: (text: string) => number[];
  /** Writes turns as the model's chat template does, with the header of an answer or without; undefined where it has none. */
  readonly renderChat: ((turns: readonly ChatMessage[], asks: boolean) => string) | undefined;
  /** Tokens as the vocabulary spells them. */
  readonly spell: (ids: readonly number[]) => string[];
  /** Ids of ordinary whole words, most frequent first as far as the vocabulary is ordered by frequency. */
  wordIds(): readonly number[];
}

/**
 * Loads the tokeniser of a backbone folder.
 * @throws ModelError if tokenizer.json or tokenizer_config.json cannot be used.
 */
export async function loadTokenizer(folder: string): Promise<Tokenizer> {
  let tokenizer: PreTrainedTokenizer;
  try {
    // Loaded here, for it takes long, and command lines that only say something do without.
    const { AutoTokenizer } = await import('@huggingface/transformers');
    tokenizer = await AutoTokenizer.from_pretrained(folder, { local_files_only: true });
  } catch (cause) {
    throw new ModelError({
      packageName: PACKAGE_NAME,
      subject: `${folder}/tokenizer.json`,
      problem: `the tokeniser cannot be loaded (${reasonOf(cause)})`,
      remedy: 'Use the tokenizer.json and tokenizer_config.json of the published model',
      cause,
    });
  }
  const encode = (text: string): number[] => tokenizer.encode(text, { add_special_tokens: false });
  return {
    single: frameOf(tokenizer, encode, false),
    pair: frameOf(tokenizer, encode, true),
    padId: idOf(tokenizer, 'pad_token_id') ?? 0,
    maskId: idOf(tokenizer, 'mask_token_id'),
    vocabulary: [...tokenizer.get_vocab().values()].reduce((most, id) => Math.max(most, id + 1), 0),
    specialIds: new Set(tokenizer.all_special_ids),
    encode,
    encodeNext: (text) => encodeNext(encode, text),
    encodeFirst: encode,
    encodeAnswer: (text) => encodeNext(encode, text),
    renderChat: chatRenderer(tokenizer, folder),
    spell: speller(tokenizer),
    wordIds: () => wordIds(tokenizer),
  };
}

/** Reads the frame off an encoded example, so that every tokeniser's own template holds. */
function frameOf(tokenizer: PreTrainedTokenizer, encode: (text: string) => number[], isPair: boolean): Frame {
  const [first, second] = ['a', 'b'];
  const encoded = (tokenizer as unknown as Callable)(first, {
    ...(isPair ? { text_pair: second } : {}),
    return_tensor: false,
    return_token_type_ids: true,
    padding: false,
    truncation: false,
  });
  const ids = encoded.input_ids;
  const types = encoded.token_type_ids ?? ids.map(() => 0);
  const firstIds = encode(first);
  const secondIds = isPair ? encode(second) : [];
  const start = find(ids, firstIds, 0);
  const end = start + firstIds.length;
  const secondStart = isPair ? find(ids, secondIds, end) : end;
  const secondEnd = secondStart + secondIds.length;
  return {
    before: ids.slice(0, start),
    between: ids.slice(end, secondStart),
    after: ids.slice(secondEnd),
    types: {
      first: types[start] ?? 0,
      between: types[end] ?? 0,
      second: types[secondStart] ?? 0,
      after: types[secondEnd] ?? types[start] ?? 0,
    },
  };
}

type Callable = (
  text: string,
  options: Readonly<Record<string, unknown>>,
) => { input_ids: number[]; token_type_ids?: number[] };

function find(ids: readonly number[], wanted: readonly number[], from: number): number {
  for (let start = from; start + wanted.length <= ids.length; start++) {
    if (wanted.every((id, offset) => ids[start + offset] === id)) return start;
  }
  throw new ModelError({
    packageName: PACKAGE_NAME,
    subject: 'tokenizer.json',
    problem: 'a text encoded with special tokens does not hold the text encoded without them',
    remedy: 'Use a tokeniser that puts special tokens around the text',
  });
}

/** What follows the ids of one word, as far as the tokeniser leaves that word as it is. */
function encodeNext(encode: (text: string) => number[], text: string): number[] {
  const front = encode('a');
  const whole = encode(`a ${text.trim()}`);
  return text.trim() !== '' && front.every((id, index) => whole[index] === id)
    ? whole.slice(front.length)
    : encode(text);
}

function wordIds(tokenizer: PreTrainedTokenizer): number[] {
  const special = new Set(tokenizer.all_special_ids);
  const tokens = [...tokenizer.get_vocab()];
  // CLIP's vocabulary marks the ends of words: what has no mark is a part.
  const marksEnds = tokens.some(([token]) => token.endsWith('</w>'));
  const whole = marksEnds ? /^\p{L}{2,}<\/w>$/u : /^[\u0120\u2581]?\p{L}{2,}$/u;
  return tokens
    .filter(([token, id]) => whole.test(token) && !special.has(id))
    .map(([, id]) => id)
    .sort((a, b) => a - b);
}

function speller(tokenizer: PreTrainedTokenizer): Tokenizer['spell'] {
  let names: ReadonlyMap<number, string> | undefined;
  return (ids) => {
    const known = (names ??= new Map([...tokenizer.get_vocab()].map(([token, id]) => [id, token])));
    return ids.map((id) => known.get(id) ?? `#${id}`);
  };
}

/** A special token's id; the declared type leaves out that a tokeniser may lack the token. */
function idOf(tokenizer: PreTrainedTokenizer, field: 'pad_token_id' | 'mask_token_id'): number | undefined {
  const id: unknown = tokenizer[field];
  return typeof id === 'number' ? id : undefined;
}
