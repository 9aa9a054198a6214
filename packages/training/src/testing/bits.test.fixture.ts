import type { ParameterSet } from '@dynaprompt/core';

import type { Evaluation } from '../training/evaluate.js';
import type { RunResult } from '../training/run.js';
import type { MultitaskResult } from '../training/train-multitask.js';
import type { TrainingResult } from '../training/train-prompt.js';
import { valuesOf } from './toy-run.test.fixture.js';

/** All that a run computes, as plain arrays, to compare bit for bit; times and where it was interrupted are left out. */
export function bitsOf(result: TrainingResult | MultitaskResult): unknown {
  const parts =
    'tasks' in result
      ? [partsOfTasks(result.parameters), partsOfTasks(result.bestParameters)]
      : [partsOf(result.parameters), partsOf(result.bestParameters)];
  return {
    shared: shared(result),
    parameters: parts.map((sets) => sets.map(valuesOf)),
    evaluations:
      'tasks' in result
        ? result.tasks.map(({ evaluation, ...task }) => [task, bitsOfEvaluation(evaluation)])
        : [bitsOfEvaluation(result.evaluation)],
  };
}

function partsOf({ prompt, head, weights }: TrainingResult['parameters']): readonly ParameterSet[] {
  return [prompt, head, weights];
}

function partsOfTasks({ prompt, heads }: MultitaskResult['parameters']): readonly ParameterSet[] {
  return [prompt, ...heads.values()];
}

function shared(result: RunResult): unknown {
  const { steps, stoppedEarly, skipped, final, best, bestStep, loss, validation, choiceUsage, optimiser } =
    result;
  return {
    ...{ steps, stoppedEarly, skipped, final, best, bestStep, loss, validation, choiceUsage },
    optimiser: { step: optimiser.step, tensors: valuesOf(optimiser.tensors) },
    statistics: Object.values<Float32Array>({ ...result.featureStatistics }).map((values) => [...values]),
  };
}

function bitsOfEvaluation({
  score,
  ids,
  expected,
  logits,
  predictions,
  choices,
  usage,
}: Evaluation): unknown {
  const arrays = [expected, logits, predictions, choices?.position ?? [], choices?.length ?? []];
  return { score, ids, usage, arrays: arrays.map((values) => Array.from(values)) };
}
