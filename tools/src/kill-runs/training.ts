import { createHash } from 'node:crypto';
import { accuracy, loadTask, type LabelledExample } from '@dynaprompt/benchmarks';
import { selectBackend, type ParameterSet } from '@dynaprompt/core';
import { miniBert } from '@dynaprompt/mini-models';
import { createTextEncoder, type TextExample } from '@dynaprompt/text';
import {
  FeatureCache,
  methodNamed,
  trainPrompt,
  type RunOptions,
  type TrainingExample,
  type TrainingResult,
} from '@dynaprompt/training';

/** A run of the bundled backbone on the bundled task. Plain JSON. */
export interface KilledTraining {
  readonly method: string;
  readonly steps: number;
  /** Where features are cached, so that a start does not compute them anew. */
  readonly features: string;
  /** Absent: the run leaves no checkpoints, and begins anew. */
  readonly folder?: string;
}

const SLOTS = 4;
const TOKENS = 16;
const BATCH = 2;
const TRAIN = 64;
const VALIDATION = 24;
/** Steps from one checkpoint to the next. */
const EVERY_STEPS = 2;
const EVALUATE_EVERY = 25;

/** Trains, from the newest checkpoint on where there is one. */
export async function train(
  { method, steps, features, folder }: KilledTraining,
  more: Pick<RunOptions, 'events' | 'signal'> = {},
): Promise<TrainingResult> {
  await selectBackend();
  const data = await loadTask('spam-assassin', undefined, {
    seed: 1,
    limit: TRAIN,
    validationLimit: VALIDATION,
  });
  const backbone = await createTextEncoder(miniBert, {
    head: { kind: 'linear', classes: data.labels.length },
    reserve: SLOTS,
    maximumTokens: TOKENS,
  });
  try {
    return await trainPrompt({
      backbone,
      train: data.train.map(labelled),
      validation: data.validation.map(labelled),
      metric: accuracy,
      features: new FeatureCache(backbone, { folder: features }),
      method: methodNamed(method, { slots: SLOTS }),
      seed: 1,
      steps,
      batch: BATCH,
      evaluateEvery: Math.min(EVALUATE_EVERY, steps),
      ...(folder === undefined ? {} : { checkpoint: { folder, everySteps: EVERY_STEPS }, resume: 'auto' }),
      ...more,
    });
  } finally {
    await backbone.release();
  }
}

/** SHA-256 of every number that a run has computed, the order of the tensors included. */
export function digestOf(result: TrainingResult): string {
  const hash = createHash('sha256');
  const addNumbers = (values: Float32Array | Int32Array): void => {
    hash.update(new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
  };
  const addTensors = (tensors: ParameterSet): void => {
    for (const [name, { shape, values }] of tensors) {
      hash.update(JSON.stringify([name, shape]));
      addNumbers(values);
    }
  };
  for (const { prompt, head, weights } of [result.parameters, result.bestParameters]) {
    for (const tensors of [prompt, head, weights]) addTensors(tensors);
  }
  addTensors(result.optimiser.tensors);
  addNumbers(result.evaluation.logits);
  addNumbers(result.evaluation.predictions);
  const { optimiser, loss, validation, steps, skipped, best, bestStep, evaluation } = result;
  hash.update(JSON.stringify([optimiser.step, loss, validation, steps, skipped, best, bestStep]));
  hash.update(JSON.stringify(evaluation.usage ?? null));
  return hash.digest('hex');
}

function labelled({ id, text, label }: LabelledExample): TrainingExample<TextExample> {
  return { id, example: { id, text }, label };
}
