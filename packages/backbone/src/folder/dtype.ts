import { ConfigurationError } from '@dynaprompt/core';
import { PACKAGE_NAME } from '../package-name.js';

/** What each element type of weights adds to a file's name: transformers.js, DEFAULT_DTYPE_SUFFIX_MAPPING. */
const SUFFIXES = {
  fp32: '',
  fp16: '_fp16',
  q8: '_quantized',
  int8: '_int8',
  uint8: '_uint8',
  q4: '_q4',
  q4f16: '_q4f16',
  bnb4: '_bnb4',
} as const;

/** Element type of a model's weights, by the names that transformers.js has for them. */
export type Dtype = keyof typeof SUFFIXES;

/** Element types of weights, by the names that transformers.js gives them. */
export const DTYPES = Object.keys(SUFFIXES) as readonly Dtype[];

/** Name of the ONNX file with weights of an element type: `onnx/model.onnx` → `onnx/model_fp16.onnx`. */
export function fileOfDtype(file: string, dtype: Dtype): string {
  return file.replace(/\.onnx$/, `${SUFFIXES[dtype]}.onnx`);
}

/** Element types in which one of some models, named as in float32, is among `files`. */
export function dtypesAmong(files: readonly string[], models: readonly string[]): readonly Dtype[] {
  return DTYPES.filter((dtype) => models.some((model) => files.includes(fileOfDtype(model, dtype))));
}

/** @throws ConfigurationError if an element type is none of {@link DTYPES}. */
export function checkDtype(dtype: string): asserts dtype is Dtype {
  if (Object.hasOwn(SUFFIXES, dtype)) return;
  throw new ConfigurationError({
    packageName: PACKAGE_NAME,
    subject: `dtype "${dtype}"`,
    problem: 'it is not known',
    remedy: `Use one of ${DTYPES.join(', ')}`,
  });
}
