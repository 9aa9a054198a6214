import type { SmallFamily } from './family-folders.js';

const LETTERS = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'];
const VOCABULARY = 64;

/** A word of two letters that is a token in all families; n from 0 to 45. */
export function word(n: number): string {
  return `${LETTERS[Math.floor(n / 8)] ?? ''}${LETTERS[n % 8] ?? ''}`;
}

/** tokenizer.json of a small vocabulary in the manner of a family, and the names of its special tokens. */
export function smallTokenizer(family: SmallFamily): {
  readonly tokenizer: object;
  readonly special: Readonly<Record<string, string>>;
} {
  if (family === 'clip') return byteTokenizer();
  return family === 'siglip'
    ? wordTokenizer({ '[UNK]': 0, '[PAD]': 1 }, ['A', '[PAD]'])
    : wordTokenizer({ '[PAD]': 0, '[UNK]': 1, '[CLS]': 2, '[SEP]': 3 }, ['[CLS]', 'A', '[SEP]']);
}

/** As CLIP's: byte pairs whose words end in `</w>`, padding is the end of a text, and that has the highest id. */
function byteTokenizer(): ReturnType<typeof smallTokenizer> {
  const [start, end] = ['<|startoftext|>', '<|endoftext|>'];
  const tokens = [...LETTERS, ...LETTERS.map((letter) => `${letter}</w>`)];
  const words = Array.from({ length: VOCABULARY - 2 - tokens.length }, (_, index) => word(index));
  tokens.push(...words.map((one) => `${one}</w>`), start, end);
  const vocab = Object.fromEntries(tokens.map((token, id) => [token, id]));
  const added = [start, end].map((content) => ({ id: vocab[content], content, special: true }));
  return {
    tokenizer: {
      version: '1.0',
      added_tokens: added,
      normalizer: { type: 'Lowercase' },
      pre_tokenizer: {
        type: 'Sequence',
        pretokenizers: [
          {
            type: 'Split',
            pattern: { Regex: '\\p{L}+|\\p{N}|[^\\s\\p{L}\\p{N}]+' },
            behavior: 'Removed',
            invert: true,
          },
          { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true },
        ],
      },
      post_processor: {
        type: 'RobertaProcessing',
        sep: [end, vocab[end]],
        cls: [start, vocab[start]],
        trim_offsets: false,
        add_prefix_space: false,
      },
      decoder: null,
      model: {
        type: 'BPE',
        unk_token: end,
        continuing_subword_prefix: '',
        end_of_word_suffix: '</w>',
        vocab,
        merges: words.map((one) => `${one.slice(0, 1)} ${one.slice(1)}</w>`),
      },
    },
    special: { bos_token: start, eos_token: end, pad_token: end, unk_token: end },
  };
}

/** Whole words, with special tokens in a frame around a text A. */
function wordTokenizer(
  special: Readonly<Record<string, number>>,
  frame: readonly string[],
): ReturnType<typeof smallTokenizer> {
  const words = ['a', 'b', ...Array.from({ length: 46 }, (_, index) => word(index))];
  const first = Object.keys(special).length;
  const template = (pieces: readonly string[]): object[] =>
    pieces.map((id) =>
      id in special ? { SpecialToken: { id, type_id: 0 } } : { Sequence: { id, type_id: 0 } },
    );
  return {
    tokenizer: {
      version: '1.0',
      added_tokens: Object.entries(special).map(([content, id]) => ({ id, content, special: true })),
      normalizer: null,
      pre_tokenizer: { type: 'WhitespaceSplit' },
      post_processor: {
        type: 'TemplateProcessing',
        single: template(frame),
        pair: template(frame.flatMap((piece) => (piece === 'A' ? ['A', 'B'] : [piece]))),
        special_tokens: Object.fromEntries(
          Object.entries(special).map(([content, id]) => [
            content,
            { id: content, ids: [id], tokens: [content] },
          ]),
        ),
      },
      decoder: null,
      model: {
        type: 'WordPiece',
        unk_token: '[UNK]',
        continuing_subword_prefix: '##',
        max_input_chars_per_word: 100,
        vocab: { ...special, ...Object.fromEntries(words.map((one, index) => [one, first + index])) },
      },
    },
    special: Object.fromEntries(
      Object.keys(special).map((token) => [`${token.slice(1, -1).toLowerCase()}_token`, token]),
    ),
  };
}
