import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { AutoTokenizer } from '@huggingface/transformers';
import { ConfigurationError, nullThrows } from '@dynaprompt/core';
import type { TextBackbone, TextBackboneOptions } from '../backbone/adapter.js';
import type { HeadOptions, VerbalizerHeadOptions } from '../backbone/head.js';
import { openTextBackbone } from '../open-text-backbone.js';
import { likelihoodOf, logitsOf } from '../testing/decoder-file.js';
import {
  DECODERS,
  ENCODERS,
  textOf,
  wordOf,
  writeFixture,
  type FixtureModel,
} from '../testing/fixture-folders.js';
import { temporaryFolder } from '../testing/folders.js';
import { at, distance } from '../testing/numbers.js';
import { planOf } from '../testing/plans.js';
import { encodeBehind, type ChatMessage } from './chat.js';
import { openExampleTokens } from './example-tokens.js';

const temporary = temporaryFolder();
afterAll(() => {
  temporary.remove();
});

interface Chat {
  readonly template: string;
  readonly special: Readonly<Record<string, number>>;
  readonly takesSystem: boolean;
}

const common = { '[UNK]': 0, '[BOS]': 1, '[EOS]': 2, user: 3, assistant: 4, system: 5 };
/** As ChatML, Llama 3 and Mistral 7B publish theirs. */
const chats: Readonly<Record<string, Chat>> = {
  ChatML: {
    template:
      "{% for message in messages %}{{'<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' + '\n'}}" +
      "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}",
    special: { ...common, '<|im_start|>': 6, '<|im_end|>': 7 },
    takesSystem: true,
  },
  'Llama 3': {
    template:
      "{% set loop_messages = messages %}{% for message in loop_messages %}{% set content = '<|start_header_id|>' + " +
      "message['role'] + '<|end_header_id|>\n\n'+ message['content'] | trim + '<|eot_id|>' %}{% if loop.index0 == 0 %}" +
      '{% set content = bos_token + content %}{% endif %}{{ content }}{% endfor %}{% if add_generation_prompt %}' +
      "{{ '<|start_header_id|>assistant<|end_header_id|>\n\n' }}{% endif %}",
    special: { ...common, '<|start_header_id|>': 6, '<|end_header_id|>': 7, '<|eot_id|>': 8 },
    takesSystem: true,
  },
  Mistral: {
    template:
      "{{ bos_token }}{% for message in messages %}{% if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}" +
      "{{ raise_exception('Conversation roles must alternate user/assistant/user/assistant/...') }}{% endif %}" +
      "{% if message['role'] == 'user' %}{{ '[INST] ' + message['content'] + ' [/INST]' }}" +
      "{% elif message['role'] == 'assistant' %}{{ ' ' + message['content'] + eos_token}}{% endif %}{% endfor %}",
    special: { ...common, '[INST]': 6, '[/INST]': 7 },
    takesSystem: false,
  },
};

const SLOTS = 3;
const [ASK, LAST, FIRST, SECOND, THIRD] = [36, 37, 38, 39, 40];
const head: VerbalizerHeadOptions = {
  kind: 'verbalizer',
  template: `${wordOf(ASK)} {text} ${wordOf(LAST)}`,
  words: [wordOf(FIRST), wordOf(SECOND)],
  chat: true,
};
let folders = 0;

/** A Llama with a chat template in tokenizer_config.json, or in a file of its own. */
function folderOf({ template, special }: Chat, isFile = false): string {
  const llama = nullThrows(DECODERS.llama, 'no such fixture');
  const folder = writeFixture(join(temporary.folder, `${(folders += 1)}`), { ...llama, special });
  if (isFile) writeFileSync(join(folder, 'chat_template.jinja'), template);
  else {
    const file = join(folder, 'tokenizer_config.json');
    const config = JSON.parse(readFileSync(file, 'utf8')) as object;
    writeFileSync(file, JSON.stringify({ ...config, chat_template: template }));
  }
  return folder;
}

