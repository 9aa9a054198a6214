import { readFileSync } from 'node:fs';
import { decodeSafetensors } from '@dynaprompt/core';
import type { TensorValue } from '@dynaprompt/onnx-autodiff';

/** A safetensors file's tensors as inputs of a model, and the strings of its `__metadata__`. */
export interface CaseTensors {
  readonly tensors: ReadonlyMap<string, TensorValue>;
  readonly metadata: Readonly<Record<string, string>>;
}

/** Reads a safetensors file of a case. @throws DataError naming the file if it is truncated or none of this format. */
export function readSafetensors(file: string): CaseTensors {
  const { tensors, metadata } = decodeSafetensors(readFileSync(file), file);
  const values = [...tensors].map(([name, tensor]): [string, TensorValue] => [
    name,
    tensor.dtype === 'I64'
      ? { type: 'int64', dims: tensor.shape, data: tensor.values }
      : { type: 'float32', dims: tensor.shape, data: tensor.values },
  ]);
  return { tensors: new Map(values), metadata };
}
