import type { PreTrainedTokenizer } from '@huggingface/transformers';

import type { TokenReader } from '../sequence/own-tokens.js';

type Callable = (
  text: string,
  options: Readonly<Record<string, unknown>>,
) => { readonly input_ids: number[]; readonly token_type_ids?: number[] };

/** A tokeniser of transformers.js for the page; it cuts what is longer than `maximum` tokens, special ones included. */
export function tokenReaderOf(tokenizer: PreTrainedTokenizer, maximum: number): TokenReader {
  const maskId: unknown = tokenizer.mask_token_id;
  return {
    whole(text, pair) {
      // Its declared type does not say that it can be called.
      const { input_ids: ids, token_type_ids: types } = (tokenizer as unknown as Callable)(text, {
        ...(pair === undefined ? {} : { text_pair: pair }),
        truncation: true,
        max_length: maximum,
        padding: false,
        return_tensor: false,
        return_token_type_ids: true,
      });
      return { ids, types };
    },
    bare: (text) => tokenizer.encode(text, { add_special_tokens: false }),
    maskId: typeof maskId === 'number' ? maskId : undefined,
  };
}
