import { ConfigurationError } from '@dynaprompt/core';
import { reasonOf } from '@dynaprompt/backbone';
import { PACKAGE_NAME } from '../package-name.js';
import type { Frame, Tokenizer } from './tokenizer.js';

/** Whether a question is put to the model as a turn of a chat. */
export interface ChatOptions {
  /**
   * Puts the template into a user's turn, by the chat template of the tokeniser; the answer is the assistant's. `auto`: if the
   * tokeniser has one. Decoders only. Default false.
   */
  readonly chat?: boolean | 'auto';
  /** What the system turn says, in a chat. */
  readonly system?: string;
}

/** A turn of a chat. */
export interface ChatMessage {
  readonly role: 'system' | 'user' | 'assistant';
  readonly content: string;
}

/** Stand where question and answer are to go. */
const QUESTION = 'DYNAPROMPTQUESTION';
const ANSWER = 'DYNAPROMPTANSWER';

/** Whether options may ask for a chat template. */
export function mayChat(options: object): boolean {
  const { chat = false } = options as ChatOptions;
  return chat !== false;
}

/**
 * A tokeniser whose frame of a single text is a chat: everything up to the user's words stands in front of it, the end of the turn
 * and the header of the assistant's behind it, so that neither is ever cut and prompts stand within the user's turn.
 * @param options of a head; others than {@link ChatOptions} are passed over.
 * @throws ConfigurationError if there is no chat template, or it cannot take the texts.
 */
export function chatTokenizer(tokenizer: Tokenizer, options: object, isDecoder: boolean): Tokenizer {
  const { chat = false, system } = options as ChatOptions;
  const { renderChat } = tokenizer;
  if (chat === true && !isDecoder) throw invalid('this is no decoder', 'Leave the option out');
  if (chat === true && !renderChat)
    throw invalid(
      'the tokeniser has no chat template',
      'Leave the option out, or use an instruction-tuned model',
    );
  const isChat = chat !== false && isDecoder && renderChat !== undefined;
  if (!isChat && system !== undefined && chat !== 'auto')
    throw invalid('a system text was given without a chat', 'Set chat to true or auto');
  return isChat ? framed(tokenizer, renderChat, system) : tokenizer;
}

function framed(
  tokenizer: Tokenizer,
  render: NonNullable<Tokenizer['renderChat']>,
  system?: string,
): Tokenizer {
  const turns: ChatMessage[] = system === undefined ? [] : [{ role: 'system', content: system }];
  turns.push({ role: 'user', content: QUESTION });
  const asked = rendered(render, turns);
  const [front = '', back, ...more] = asked.split(QUESTION);
  if (back === undefined || more.length > 0)
    throw invalid("the chat template does not have the user's words in it once", 'Leave the option out');
  if (system !== undefined && !front.includes(system.trim()))
    throw invalid('the chat template leaves the system text out', 'Put it into the template of the head');
  // Spaces belong to the word behind them.
  const [head, space] = withoutSpaces(front);
  const [closing, gap] = withoutSpaces(back);
  const lead = gap + answerGap(render, turns, asked);
  const { encode } = tokenizer;
  const single: Frame = {
    before: encode(head),
    between: [],
    after: encodeBehind(encode, 'a', closing),
    types: { first: 0, between: 0, second: 0, after: 0 },
  };
  return {
    ...tokenizer,
    single,
    encodeFirst: (text) => (text === '' ? [] : encodeBehind(encode, head, space + text)),
    encodeAnswer: (text) =>
      text.trim() === '' ? [] : encodeBehind(encode, `a${closing}`, lead + text.trim()),
  };
}

/** Ids of a text that stands directly behind another, as far as the tokeniser leaves that one as it is. */
export function encodeBehind(encode: (text: string) => number[], front: string, text: string): number[] {
  const start = encode(front);
  const whole = encode(front + text);
  return start.every((id, index) => whole[index] === id) ? whole.slice(start.length) : encode(text);
}

/** White space that the template writes between the assistant's header and its words. */
function answerGap(
  render: NonNullable<Tokenizer['renderChat']>,
  turns: readonly ChatMessage[],
  asked: string,
): string {
  const answered = rendered(render, [...turns, { role: 'assistant', content: ANSWER }], false);
  const [gap = ''] = answered.slice(asked.length).split(ANSWER);
  return answered.startsWith(asked) && gap.trim() === '' ? gap : '';
}

function rendered(
  render: NonNullable<Tokenizer['renderChat']>,
  turns: readonly ChatMessage[],
  asks = true,
): string {
  try {
    return render(turns, asks);
  } catch (cause) {
    throw invalid(
      `the chat template refuses it (${reasonOf(cause)})`,
      'Leave the system text or the option out',
      cause,
    );
  }
}

/** A text without the spaces at its end, and those. */
function withoutSpaces(text: string): readonly [string, string] {
  const end = text.replace(/ +$/, '').length;
  return [text.slice(0, end), text.slice(end)];
}

function invalid(problem: string, remedy: string, cause?: unknown): ConfigurationError {
  return new ConfigurationError({
    packageName: PACKAGE_NAME,
    subject: 'option chat',
    problem,
    remedy,
    cause,
  });
}
