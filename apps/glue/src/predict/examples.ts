import { taskNamed, tasks } from '@dynaprompt/benchmarks';
import { ConfigurationError, DataError, type FrozenBackbone } from '@dynaprompt/core';
import type { TextLine } from '@dynaprompt/runner';
import type { TextExample } from '@dynaprompt/text';
import type { Adapter } from '@dynaprompt/training';

import { packageName } from '../package-name.js';

/** A line that can be answered, or why it cannot. */
export type Reading =
  | { readonly line: TextLine; readonly example: TextExample; readonly problem?: undefined }
  | { readonly line: TextLine; readonly example?: undefined; readonly problem: string };

/**
 * What separates the two texts of a line, or a text and its candidates; undefined where a line is one text.
 *
 * @param wanted by the user. Of tasks that are not known by name it tells that they are about pairs.
 * @throws ConfigurationError when a separator is given for a task on single texts.
 */
export function separatorOf(
  { task, head }: Pick<Adapter, 'task' | 'head'>,
  wanted: string | undefined,
): string | undefined {
  if (head.kind === 'candidates' || head.kind === 'choices') return wanted ?? '\t';
  const { template } = head.options;
  const asks = typeof template === 'string' ? template.includes('{pair}') : undefined;
  const isPair = asks ?? takesPairs(task.name) ?? wanted !== undefined;
  if (isPair) return wanted ?? '\t';
  if (wanted === undefined) return undefined;
  throw new ConfigurationError({
    packageName,
    subject: '--pair-separator',
    problem: `the adapter was tuned for ${task.name}, a task on single texts`,
    remedy: 'Leave it out, or name an adapter of a task on pairs',
  });
}

/** Whether a task is about pairs; undefined where it is not known, or its columns are the user's. */
function takesPairs(name: string): boolean | undefined {
  if (!tasks.some((task) => task.name === name)) return undefined;
  const { prompt, layout } = taskNamed(name);
  if (prompt !== undefined) return prompt.template.includes('{pair}');
  return layout.columns === undefined ? undefined : layout.columns.pair !== undefined;
}

/**
 * Makes examples of lines, and finds those that cannot be answered.
 * @param isChoice what follows the text of a line are candidates, not the second text of a pair.
 */
export function lineReader(
  source: string,
  separator: string | undefined,
  backbone: Pick<FrozenBackbone<TextExample>, 'lengthOf' | 'candidatesOf'>,
  isChoice = false,
): (line: TextLine) => Reading {
  return (line) => {
    const { number, text } = line;
    const parts = separator === undefined ? [text] : text.split(separator);
    const problem = line.problem ?? (isChoice ? candidateProblem(parts) : problemOf(parts, separator));
    if (problem !== undefined) return { line, problem };
    const [first = '', ...others] = parts;
    const example = exampleOf(`${source} line ${number}`, first, others, isChoice);
    try {
      backbone.lengthOf(example);
      backbone.candidatesOf?.(example);
      return { line, example };
    } catch (error) {
      if (error instanceof DataError) return { line, problem: error.problem };
      throw error;
    }
  };
}

function exampleOf(id: string, text: string, others: readonly string[], isChoice: boolean): TextExample {
  if (isChoice) return { id, text, choices: others };
  const [pair] = others;
  return pair === undefined ? { id, text } : { id, text, pair };
}

function candidateProblem([text = '', ...candidates]: readonly string[]): string | undefined {
  if (text.trim() === '') return 'it is empty';
  if (candidates.length === 0) return 'no candidates follow its text';
  return candidates.some((candidate) => candidate.trim() === '')
    ? 'one of its candidates is empty'
    : undefined;
}

function problemOf(parts: readonly string[], separator: string | undefined): string | undefined {
  if (parts.every((part) => part.trim() === '')) return 'it is empty';
  if (separator === undefined) return undefined;
  if (parts.length !== 2)
    return `it has ${parts.length - 1} separators ${JSON.stringify(separator)} where a pair has 1`;
  return parts.some((part) => part.trim() === '') ? 'one text of the pair is empty' : undefined;
}
