import { type AdapterOptions, probabilitiesOf, writeLines } from '@dynaprompt/runner';

import { application } from '../application.js';
import { type AnsweredPicture, answerPictures, type PictureOptions } from './answer-pictures.js';
import { openImageAdapter } from './open-image-adapter.js';
import { picturesOf } from './picture-source.js';

/** What `predict` was asked for. */
export interface PredictOptions extends AdapterOptions, PictureOptions {
  /** Paths; standard input has them where there are none. */
  readonly pictures: readonly string[];
  readonly json: boolean;
}

/** Problems that are named at the end; of further ones there is the number. */
const namedProblems = 3;

/** Classifies pictures, and writes each answer as soon as there is one. */
export async function runPredict(options: PredictOptions): Promise<void> {
  const source = await picturesOf(options.pictures);
  try {
    const opened = await openImageAdapter(options);
    const problems: string[] = [];
    try {
      for await (const answered of answerPictures(opened, source, options)) {
        await writeLines(answered.map(options.json ? jsonAnswer : plainAnswer));
        problems.push(
          ...answered.flatMap(({ example, problem }) =>
            problem === undefined ? [] : [`${example.id}: ${problem}`],
          ),
        );
      }
    } finally {
      await opened.backbone.release();
    }
    if (problems.length > 0) {
      const named = [...problems.slice(0, namedProblems), ...(problems.length > namedProblems ? ['…'] : [])];
      process.stderr.write(
        `${application.program}: bad pictures: ${problems.length} (${named.join('; ')})\n`,
      );
    }
  } finally {
    source.close();
  }
}

/** `label<TAB>probability<TAB>path`; nothing for a bad picture. */
function plainAnswer({ example, answer }: AnsweredPicture): string {
  return answer === undefined ? '' : `${answer.label}\t${answer.probability.toFixed(4)}\t${example.id}`;
}

/** One JSON object; that of a bad picture has no label, and says what is wrong. */
function jsonAnswer({ example, answer, problem }: AnsweredPicture): string {
  const picture = example.id;
  return JSON.stringify(
    answer === undefined
      ? { picture, label: null, probabilities: null, error: problem }
      : { picture, ...probabilitiesOf(answer) },
  );
}