function open(
  folder: string,
  headOptions: HeadOptions = head,
  options: Partial<TextBackboneOptions> = {},
): Promise<TextBackbone> {
  return openTextBackbone(folder, { head: headOptions, reserve: SLOTS, threads: 1, ...options });
}

/** Ids of turns as transformers.js makes them. */
async function chatIds(
  folder: string,
  { template }: Chat,
  ...turns: readonly ChatMessage[]
): Promise<number[]> {
  const tokenizer = await AutoTokenizer.from_pretrained(folder, { local_files_only: true });
  return tokenizer.apply_chat_template([...turns], {
    chat_template: template,
    add_generation_prompt: true,
    return_tensor: false,
    return_dict: false,
  });
}

const asked = (...ids: readonly number[]): ChatMessage => ({
  role: 'user',
  content: textOf(ASK, ...ids, LAST),
});

describe.each(Object.entries(chats))('the chat template of %s', (_, chat) => {
  it('is what the model reads, and its answer the next word', async () => {
    const folder = folderOf(chat);
    const backbone = await open(folder);
    for (const ids of [[10, 11, 12], [20]]) {
      const logits = await backbone.predict([{ text: textOf(...ids) }], undefined, new Map());
      const whole = await chatIds(folder, chat, asked(...ids));
      const own = await logitsOf('llama', whole);
      const last = (whole.length - 1) * 64;
      expect(distance(logits, [at(own, last + FIRST), at(own, last + SECOND)])).toBeLessThan(5e-6);
      expect(backbone.lengthOf({ text: textOf(...ids) })).toBe(whole.length);
    }
    await backbone.release();
  });

  it('stands in front of answers of several tokens, in a batch with padding on either side', async () => {
    const folder = folderOf(chat, true);
    const answers = [[FIRST, THIRD, FIRST], [SECOND]];
    const examples = [[10, 11, 12, 13], [20]];
    for (const padding of ['left', 'right'] as const) {
      const words = answers.map((ids) => textOf(...ids));
      const backbone = await open(folder, { ...head, words }, { padding });
      const texts = examples.map((ids) => ({ text: textOf(...ids) }));
      const scores = await backbone.predict(texts, undefined, new Map());
      for (const [row, ids] of examples.entries()) {
        const whole = await chatIds(folder, chat, asked(...ids));
        for (const [index, answer] of answers.entries())
          expect(at(scores, 2 * row + index)).toBeCloseTo(await likelihoodOf('llama', whole, answer), 4);
      }
      await backbone.release();
    }
  });

  it('holds prompts at either end of the words of the user', async () => {
    const backbone = await open(folderOf(chat));
    // Rows of words from the tenth on, as `promptRows` counts them.
    const first = Object.keys(chat.special).length + 2;
    const rows = await backbone.promptRows(2, 30 - first);
    for (const [choice, text] of [
      [2, (inner: string) => `${textOf(30, 31)} ${wordOf(ASK)} ${inner} ${wordOf(LAST)}`],
      [0, (inner: string) => `${wordOf(ASK)} ${inner} ${wordOf(LAST)} ${textOf(30, 31)}`],
      [1, (inner: string) => `${textOf(30)} ${wordOf(ASK)} ${inner} ${wordOf(LAST)} ${textOf(31)}`],
    ] as const) {
      const plan = planOf({ batch: 1, slots: 2, width: backbone.width, prompts: rows, choice: [choice] });
      const prompted = await backbone.predict([{ text: textOf(10, 11) }], plan, new Map());
      const folder = folderOf(chat);
      const written = await open(folder, { ...head, template: text('{text}') });
      const expected = await written.predict([{ text: textOf(10, 11) }], undefined, new Map());
      expect(distance(prompted, expected)).toBeLessThan(1e-5);
      await written.release();
    }
    await backbone.release();
  });

  it('is never cut, nor is the template of the head', async () => {
    const folder = folderOf(chat);
    const read = await openExampleTokens(folder, { head, reserve: SLOTS, maximumTokens: 16 });
    const { tokens, layout } = read({ text: textOf(...new Array<number>(40).fill(15)) });
    expect(tokens).toHaveLength(16);
    const shortened = tokens.filter((token) => token === wordOf(15)).length;
    const expected = await chatIds(folder, chat, asked(...new Array<number>(shortened).fill(15)));
    const short = await openExampleTokens(folder, { head, reserve: SLOTS });
    expect(short({ text: textOf(...new Array<number>(shortened).fill(15)) }).tokens).toEqual(tokens);
    expect(expected).toHaveLength(16);
    expect(layout.content).toBe(shortened + 2);
    expect(() => read({ text: textOf(15), pair: '' })).not.toThrow();
    await expect(openExampleTokens(folder, { head, reserve: SLOTS, maximumTokens: 4 })).rejects.toThrow(
      ConfigurationError,
    );
  });

  it('takes a system text where it has a place for one', async () => {
    const folder = folderOf(chat);
    const opening = open(folder, { ...head, system: textOf(50, 51) });
    if (!chat.takesSystem) {
      await expect(opening).rejects.toThrow(/option chat: the chat template refuses it.*alternate/);
      await expect(opening).rejects.toBeInstanceOf(ConfigurationError);
      return;
    }
    const backbone = await opening;
    const logits = await backbone.predict([{ text: textOf(10) }], undefined, new Map());
    const whole = await chatIds(folder, chat, { role: 'system', content: textOf(50, 51) }, asked(10));
    const own = await logitsOf('llama', whole);
    const last = (whole.length - 1) * 64;
    expect(distance(logits, [at(own, last + FIRST), at(own, last + SECOND)])).toBeLessThan(2e-6);
    await backbone.release();
  });
});

