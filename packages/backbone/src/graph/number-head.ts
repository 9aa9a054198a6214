import type { ParameterSet } from '@dynaprompt/core';
import type { Emitter, Objective } from '@dynaprompt/onnx-autodiff';
import { appendLinearHead, initialLinearHead } from './linear-head.js';

/** [B, 1] predicted numbers, scaled so that the range is 0 … 1. */
const SCALED = 'scaled_number';

/** What a head that predicts a number minimises: the mean squared error in units of the range. */
export const NUMBER_OBJECTIVE: Objective = { kind: 'mean-squared-error', output: SCALED };

/** Starting values: weight [1, d] as of a linear head, bias [1] the middle of the range. */
export function initialNumberHead(width: number, seed: number): ParameterSet {
  const head = new Map(initialLinearHead(1, width, seed));
  return head.set('head.bias', { shape: [1], values: Float32Array.of(0.5) });
}

/** Numbers in the units of the data, [B, 1]: lowest + (highest − lowest) (x wᵀ + b), from what a linear head reads. */
export function appendNumberHead(
  emit: Emitter,
  width: number,
  [lowest, highest]: readonly [number, number],
): string {
  emit.alias(appendLinearHead(emit, 1, width), SCALED);
  return emit.add(emit.mul(SCALED, emit.float(highest - lowest)), emit.float(lowest));
}
