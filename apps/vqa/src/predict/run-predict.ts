import { type AdapterOptions, probabilitiesOf, writeLines } from '@dynaprompt/runner';

import { application } from '../application.js';
import { type AnsweredQuestion, answerQuestions, type AnswerOptions } from './answer-questions.js';
import { likeliest } from './likeliest.js';
import { openVqaAdapter } from './open-vqa-adapter.js';
import { type Asked, questionsOf } from './question-source.js';

/** What `predict` was asked for. */
export interface PredictOptions extends AdapterOptions, AnswerOptions, Asked {
  /** Answers whose probabilities are told, with `json`. */
  readonly top: number;
  readonly json: boolean;
}

/** Problems that are named at the end; of further ones there is the number. */
const namedProblems = 3;

/** Answers questions about pictures, and writes each answer as soon as there is one. */
export async function runPredict(options: PredictOptions): Promise<void> {
  const source = await questionsOf(options);
  try {
    const opened = await openVqaAdapter(options);
    const problems: string[] = [];
    const format = (answered: AnsweredQuestion): string =>
      options.json ? jsonAnswer(answered, options.top) : plainAnswer(answered);
    try {
      for await (const answered of answerQuestions(opened, source, options)) {
        await writeLines(answered.map(format));
        for (const { picture, problem } of answered) {
          if (problem !== undefined) problems.push(`${picture}: ${problem}`);
        }
      }
    } finally {
      await opened.backbone.release();
    }
    if (problems.length > 0) {
      const named = [...problems.slice(0, namedProblems), ...(problems.length > namedProblems ? ['…'] : [])];
      process.stderr.write(
        `${application.program}: bad questions: ${problems.length} (${named.join('; ')})\n`,
      );
    }
  } finally {
    source.close();
  }
}

/** `answer<TAB>probability<TAB>picture<TAB>question`; nothing for a bad one. */
function plainAnswer({ picture, question, answer }: AnsweredQuestion): string {
  return answer === undefined
    ? ''
    : [answer.label, answer.probability.toFixed(4), picture, question].join('\t');
}

/** One JSON object; that of a bad question has no label, and says what is wrong. */
function jsonAnswer({ picture, question, answer, problem }: AnsweredQuestion, top: number): string {
  return JSON.stringify(
    answer === undefined
      ? { picture, question, label: null, probabilities: null, error: problem }
      : { picture, question, ...probabilitiesOf(likeliest(answer, top)) },
  );
}
