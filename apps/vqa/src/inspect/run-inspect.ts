import { nullThrows } from '@dynaprompt/core';
import {
  type AdapterOptions,
  inspectedPrompt,
  joinedPatches,
  paletteFor,
  promptedSequence,
  writeLines,
} from '@dynaprompt/runner';

import { type AnsweredQuestion, answerQuestions, type AnswerOptions } from '../predict/answer-questions.js';
import { likeliest } from '../predict/likeliest.js';
import { openVqaAdapter, type OpenVqaAdapter } from '../predict/open-vqa-adapter.js';
import { type Asked, questionsOf } from '../predict/question-source.js';
import { type Inspection, jsonInspection, plainInspection } from './format.js';

/** What `inspect` was asked for. */
export interface InspectOptions extends AdapterOptions, Asked, Omit<AnswerOptions, 'onBadSample'> {
  /** Answers whose probabilities are told. */
  readonly top: number;
  readonly json: boolean;
}

/** Shows for every question where its prompt stands, what it was made of, and the answer. */
export async function runInspect(options: InspectOptions): Promise<void> {
  const source = await questionsOf(options);
  try {
    const opened = await openVqaAdapter(options);
    const palette = paletteFor(process.stdout, process.env);
    const format = options.json
      ? jsonInspection
      : (inspection: Inspection) => `${plainInspection(inspection, palette)}\n`;
    try {
      for await (const answered of answerQuestions(opened, source, { ...options, onBadSample: 'fail' })) {
        for (const one of answered) {
          await writeLines([format(await inspectionOf(opened, one, options.top))]);
        }
      }
    } finally {
      await opened.viewer.close();
      await opened.backbone.release();
    }
  } finally {
    source.close();
  }
}

async function inspectionOf(
  { adapter, prompt, viewer }: OpenVqaAdapter,
  asked: AnsweredQuestion,
  top: number,
): Promise<Inspection> {
  const answer = nullThrows(asked.answer, 'bad questions end the command');
  const placed = prompt && inspectedPrompt(prompt, answer);
  const { pieces, beside } = await viewer.read(asked.example, adapter.head.labels.indexOf(answer.label));
  return {
    picture: asked.picture,
    question: asked.question,
    answer: likeliest(answer, top),
    prompt: placed,
    sequences: [
      joinedPatches(promptedSequence(pieces, placed)),
      ...(beside ? [joinedPatches(promptedSequence(beside, beside.isPrompted ? placed : undefined))] : []),
    ],
  };
}
