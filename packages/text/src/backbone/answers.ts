import { IMPOSSIBLE } from '@dynaprompt/backbone';
import { float32, int64, type TensorValue } from '@dynaprompt/onnx-autodiff';
import type { EncodedExample } from '../tokenization/encode.js';
import type { AnswerScore } from './head.js';
import { INPUT } from './names.js';

/** An answer's tokens; undefined where an example has fewer than there are classes. */
export type Answer = readonly number[] | undefined;

/** The example with an answer behind it; the answer's last token is predicted and never read. */
export function withAnswer(example: EncodedExample, answer: Answer): EncodedExample {
  const read = answer?.slice(0, -1) ?? [];
  return {
    ...example,
    ids: [...example.ids, ...read],
    types: [...example.types, ...read.map(() => 0)],
    layout: { ...example.layout, after: example.layout.after + read.length },
    answered: read.length,
  };
}

/**
 * Tokens, weights and biases of answers as graph inputs; answer s stands at column `start` + s.
 * @param score what the log-likelihoods of an answer's tokens are taken together by.
 */
export function answerFeeds(
  answers: readonly Answer[],
  start: number,
  score: AnswerScore = 'sum',
): Record<string, TensorValue> {
  const length = start + longestOf(answers);
  const tokens = new Int32Array(answers.length * length);
  const weights = new Float32Array(answers.length * length);
  answers.forEach((answer = [], row) => {
    tokens.set(answer, row * length + start);
    const share = score === 'mean' ? 1 / Math.max(1, answer.length) : 1;
    weights.fill(share, row * length + start, row * length + start + answer.length);
  });
  const dims = [answers.length, length];
  const bias = Float32Array.from(answers, (answer) => (answer ? 0 : IMPOSSIBLE));
  return {
    [INPUT.answerTokens]: int64(tokens, dims),
    [INPUT.answerWeights]: float32(weights, dims),
    [INPUT.answerBias]: float32(bias, [answers.length]),
  };
}

/** What a decoder of its own reads in front of and within answers: `prefix`, then the answer but for its last token, [R, S]. */
export function decoderIds(prefix: readonly number[], answers: readonly Answer[]): TensorValue {
  const length = prefix.length - 1 + longestOf(answers);
  const ids = new Int32Array(answers.length * length);
  answers.forEach((answer = [], row) => {
    ids.set([...prefix, ...answer.slice(0, -1)], row * length);
  });
  return int64(ids, [answers.length, length]);
}

function longestOf(answers: readonly Answer[]): number {
  return Math.max(1, ...answers.map((answer) => answer?.length ?? 0));
}
