import { stream, type ParameterSet } from '@dynaprompt/core';
import { DataType, type Dimension, type Emitter } from '@dynaprompt/onnx-autodiff';
import { OUTPUT } from './names.js';

/** Tensors of a linear head. */
export const LINEAR_HEAD_TENSORS: readonly string[] = ['head.weight', 'head.bias'];

/** Scale of a new linear head; small, so that training starts near the uniform answer. */
const INITIAL_DEVIATION = 0.02;

/** Starting values: weight [classes, d] ~ N(0, 0.02²), bias [classes] = 0. */
export function initialLinearHead(classes: number, width: number, seed: number): ParameterSet {
  const random = stream(seed, 'head');
  const weight = new Float32Array(classes * width).map(() => INITIAL_DEVIATION * random.normal());
  return new Map([
    ['head.weight', { shape: [classes, width], values: weight }],
    ['head.bias', { shape: [classes], values: new Float32Array(classes) }],
  ]);
}

/** x Wᵀ + b [B, classes] of {@link OUTPUT}.pooled x [B, d]; W and b become inputs of the graph. */
export function appendLinearHead(emit: Emitter, classes: number, width: number): string {
  const weight = floatInput(emit, 'head.weight', classes, width);
  const bias = floatInput(emit, 'head.bias', classes);
  return emit.op('Gemm', [OUTPUT.pooled, weight, bias], { transB: 1 });
}

/** A float32 input of the graph. */
export function floatInput(emit: Emitter, name: string, ...dims: readonly Dimension[]): string {
  return emit.input({ name, dataType: DataType.float32, dims });
}
