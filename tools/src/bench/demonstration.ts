import { accuracy, loadTask, type LabelledExample } from '@dynaprompt/benchmarks';
import type { FrozenBackbone } from '@dynaprompt/core';
import { miniBert } from '@dynaprompt/mini-models';
import { createTextEncoder, type TextExample } from '@dynaprompt/text';
import { FeatureCache, type TaskData, type TrainingExample } from '@dynaprompt/training';

/** The bundled backbone on bundled data, as the demonstration of the command line trains it. */
export interface Demonstration {
  readonly task: TaskData<TextExample>;
  /** Reading the bundled data. */
  readonly loadingMilliseconds: number;
  release(): Promise<void>;
}

export interface DemonstrationOptions {
  /** Prompt slots. */
  readonly slots: number;
  /** Most tokens of a text. */
  readonly maximumTokens: number;
  readonly train: number;
  readonly validation: number;
}

/** Opens backbone and data; features are kept in memory alone. */
export async function openDemonstration(options: DemonstrationOptions): Promise<Demonstration> {
  const { slots, maximumTokens, train, validation } = options;
  const began = performance.now();
  const data = await loadTask('spam-assassin', undefined, {
    seed: 1,
    limit: train,
    validationLimit: validation,
  });
  const loadingMilliseconds = performance.now() - began;
  const backbone: FrozenBackbone<TextExample> = await createTextEncoder(miniBert, {
    head: { kind: 'linear', classes: data.labels.length },
    reserve: slots,
    maximumTokens,
  });
  return {
    task: {
      backbone,
      train: data.train.map(labelled),
      validation: data.validation.map(labelled),
      metric: accuracy,
      features: new FeatureCache(backbone, { folder: false }),
    },
    loadingMilliseconds,
    release: () => backbone.release(),
  };
}

function labelled({ id, text, label }: LabelledExample): TrainingExample<TextExample> {
  return { id, example: { id, text }, label };
}