describe('option chat', () => {
  const plain = (model: FixtureModel | undefined): string =>
    writeFixture(join(temporary.folder, `${(folders += 1)}`), nullThrows(model, 'no such fixture'));

  it('auto is on with a chat template, and off without', async () => {
    const chat = nullThrows(chats.ChatML, 'no such template');
    const text = { text: textOf(10, 11) };
    const lengths: number[] = [];
    for (const [folder, choice] of [
      [folderOf(chat), 'auto'],
      [folderOf(chat), true],
      [folderOf(chat), false],
      [plain(DECODERS.llama), 'auto'],
    ] as const) {
      const backbone = await open(folder, { ...head, chat: choice });
      lengths.push(backbone.lengthOf(text));
      await backbone.release();
    }
    // With headers: 2 tokens in front and 3 behind; without: BOS.
    expect(lengths).toEqual([9, 9, 5, 5]);
  });

  it('is refused without a chat template, and by encoders', async () => {
    await expect(open(plain(DECODERS.llama))).rejects.toThrow(
      /option chat: the tokeniser has no chat template/,
    );
    const masked = { ...head, template: '{text} {mask}' };
    await expect(open(plain(ENCODERS.bert), masked)).rejects.toThrow(/option chat: this is no decoder/);
    const alone = { ...head, chat: false, system: 'a' };
    await expect(open(plain(DECODERS.llama), alone)).rejects.toThrow(
      /a system text was given without a chat/,
    );
  });

  it('is refused where the template leaves a text out', async () => {
    const chat = nullThrows(chats.ChatML, 'no such template');
    const deaf = { ...chat, template: "{{ '<|im_start|>' }}" };
    await expect(open(folderOf(deaf))).rejects.toThrow(/does not have the user's words in it once/);
    const single = { ...chat, template: "{{ messages[-1]['content'] }}{{ '<|im_end|>' }}" };
    await expect(open(folderOf(single), { ...head, system: 'b' })).rejects.toThrow(
      /leaves the system text out/,
    );
  });
});

it('reads a text behind another as the tokeniser does both', () => {
  // Words take the space in front of them; "ab" is one token.
  const encode = (text: string): number[] =>
    [...text.matchAll(/ ?(ab|.)/g)].map(
      ([piece]) => 1000 * piece.length + piece.charCodeAt(piece.length - 1),
    );
  expect(encodeBehind(encode, '[x]', ' ab')).toEqual(encode(' ab'));
  // Both would melt into one token: the text is read by itself.
  expect(encodeBehind(encode, 'xa', 'b')).toEqual(encode('b'));
});
