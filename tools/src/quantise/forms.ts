import { Graph } from '@dynaprompt/onnx-autodiff';
import { toBitsandbytes, type BitsandbytesOptions } from './bitsandbytes.js';
import { toBlocks, type BlockOptions } from './blocks.js';
import { toDynamic, type DynamicOptions } from './dynamic.js';
import { toHalfPrecision, type HalfOptions } from './half-precision.js';
import { toStatic, type Feeds, type StaticOptions } from './static.js';
import { loadWeights } from './weights.js';

/** Forms of reduced precision, by the names that published files have. */
export const FORMS = ['fp16', 'q8', 'qdq', 'q4', 'q4f16', 'bnb4'] as const;
export type Form = (typeof FORMS)[number];

export interface QuantiseOptions extends DynamicOptions, StaticOptions, BlockOptions, HalfOptions {
  readonly bitsandbytes?: BitsandbytesOptions;
  /** Inputs on which `qdq` measures the ranges of activations. */
  readonly calibration?: readonly Feeds[];
  /** Write float32 weights with the values that the form rounds them to: what the form's gradient is compared with. */
  readonly dequantised?: boolean;
}

/** Rewrites a float32 model in a form of reduced precision; returns a file with its weights inside. */
export async function quantise(
  model: string | Uint8Array,
  form: Form,
  options: QuantiseOptions = {},
): Promise<Uint8Array> {
  const graph = Graph.read(model);
  loadWeights(graph);
  const { dequantised = false, calibration = [] } = options;
  switch (form) {
    case 'fp16':
      toHalfPrecision(graph, dequantised, options);
      break;
    case 'q8':
      toDynamic(graph, dequantised, options);
      break;
    case 'qdq':
      await toStatic(graph, dequantised, calibration, options);
      break;
    case 'q4':
      toBlocks(graph, dequantised, options);
      break;
    case 'q4f16':
      toBlocks(graph, dequantised, options);
      toHalfPrecision(graph, dequantised, options);
      break;
    case 'bnb4':
      toBitsandbytes(graph, dequantised, options.bitsandbytes);
      break;
  }
  return graph.serialize();
}
