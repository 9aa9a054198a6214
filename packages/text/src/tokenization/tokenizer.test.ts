import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { AutoTokenizer, type PreTrainedTokenizer } from '@huggingface/transformers';
import { miniBert } from '@dynaprompt/mini-models';
import fc from 'fast-check';
import { alteredBackbone, temporaryFolder } from '../testing/folders.js';
import { encodeExample } from './encode.js';
import { loadTokenizer, type Tokenizer } from './tokenizer.js';

const temporary = temporaryFolder();
afterAll(() => {
  temporary.remove();
});

/** What the Hugging Face tokeniser itself makes of a text or a pair. */
function whole(
  tokenizer: PreTrainedTokenizer,
  text: string,
  pair?: string,
): { readonly ids: number[]; readonly types: number[] } {
  const call = tokenizer as unknown as (text: string, options: object) => Record<string, number[]>;
  const options = { text_pair: pair, return_tensor: false, return_token_type_ids: true };
  const { input_ids: ids = [], token_type_ids: types = [] } = call(text, options);
  return { ids, types };
}

const texts = [
  '',
  '   ',
  'a',
  'b',
  'The movie was GREAT, really!',
  'unbelievable 3.14 naïve café 東京 (sic) — x_y',
  'a [MASK] in the text [SEP] itself',
  '😀 ok',
];

describe('frames', () => {
  let reference: PreTrainedTokenizer;
  let tokenizer: Tokenizer;
  beforeAll(async () => {
    reference = await AutoTokenizer.from_pretrained(miniBert, { local_files_only: true });
    tokenizer = await loadTokenizer(miniBert);
  });
  const encoded = (text: string, pair?: string): { ids: readonly number[]; types: readonly number[] } => {
    const example = pair === undefined ? { text } : { text, pair };
    const { ids, types } = encodeExample(tokenizer, example, undefined, 10_000);
    return { ids, types };
  };

  it.each(texts)('encode %j as the tokeniser does', (text) => {
    expect(encoded(text)).toEqual(whole(reference, text));
  });

  it.each(texts.flatMap((text) => ['a', 'Was it good?'].map((pair) => [text, pair] as const)))(
    'encode the pair %j, %j as the tokeniser does',
    (text, pair) => {
      expect(encoded(text, pair)).toEqual(whole(reference, text, pair));
    },
  );

  it('encode any text and pair as the tokeniser does', () => {
    const anyText = fc.oneof(fc.string({ unit: 'binary' }), fc.lorem({ maxCount: 6 }));
    fc.assert(
      fc.property(anyText, fc.lorem({ maxCount: 4 }), (text, pair) => {
        expect(encoded(text)).toEqual(whole(reference, text));
        expect(encoded(text, pair)).toEqual(whole(reference, text, pair));
      }),
      { seed: 1, numRuns: 60 },
    );
  });

  it('keep an empty second text a pair, with both separators', () => {
    const [start, separator] = whole(reference, '').ids;
    expect(encoded('', '')).toEqual({ ids: [start, separator, separator], types: [0, 0, 1] });
  });

  it('are those of BERT', () => {
    expect(tokenizer.single).toMatchObject({ before: [2], between: [], after: [3] });
    expect(tokenizer.pair).toEqual({
      before: [2],
      between: [3],
      after: [3],
      types: { first: 0, between: 0, second: 1, after: 1 },
    });
    expect(tokenizer).toMatchObject({ padId: 0, maskId: 4, vocabulary: 8192 });
  });
});

it('reads other frames off the tokeniser too, such as two separators and none at the end', async () => {
  const json = JSON.parse(readFileSync(join(miniBert, 'tokenizer.json'), 'utf8')) as {
    post_processor: { pair: { SpecialToken?: object }[] };
  };
  const [start, first, separator, second] = json.post_processor.pair;
  const pair = [start, first, separator, separator, second];
  const changed = { ...json, post_processor: { ...json.post_processor, pair } };
  const folder = alteredBackbone(temporary.folder, { 'tokenizer.json': JSON.stringify(changed) });
  const tokenizer = await loadTokenizer(folder);
  expect(tokenizer.pair).toMatchObject({ before: [2], between: [3, 3], after: [] });
  const reference = await AutoTokenizer.from_pretrained(folder, { local_files_only: true });
  const { ids, types, layout } = encodeExample(
    tokenizer,
    { text: 'a film', pair: 'a good film' },
    undefined,
    99,
  );
  expect({ ids, types }).toEqual(whole(reference, 'a film', 'a good film'));
  expect(layout).toEqual({ before: 1, content: 7, after: 0 });
});

it('starts prompts from whole words that are no special tokens', async () => {
  const tokenizer = await loadTokenizer(miniBert);
  const reference = await AutoTokenizer.from_pretrained(miniBert, { local_files_only: true });
  const ids = tokenizer.wordIds();
  expect(ids.length).toBeGreaterThan(1000);
  for (const id of ids.slice(0, 50)) {
    const word = reference.decode([id]);
    expect(word).toMatch(/^\p{L}{2,}$/u);
    expect(tokenizer.encode(word)).toEqual([id]);
  }
});
