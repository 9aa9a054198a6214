import {
  type Answer,
  answerOf,
  answerText,
  classifier,
  predictor,
  probabilitiesOf,
  type PromptChoice,
} from '@dynaprompt/runner';
import type { TextExample } from '@dynaprompt/text';

import type { OpenTextAdapter } from './open-text-adapter.js';

/** A number as the answer, in the units of the data. */
export interface NumberAnswer {
  readonly number: number;
  /** What the prompt decided; absent without one. */
  readonly choice: PromptChoice | undefined;
}

/** A class or one of the example's candidates, or a number. */
export type TextAnswer = Answer | NumberAnswer;

/** Answers examples as the head of an adapter does, a batch at a time and in order. @throws ModelError when a logit is not finite. */
export function answererOf(
  opened: Pick<OpenTextAdapter, 'adapter' | 'backbone' | 'prompt'>,
): (examples: readonly TextExample[]) => Promise<readonly TextAnswer[]> {
  const predict = predictor(opened);
  if (opened.backbone.range !== undefined) {
    return async (examples) =>
      (await predict(examples)).map(({ logits: [number = NaN], choice }) => ({ number, choice }));
  }
  if (!answersCandidates(opened.adapter)) return classifier(opened);
  return async (examples) => {
    const predictions = await predict(examples);
    return predictions.map((prediction, index) => answerOf(examples[index]?.choices ?? [], prediction));
  };
}

/** Whether the answer of an adapter is one of the example's own candidates. */
export function answersCandidates({ head }: Pick<OpenTextAdapter['adapter'], 'head'>): boolean {
  return head.kind === 'candidates' || head.kind === 'choices';
}

/** `label<TAB>probability`, or the number alone. */
export function answerColumns(answer: TextAnswer): string {
  return isNumber(answer) ? answer.number.toFixed(4) : `${answer.label}\t${answer.probability.toFixed(4)}`;
}

/** An answer as JSON has it. */
export function answerFields(answer: TextAnswer): Readonly<Record<string, unknown>> {
  return isNumber(answer) ? { number: answer.number } : probabilitiesOf(answer);
}

/** An answer for people. */
export function answerWords(answer: TextAnswer, strong: (text: string) => string): string {
  return isNumber(answer) ? strong(answer.number.toFixed(4)) : answerText(answer, strong);
}

function isNumber(answer: TextAnswer): answer is NumberAnswer {
  return 'number' in answer;
}
