import {
  ConfigurationError,
  type FeatureStatistics,
  type FrozenBackbone,
  type OptimiserState,
  type ParameterSet,
  type PromptConfiguration,
} from '@dynaprompt/core';

import { packageName } from '../package-name.js';
import type { MultitaskParameters, MultitaskResult } from '../training/train-multitask.js';
import type { TrainingResult, TunedParameters } from '../training/train-prompt.js';

/** The frozen model that an adapter belongs to. */
export interface AdapterBackbone {
  readonly name: string;
  readonly family: string;
  /** Content hash of the model's files. */
  readonly revision: string;
  /** Commit of the Hugging Face repository; absent for a local folder. */
  readonly commit?: string | undefined;
  readonly dtype: string;
  /** d */
  readonly width: number;
  /** Layers whose input can take prompts of their own. */
  readonly layers: number;
}

/** How classes are read off. */
export interface AdapterHead {
  /** As the backbone's package names it, e.g. `linear` or `verbalizer`. */
  readonly kind: string;
  readonly classes: number;
  /** Name of every class in label order; empty where classes have none. */
  readonly labels: readonly string[];
  /** Further options with which backbone and head have to be opened again, plain JSON. */
  readonly options: Readonly<Record<string, unknown>>;
}

/** What an adapter was tuned for. */
export interface AdapterTask {
  readonly name: string;
  readonly metric: string;
  /** Index among the tasks that share the prompt, which plans have to name; absent where it is the only one. */
  readonly index?: number | undefined;
}

/** A tuned prompt, or a tuned head alone, with all that is needed to use it and to train it further. */
export interface Adapter {
  /** Name of the method that was trained. */
  readonly method: string;
  /** Absent where no prompt was trained. */
  readonly configuration: PromptConfiguration | undefined;
  readonly seed: number;
  /** Optimiser steps that were taken. */
  readonly steps: number;
  readonly backbone: AdapterBackbone;
  readonly head: AdapterHead;
  readonly task: AdapterTask;
  readonly parameters: {
    /** Prompt and networks; empty without a prompt. */
    readonly prompt: ParameterSet;
    /** Empty for a head without parameters. */
    readonly head: ParameterSet;
  };
  /** Standardisation that the prompt's networks expect; absent where they read no features. */
  readonly featureStatistics: FeatureStatistics | undefined;
  /** What the optimiser remembers; absent where it was not kept. */
  readonly optimiser: OptimiserState | undefined;
  /** Versions of what took part. */
  readonly versions: Readonly<Record<string, string>>;
}

/** What a training result does not say about itself. */
export interface AdapterContext {
  readonly backbone: Pick<FrozenBackbone<unknown>, 'description' | 'width' | 'classes'>;
  readonly head: Partial<AdapterHead> & Pick<AdapterHead, 'kind'>;
  readonly task: AdapterTask;
  readonly versions?: Readonly<Record<string, string>>;
  /** Parameters after the last step (default), or at the best validation score. */
  readonly keep?: 'final' | 'best';
  /** Keep what the optimiser remembers, to train on as if there had been no pause; with `final` parameters only. */
  readonly optimiser?: boolean;
}

/** The adapter that a training run made. @throws ConfigurationError when the run trained the backbone's own weights. */
export function adapterOf(
  result: Pick<
    TrainingResult,
    | 'method'
    | 'configuration'
    | 'seed'
    | 'steps'
    | 'bestStep'
    | 'parameters'
    | 'bestParameters'
    | 'featureStatistics'
    | 'optimiser'
  >,
  context: AdapterContext,
): Adapter {
  const { backbone, head, task, versions = {}, keep = 'final', optimiser = false } = context;
  const parameters = keep === 'best' ? result.bestParameters : result.parameters;
  if (parameters.weights.size > 0) {
    throw new ConfigurationError({
      packageName,
      subject: `method ${result.method}`,
      problem: "it trained the backbone's own weights, which are no adapter",
      remedy: 'Save adapters of methods that leave the backbone frozen',
    });
  }
  return {
    method: result.method,
    configuration: result.configuration,
    seed: result.seed,
    steps: keep === 'best' ? result.bestStep : result.steps,
    backbone: backboneOf(backbone),
    head: { labels: [], options: {}, ...head, classes: backbone.classes },
    task,
    parameters: { prompt: parameters.prompt, head: parameters.head },
    featureStatistics: result.featureStatistics,
    optimiser: optimiser && keep === 'final' ? result.optimiser : undefined,
    versions: { node: process.version, ...versions },
  };
}

/**
 * The adapter of one task of several: the shared prompt with the head of that task. What the optimiser remembers belongs to all
 * tasks together and is not kept.
 *
 * @param index of the task among those that were trained.
 */
export function adapterOfTask(
  result: MultitaskResult,
  index: number,
  context: Omit<AdapterContext, 'optimiser'>,
): Adapter {
  const { configuration, tasks } = result;
  const several = tasks.length > 1;
  const of = ({ prompt, heads }: MultitaskParameters): TunedParameters => ({
    prompt,
    head: heads.get(tasks[index]?.name ?? '') ?? new Map<string, never>(),
    weights: new Map(),
  });
  return adapterOf(
    {
      ...result,
      configuration: several && configuration ? { ...configuration, tasks: tasks.length } : configuration,
      parameters: of(result.parameters),
      bestParameters: of(result.bestParameters),
    },
    { ...context, task: { ...context.task, ...(several && configuration ? { index } : {}) } },
  );
}

/** What an adapter keeps of a backbone. */
export function backboneOf({ description, width }: AdapterContext['backbone']): AdapterBackbone {
  const { name, family, revision, commit, dtype, layers } = description;
  return { name, family, revision, ...(commit === undefined ? {} : { commit }), dtype, width, layers };
}
