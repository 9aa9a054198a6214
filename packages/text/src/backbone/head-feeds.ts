import { candidateFeeds, placeOf, type PromptedBatch } from '@dynaprompt/backbone';
import { float32, type TensorValue } from '@dynaprompt/onnx-autodiff';
import type { Tokenizer } from '../tokenization/tokenizer.js';
import { answerFeeds, decoderIds, type Answer } from './answers.js';
import { lastSlot } from './batch.js';
import type { Question } from './encode-examples.js';
import { isTrained, type Head } from './head.js';
import { INPUT } from './names.js';
import type { TextModel } from './text-model.js';

/**
 * What a head takes besides the rows of the batch: answers to score, and what a decoder of its own reads.
 * @param isHeadless the graph needs its inputs, and no one will read what comes out.
 */
export function headFeeds(
  { kind }: TextModel,
  head: Head,
  startToken: number,
  { single }: Tokenizer,
  batch: PromptedBatch,
  questions: readonly Question[],
  isHeadless: boolean,
): Record<string, TensorValue> {
  if (head.kind === 'candidates') {
    const counts = questions.map(({ rows }) => (isHeadless ? 1 : rows.length));
    return candidateFeeds(counts, head.classes);
  }
  if (isTrained(head)) return {};
  const given = questions.flatMap(({ answers }) => answers);
  const answers: readonly Answer[] = isHeadless ? given.map(() => undefined) : given;
  if (kind === 'decoder') {
    if (head.kind !== 'scored') return {};
    const scored = isHeadless ? questions.map(() => undefined) : answers;
    return { ...answerFeeds(scored, 0, head.score), [INPUT.answerRows]: answerRows(batch, scored) };
  }
  if (kind === 'encoder') return {};
  // What a target begins with, such as BART's <s>, is said before the answer.
  const prefix = [startToken, ...single.before];
  if (head.kind === 'verbalizer') {
    return {
      [INPUT.decoderIds]: decoderIds(
        prefix,
        questions.map(() => undefined),
      ),
    };
  }
  return {
    ...answerFeeds(answers, prefix.length - 1, head.score),
    [INPUT.decoderIds]: decoderIds(prefix, answers),
  };
}

/** [R, S, T] with a 1 where token s of an answer is predicted: at the token in front of it. */
function answerRows(batch: PromptedBatch, answers: readonly Answer[]): TensorValue {
  const { layouts, shape } = batch;
  const length = Math.max(1, ...answers.map((answer) => answer?.length ?? 0));
  const rows = new Float32Array(answers.length * length * shape.total);
  layouts.forEach((layout, row) => {
    const count = answers[row]?.length ?? 0;
    const last = lastSlot(layout, Math.max(0, count - 1));
    for (let token = 0; token < count; token++)
      rows[(row * length + token) * shape.total + placeOf(batch, row, last + token)] = 1;
  });
  return float32(rows, [answers.length, length, shape.total]);
}
