import { nullThrows, type PromptConfiguration } from '@dynaprompt/core';

import { TrainingStoppedError } from '../errors.js';
import type { UnsignedEvent } from '../events.js';
import { FeatureCache, type FeatureKind } from '../features/features.js';
import { FineTuningLearner } from './fine-tuning-learner.js';
import { type GradientExchange, requireExchangeable } from './gradient-exchange.js';
import type { InitialState } from './initial-state.js';
import type { Learner } from './learner.js';
import type { ResolvedMethod } from './method.js';
import type { TaskData } from './options.js';
import { ProbeLearner } from './probe-learner.js';
import { openPrompt, PromptLearner, readsFeatures } from './prompt-learner.js';
import { readoutOf } from './readout.js';
import { ZeroShotLearner } from './zero-shot-learner.js';

/** A task and the training examples that a run will use. */
export interface UsedTask<Example> extends TaskData<Example> {
  readonly used: readonly Example[];
}

export interface OpenLearnersOptions<Example> {
  /** At least one. */
  readonly tasks: readonly UsedTask<Example>[];
  readonly method: ResolvedMethod;
  readonly seed: number;
  /** Standardisation and given prompt of this are used; its values are not written yet. */
  readonly initial?: InitialState | undefined;
  readonly exchange?: GradientExchange | undefined;
  readonly tell: (event: UnsignedEvent) => void;
  readonly signal?: AbortSignal | undefined;
}

/** Computes the features that the method reads, and makes its learners, one for every task. */
export async function openLearners<Example>(
  options: OpenLearnersOptions<Example>,
): Promise<readonly Learner<Example>[]> {
  const { method, tasks, exchange } = options;
  if (exchange !== undefined) requireExchangeable(method);
  if (method.kind === 'prompt') return openPromptLearners(options, method.configuration);
  const learners: Learner<Example>[] = [];
  for (const task of tasks) learners.push(await openBaseline(options, task));
  return learners;
}

/** One prompt for all tasks, with a head for each. */
async function openPromptLearners<Example>(
  options: OpenLearnersOptions<Example>,
  configuration: PromptConfiguration,
): Promise<readonly Learner<Example>[]> {
  const { tasks, seed } = options;
  const opened = tasks.map((task) => ({ task, features: featuresOf(options, task) }));
  if (readsFeatures(configuration)) {
    for (const { task, features } of opened) await prepare(options, task, features, 'features');
  }
  const first = nullThrows(tasks[0], 'a run has a task');
  const several = tasks.length > 1;
  const prompt = await openPrompt({
    backbone: first.backbone,
    configuration: several ? { ...configuration, tasks: tasks.length } : configuration,
    seed,
    initial: options.initial,
    features: async () =>
      joined(await Promise.all(opened.map(({ task, features }) => features.read('features', task.used)))),
  });
  return opened.map(({ task: { backbone }, features }, index) => {
    const { exchange } = options;
    return new PromptLearner({
      backbone,
      features,
      prompt,
      seed,
      exchange,
      ...(several ? { task: index } : {}),
    });
  });
}

async function openBaseline<Example>(
  options: OpenLearnersOptions<Example>,
  task: UsedTask<Example>,
): Promise<Learner<Example>> {
  const { method, seed } = options;
  const { backbone } = task;
  if (method.kind === 'fine-tuning') return FineTuningLearner.open(backbone, seed);
  if (method.kind === 'frozen' && backbone.initialHead(seed).size === 0) return new ZeroShotLearner(backbone);
  const features = featuresOf(options, task);
  const probe = new ProbeLearner(backbone, features, seed);
  await prepare(options, task, features, 'pooled', readoutOf(backbone).inputsOf);
  return probe;
}

function featuresOf<Example>(
  { tell }: OpenLearnersOptions<Example>,
  { backbone, features }: UsedTask<Example>,
): FeatureCache<Example> {
  const warn = (message: string): void => {
    tell({ type: 'notice', message });
  };
  return features ?? new FeatureCache(backbone, { warn });
}

async function prepare<Example>(
  { tell, signal }: OpenLearnersOptions<Example>,
  { used, validation }: UsedTask<Example>,
  features: FeatureCache<Example>,
  kind: FeatureKind,
  inputsOf: (examples: readonly Example[]) => readonly Example[] = (examples) => examples,
): Promise<void> {
  const examples = inputsOf([...used, ...validation.map(({ example }) => example)]);
  const progress = ({ done, total }: { done: number; total: number }): void => {
    tell({ type: 'features', done, total });
  };
  try {
    await features.prepare(kind, examples, { progress, signal });
  } catch (error) {
    if (signal?.aborted === true) throw new TrainingStoppedError(0, signal.reason);
    throw error;
  }
}

function joined(parts: readonly Float32Array[]): Float32Array {
  const [only] = parts;
  if (only !== undefined && parts.length === 1) return only;
  const all = new Float32Array(parts.reduce((sum, { length }) => sum + length, 0));
  let offset = 0;
  for (const part of parts) {
    all.set(part, offset);
    offset += part.length;
  }
  return all;
}
