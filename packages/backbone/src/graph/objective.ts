import type { FrozenBackbone, LabelledBatch } from '@dynaprompt/core';
import { float32, int64, type Objective, type TensorValue } from '@dynaprompt/onnx-autodiff';
import { OUTPUT, PROMPT_INPUT } from './names.js';
import type { HeadGraph } from './prompted-model.js';

/** What the training of a head minimises. */
export function objectiveOf({ objective }: Pick<HeadGraph, 'objective'>): Objective {
  return objective ?? { kind: 'cross-entropy', output: OUTPUT.logits };
}

/** The answers of a batch as inputs of a training graph: class indices, or numbers scaled so that the range is 0 … 1. */
export function answerInputs(
  { examples, labels, targets = new Float32Array() }: LabelledBatch<unknown>,
  range: FrozenBackbone<unknown>['range'],
): Record<string, TensorValue> {
  if (!range) return { [PROMPT_INPUT.labels]: int64(labels, [examples.length]) };
  const [lowest, highest] = range;
  const scaled = targets.map((target) => (target - lowest) / (highest - lowest));
  return { [PROMPT_INPUT.targets]: float32(scaled, [examples.length, 1]) };
}
