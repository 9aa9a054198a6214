import type { PlanGradient, PromptPlan } from '@dynaprompt/core';
import { float32, int64, type TensorValue } from '@dynaprompt/onnx-autodiff';
import type { EncodedExample } from '../tokenization/encode.js';
import { INPUT } from './names.js';

/** An answer's tokens; undefined where an example has fewer than there are classes. */
export type Answer = readonly number[] | undefined;

/** Score of an answer that is not there: its probability is 0. */
const IMPOSSIBLE = -1e9;

/** The example with an answer behind it; the answer's last token is predicted and never read. */
export function withAnswer(example: EncodedExample, answer: Answer): EncodedExample {
  const read = answer?.slice(0, -1) ?? [];
  return {
    ...example,
    ids: [...example.ids, ...read],
    types: [...example.types, ...read.map(() => 0)],
    layout: { ...example.layout, after: read.length },
  };
}

/** Tokens, weights and biases of answers as graph inputs; answer s stands at column `start` + s. */
export function answerFeeds(answers: readonly Answer[], start: number): Record<string, TensorValue> {
  const length = start + longestOf(answers);
  const tokens = new Int32Array(answers.length * length);
  const weights = new Float32Array(answers.length * length);
  answers.forEach((answer = [], row) => {
    tokens.set(answer, row * length + start);
    weights.fill(1, row * length + start, row * length + start + answer.length);
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

/** A plan with every example's row `times` in a row. */
export function repeatPlan(plan: PromptPlan | undefined, times: number): PromptPlan | undefined {
  if (!plan || times === 1) return plan;
  const { batch, position, deep, gates } = plan;
  const repeat = (values: Float32Array): Float32Array => {
    const size = values.length / batch;
    return Float32Array.from({ length: values.length * times }, (_, index) => {
      const example = Math.floor(index / (size * times));
      return values[example * size + (index % size)] ?? 0;
    });
  };
  return {
    ...plan,
    batch: batch * times,
    prompts: repeat(plan.prompts),
    position: { ...position, choice: Int32Array.from(repeat(Float32Array.from(position.choice))) },
    gates: gates && repeat(gates),
    ...(deep ? { deep: { ...deep, prompts: repeat(deep.prompts) } } : {}),
  };
}

/** The gradient of a plan from that of its repetition: rows of one example are summed. */
export function sumRepeated(gradient: PlanGradient, batch: number, times: number): PlanGradient {
  if (times === 1) return gradient;
  const sum = (values: Float32Array): Float32Array => {
    const size = values.length / (batch * times);
    return Float32Array.from({ length: batch * size }, (_, index) => {
      const start = Math.floor(index / size) * size * times + (index % size);
      let total = 0;
      for (let time = 0; time < times; time++) total += values[start + time * size] ?? 0;
      return total;
    });
  };
  return {
    prompts: sum(gradient.prompts),
    position: gradient.position && sum(gradient.position),
    gates: gradient.gates && sum(gradient.gates),
    deep: gradient.deep && sum(gradient.deep),
  };
}
