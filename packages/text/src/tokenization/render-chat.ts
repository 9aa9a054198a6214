import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { PreTrainedTokenizer } from '@huggingface/transformers';
import type { ChatMessage } from './chat.js';

/** File of a chat template, where it is not in tokenizer_config.json; it counts before that one. */
export const CHAT_TEMPLATE_FILE = 'chat_template.jinja';

/**
 * What templates ask for beside the turns: no date of today (Llama 3 writes one, and would read another every day), and an answer
 * without thoughts in front of it (Qwen 3).
 */
const SETTINGS = { date_string: '26 Jul 2024', enable_thinking: false } as const;

/** Renders turns by a tokeniser's chat template; undefined where it has none. */
export function chatRenderer(
  tokenizer: PreTrainedTokenizer,
  folder: string,
): ((turns: readonly ChatMessage[], asks: boolean) => string) | undefined {
  const file = join(folder, CHAT_TEMPLATE_FILE);
  const own = existsSync(file) ? readFileSync(file, 'utf8') : null;
  const stated: unknown = tokenizer.chat_template;
  if (own === null && !stated) return undefined;
  return (turns, asks) =>
    tokenizer.apply_chat_template([...turns], {
      tokenize: false,
      add_generation_prompt: asks,
      chat_template: own,
      ...SETTINGS,
    });
}
