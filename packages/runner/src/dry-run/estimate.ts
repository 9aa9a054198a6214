import { sizeOf } from '@dynaprompt/core';
import { resolveSettings } from '@dynaprompt/training';

import type { ComparisonOptions } from '../options/comparison.js';
import type { MethodMeasures, Shapes } from './measure.js';

/** What a method would be and take. */
export interface MethodEstimate {
  readonly method: string;
  readonly trainableParameters: number;
  /** Trainable tensors by name. */
  readonly shapes: Shapes;
  /** One optimiser step. */
  readonly stepSeconds: number;
  /** All steps and evaluations of one seed, without the features of the frozen model. */
  readonly runSeconds: number;
}

/** A task as far as the time goes. */
export interface TaskSize {
  readonly name: string;
  readonly validation: number;
}

/**
 * The estimate of a method from its measures on every task. Steps are shared evenly by the tasks; every task is evaluated each time.
 * What an optimiser takes is not counted: it is small beside a pass of the backbone.
 */
export function estimateOf(
  method: string,
  options: Pick<ComparisonOptions, 'steps' | 'evaluateEvery' | 'accumulation' | 'training'>,
  measures: readonly { readonly task: TaskSize; readonly of: MethodMeasures }[],
): MethodEstimate {
  const { steps, accumulation, evaluateEvery, training } = options;
  const settings = resolveSettings({ ...training, ...(evaluateEvery && { evaluateEvery }), steps });
  const heads = measures.flatMap(({ of, task }) =>
    Object.entries(of.head).map(([name, shape]): [string, Shapes[string]] => [
      measures.length > 1 ? `${task.name}/${name}` : name,
      shape,
    ]),
  );
  const shapes: Shapes = { ...measures[0]?.of.shapes, ...Object.fromEntries(heads) };
  const trainableParameters = Object.values(shapes).reduce((sum, shape) => sum + sizeOf(shape), 0);
  const isTrained = trainableParameters > 0;
  const pass = measures.reduce((sum, { of }) => sum + of.passSeconds, 0) / measures.length;
  const evaluation = measures.reduce((sum, { of, task }) => sum + of.exampleSeconds * task.validation, 0);
  // One after the last step, whatever it is.
  const evaluations = isTrained ? Math.floor((steps - 1) / settings.evaluateEvery) + 1 : 1;
  const stepSeconds = accumulation * pass;
  return {
    method,
    trainableParameters,
    shapes,
    stepSeconds,
    runSeconds: steps * stepSeconds + evaluations * evaluation,
  };
}
