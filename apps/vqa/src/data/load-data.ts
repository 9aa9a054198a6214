import {
  answerVocabulary,
  type AnswerVocabulary,
  type BadRowPolicy,
  type EvaluationSplit,
  type LoadVqaOptions,
  loadVqa,
  type VqaDataset,
  type VqaExample,
  type VqaFacts,
} from '@dynaprompt/benchmarks';
import { ConfigurationError, type DataError } from '@dynaprompt/core';
import { type TaskFolder, usableExamples } from '@dynaprompt/runner';
import { pictureProblem } from '@dynaprompt/vision';

import { packageName } from '../package-name.js';
import { scenesFolder } from './scenes.js';
import { isBundled, taskNamed, taskNotes } from './tasks.js';

/** What of a data set is loaded. */
export interface DataOptions {
  /** Most answers to choose from. */
  readonly answers: number;
  readonly limit: number | undefined;
  readonly validationLimit: number | undefined;
  /** Draws the scenes, or the questions that are kept. */
  readonly dataSeed: number;
  /** Split that scores are taken on; absent: {@link evaluationOf} of the task. */
  readonly evaluation: EvaluationSplit | undefined;
  readonly badSamples: BadRowPolicy;
  /** Scenes to train on. */
  readonly scenes: number;
}

/** Questions to train on and questions to score, with the answers that are chosen from. */
export interface QuestionSet extends VqaFacts {
  readonly train: readonly VqaExample[];
  readonly validation: readonly VqaExample[];
  readonly vocabulary: AnswerVocabulary;
}

/** Where scores are taken by default: mini-clip has seen the drawings of all scenes but those of the test split. */
export function evaluationOf(task: string): EvaluationSplit {
  return isBundled(task) ? 'test' : 'validation';
}

/**
 * Loads a data set, with the split that is scored as `validation`.
 *
 * @throws ConfigurationError where options do not go together, or there is no such split.
 * @throws DataError naming the first bad question or picture, unless those are skipped.
 */
export async function loadData(
  { name, folder }: TaskFolder,
  options: DataOptions,
  signal?: AbortSignal,
): Promise<QuestionSet> {
  const { answers, badSamples, limit, validationLimit, dataSeed } = options;
  const known = taskNamed(name);
  if (isBundled(name) && folder !== undefined)
    throw unusable(`--data ${folder}`, 'scenes are drawn, they have no folder', 'Leave it out');
  const evaluation = options.evaluation ?? evaluationOf(name);
  const place = isBundled(name) ? await scenesFolder(options.scenes, dataSeed) : folder;
  const loaded = await loadVqa(known, place, {
    seed: dataSeed,
    badRows: badSamples,
    ...(limit !== undefined && { limit }),
    ...limitsOf(evaluation, validationLimit),
  });
  const { train, faults, ...facts } = loaded;
  const scored = { train, faults, validation: scoredOf(loaded, evaluation) };
  const usable = await usableExamples(scored, rememberedProblem(), badSamples, signal);
  const { measure } = facts;
  const source = isBundled(name) ? `scenes of OpenMoji drawings, seed ${dataSeed}` : facts.source;
  return {
    ...facts,
    ...usable,
    name: taskNotes.find((note) => taskNamed(note.name) === known)?.name ?? known,
    source,
    vocabulary: answerVocabulary(usable.train, { measure, size: answers, seed: dataSeed }),
  };
}

/** Of the split that is not scored, one question is enough. */
function limitsOf(
  evaluation: EvaluationSplit,
  limit: number | undefined,
): Pick<LoadVqaOptions, 'validationLimit' | 'testLimit'> {
  return evaluation === 'validation'
    ? { testLimit: 1, ...(limit !== undefined && { validationLimit: limit }) }
    : { validationLimit: 1, ...(limit !== undefined && { testLimit: limit }) };
}

function scoredOf(
  { name, validation, test }: VqaDataset,
  evaluation: EvaluationSplit,
): readonly VqaExample[] {
  if (evaluation === 'validation') return validation;
  if (test === undefined)
    throw unusable('--evaluation test', `${name} has no test split`, 'Use --evaluation validation');
  if (test.some(({ answers }) => answers.length === 0)) {
    const problem = `the answers of ${name}'s test split are not published`;
    throw unusable('--evaluation test', problem, 'Use --evaluation validation');
  }
  return test;
}

/** Looks at a file once, however many questions there are about it. */
function rememberedProblem(): (example: VqaExample) => Promise<DataError | undefined> {
  const known = new Map<string, Promise<DataError | undefined>>();
  return (example) => {
    if (example.image.kind !== 'file') return pictureProblem(example);
    const { path } = example.image;
    const problem = known.get(path) ?? pictureProblem({ id: path, image: example.image });
    known.set(path, problem);
    return problem;
  };
}

function unusable(subject: string, problem: string, remedy: string): ConfigurationError {
  return new ConfigurationError({ packageName, subject, problem, remedy });
}
