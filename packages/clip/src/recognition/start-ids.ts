import type { Tokenizer } from '@dynaprompt/text';

/**
 * Ids to start prompts from: the words of a template in front of its place, `a photo of a` as in CoOp and MaPLe, then frequent words.
 */
export function startIds(
  tokenizer: Tokenizer,
  template: string,
): (count: number, offset: number) => readonly number[] {
  const [before = ''] = template.split('{');
  const front = before.trim() === '' ? [] : tokenizer.encode(before.trim());
  const words = tokenizer.wordIds();
  return (count, offset) =>
    Array.from({ length: count }, (_, index) => {
      const row = offset + index;
      return front[row] ?? words[(row - front.length) % words.length] ?? 0;
    });
}
