import { openLines, writeLines } from '@dynaprompt/runner';

import { application } from '../application.js';
import { answerLines, type LineOptions } from './answer-lines.js';
import { jsonAnswer, plainAnswer } from './format.js';
import { openTextAdapter, type TextAdapterOptions } from './open-text-adapter.js';

/** What `predict` was asked for. */
export interface PredictOptions extends TextAdapterOptions, LineOptions {
  /** Default: standard input. */
  readonly file: string | undefined;
  readonly json: boolean;
}

/** Problems that are named at the end; of further ones there is the number. */
const namedProblems = 3;

/** Classifies the lines of a file or of standard input, and writes each answer as soon as there is one. */
export async function runPredict(options: PredictOptions): Promise<void> {
  const source = await openLines(options.file, 'text');
  try {
    if (source.isTerminal)
      process.stderr.write(`${application.program}: reads texts, one a line; Ctrl-D ends them\n`);
    const opened = await openTextAdapter(options);
    const format = options.json ? jsonAnswer : plainAnswer;
    const problems: string[] = [];
    let bad = 0;
    try {
      for await (const answered of answerLines(opened, source, options)) {
        await writeLines(answered.map(format));
        for (const { line, problem } of answered) {
          if (problem === undefined) continue;
          if (bad++ < namedProblems) problems.push(`line ${line.number}: ${problem}`);
        }
      }
    } finally {
      await opened.backbone.release();
    }
    if (bad > 0) {
      const named = bad > problems.length ? [...problems, '…'] : problems;
      process.stderr.write(
        `${application.program}: bad lines of ${source.name}: ${bad} (${named.join('; ')})\n`,
      );
    }
  } finally {
    source.close();
  }
}
