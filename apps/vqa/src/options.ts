import type { BadRowPolicy, EvaluationSplit } from '@dynaprompt/benchmarks';
import type { PromptedTowers, VqaUse } from '@dynaprompt/clip';
import { ConfigurationError } from '@dynaprompt/core';
import { type ComparisonFlags, comparisonOf, type ComparisonOptions, foldersOf } from '@dynaprompt/runner';
import type { Dtype } from '@dynaprompt/vision';

import { evaluationOf } from './data/load-data.js';
import type { HeadChoice, Mode } from './head.js';
import { packageName } from './package-name.js';

/** Answers that are chosen from by default: those that are usual for VQAv2, and as many as can be compared one by one. */
const usualAnswers: Readonly<Record<Mode, number>> = { classification: 3129, candidates: 64 };

/** Options that only questions have, whatever trains on them. */
export interface QuestionOptions extends HeadChoice {
  /** Most answers to choose from. */
  readonly answers: number;
  /** Scenes to train on; of `scenes`. */
  readonly scenes: number;
}

/** What to compare, on which questions. */
export interface VqaRunOptions extends ComparisonOptions, QuestionOptions {
  /** A folder for each task whose data is not bundled, in the order of the tasks. */
  readonly data: readonly string[];
  readonly badSamples: BadRowPolicy;
  /** Element type of the backbone's weights: which of its files is opened. */
  readonly dtype: Dtype;
}

/** Values of the options of questions, as commander hands them over. */
export interface QuestionFlags {
  readonly use: VqaUse;
  readonly prompts?: PromptedTowers;
  readonly coupling?: 'linear' | 'independent';
  readonly template?: string;
  readonly answers?: number;
  readonly scenes: number;
}

/** Values of the options of `run`. */
export interface RunFlags extends Omit<ComparisonFlags, 'evaluation' | 'head'>, QuestionFlags {
  readonly mode: Mode;
  readonly evaluation?: EvaluationSplit;
  readonly data?: string;
  readonly onBadSample: BadRowPolicy;
  readonly dtype: Dtype;
}

/** Puts the flags of `run` together. @throws ConfigurationError where they do not go together. */
export function vqaOptionsOf(flags: RunFlags): VqaRunOptions {
  const { mode, shots } = flags;
  if (shots !== undefined) {
    throw new ConfigurationError({
      packageName,
      subject: `--shots ${shots}`,
      problem: 'questions have no classes to draw examples of',
      remedy: 'Say how many questions train with --limit',
    });
  }
  const head = mode === 'candidates' ? 'candidates' : 'linear';
  const fallback = flags.task.every((task) => evaluationOf(task) === 'test') ? 'test' : 'validation';
  return {
    ...comparisonOf({ ...flags, head, evaluation: flags.evaluation ?? fallback }),
    ...questionOptionsOf(head, flags),
    data: foldersOf(flags.task, flags.data),
    badSamples: flags.onBadSample,
    dtype: flags.dtype,
  };
}

/** Those of questions, with what was left out; nothing is undefined, so that they can be sent as JSON. */
export function questionOptionsOf(head: string, flags: QuestionFlags): QuestionOptions {
  const { use, prompts = null, coupling = null, template = null, scenes } = flags;
  const { answers = usualAnswers[head === 'candidates' ? 'candidates' : 'classification'] } = flags;
  return { head, use, prompts, coupling, template, answers, scenes };
}
