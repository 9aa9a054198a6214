import type { LabelledDataset, TaskDefinition } from '@dynaprompt/benchmarks';
import { ConfigurationError } from '@dynaprompt/core';
import type { HeadKind } from '@dynaprompt/runner';
import type { HeadOptions } from '@dynaprompt/text';

import { packageName } from './package-name.js';

/** Kinds of heads: a trainable linear layer, or the model's own words at a mask. */
export const textHeads = ['linear', 'verbalizer'] as const;

/** Kinds of heads of `@dynaprompt/text` that a task takes, by what `--head` asks for; absent where there is none. */
export function headKindsOf({
  answer = 'class',
  prompt,
}: Pick<TaskDefinition, 'answer' | 'prompt'>): Readonly<
  Partial<Record<(typeof textHeads)[number], HeadOptions['kind']>>
> {
  if (answer === 'number') return { linear: 'regression' };
  if (answer === 'candidate') return { linear: 'candidates', ...(prompt && { verbalizer: 'choices' }) };
  return { linear: 'linear', ...(prompt && { verbalizer: 'verbalizer' }) };
}

/** The head of a task. @throws ConfigurationError where a task has no wording for the model's own language head. */
export function headOf(kind: HeadKind, data: LabelledDataset): HeadOptions {
  const asked = kind === 'linear' ? 'linear' : 'verbalizer';
  const classes = data.answer === 'candidate' ? mostCandidates(data) : data.labels.length;
  switch (headKindsOf(data)[asked]) {
    case 'linear':
      return { kind: 'linear', classes };
    case 'regression':
      return { kind: 'regression', range: data.range ?? rangeOf(data) };
    case 'candidates':
      return { kind: 'candidates', classes };
    case 'verbalizer':
      if (data.prompt !== undefined) return { kind: 'verbalizer', ...data.prompt };
      break;
    case 'choices':
      if (data.prompt !== undefined) return { kind: 'choices', template: data.prompt.template, classes };
      break;
    case undefined:
  }
  throw new ConfigurationError({
    packageName,
    subject: `--head ${kind} for task ${data.name}`,
    problem: data.answer === 'number' ? 'no word is a number' : 'the task has no wording for its classes',
    remedy: 'Use --head linear',
  });
}

/** Candidates of the example that has the most; two at least, as a head wants them. */
function mostCandidates({ train, validation }: LabelledDataset): number {
  return [...train, ...validation].reduce(
    (most, { candidates }) => Math.max(most, candidates?.length ?? 0),
    2,
  );
}

/** Lowest and highest answer of the training examples. */
function rangeOf({ train }: LabelledDataset): readonly [number, number] {
  const targets = train.flatMap(({ target }) => target ?? []);
  return [
    targets.reduce((lowest, target) => Math.min(lowest, target), Infinity),
    targets.reduce((highest, target) => Math.max(highest, target), -Infinity),
  ];
}
