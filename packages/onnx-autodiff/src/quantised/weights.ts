import type { Emitter } from '../graph/emitter.js';
import { tensorBytes } from '../graph/tensor-data.js';
import type { RuleContext } from '../rules/rule.js';

/** Scale and zero point of a quantised matrix, scalars or one for each column; '' for a zero point of 0. */
export interface Quantisation {
  readonly scale: string;
  readonly zeroPoint: string;
}

/** A matrix in float32: `matrix` with each column multiplied by `columns`, if given. */
export interface DequantisedMatrix {
  readonly matrix: string;
  readonly columns: string | undefined;
}

/**
 * Values of a quantised matrix (ONNX DequantizeLinear). onnxruntime keeps that operator and so computes them in every run: for
 * 85 million weights 20 ms, where a float32 copy made at load takes 340 MB. Scales by column are left to the caller, since the
 * kernel is six times slower with them.
 */
export function dequantised(
  { emit, shapes }: RuleContext,
  codes: string,
  { scale, zeroPoint }: Quantisation,
): DequantisedMatrix {
  const isOne = (tensor: string): boolean => shapes.dims(tensor).every((extent) => extent === 1);
  if (isOne(scale)) return { matrix: dequantise(emit, codes, scale, zeroPoint), columns: undefined };
  const common = zeroPoint === '' ? '' : commonZeroPoint(emit, zeroPoint);
  if (common !== undefined) return { matrix: dequantise(emit, codes, emit.float(1), common), columns: scale };
  return {
    matrix: dequantise(emit, codes, scale, zeroPoint, shapes.rank(codes) - 1),
    columns: undefined,
  };
}

/** DequantizeLinear; along an axis where scale and zero point are vectors. */
export function dequantise(
  emit: Emitter,
  codes: string,
  scale: string,
  zeroPoint: string,
  axis?: number,
): string {
  const inputs = zeroPoint === '' ? [codes, scale] : [codes, scale, zeroPoint];
  return emit.op('DequantizeLinear', inputs, axis === undefined ? {} : { axis });
}

/** A scalar in place of a vector of zero points that are all the same. */
function commonZeroPoint(emit: Emitter, zeroPoint: string): string | undefined {
  const vector = emit.graph.initializers.get(zeroPoint);
  const bytes = vector && tensorBytes(vector);
  if (!vector || bytes?.some((byte) => byte !== bytes[0])) return undefined;
  return byteConstant(emit, vector.dataType, [], Uint8Array.of(bytes?.[0] ?? 0));
}

/** A constant of int8 or uint8. */
export function byteConstant(
  { graph }: Emitter,
  dataType: number,
  dims: readonly number[],
  bytes: Uint8Array,
): string {
  const name = graph.fresh('codes');
  graph.initializers.set(name, { name, dataType, dims, data: { kind: 'bytes', bytes } });
  return name;
}
