import { roundToEven } from './half-floats.js';

// Taken out once: jest's sandbox looks up every global slowly, and these run once for every weight.
const { max, min } = Math;

/** Values as whole numbers, and the numbers that those stand for. */
export interface IntegerCodes {
  readonly codes: Int8Array | Uint8Array;
  /** One for the tensor, or one for each column. */
  readonly scales: Float32Array;
  readonly zeroPoints: Int8Array | Uint8Array;
  readonly values: Float32Array;
}

/** How `quantize_dynamic` and `quantize_static` of onnxruntime choose scales: by the extremes of a tensor or of a column. */
export interface IntegerOptions {
  /** int8 around 0, or uint8 between the extremes. */
  readonly type: 'int8' | 'uint8';
  readonly perColumn: boolean;
}

/** Quantises a matrix of `columns` columns. */
export function integerCodes(
  values: Float32Array,
  columns: number,
  { type, perColumn }: IntegerOptions,
): IntegerCodes {
  const groups = perColumn ? columns : 1;
  const [lows, highs] = [new Float32Array(groups), new Float32Array(groups)];
  values.forEach((value, index) => {
    const group = index % groups;
    lows[group] = min(lows[group] ?? 0, value);
    highs[group] = max(highs[group] ?? 0, value);
  });
  const make = (size: number): Int8Array | Uint8Array =>
    type === 'int8' ? new Int8Array(size) : new Uint8Array(size);
  const [scales, zeroPoints] = [new Float32Array(groups), make(groups)];
  lows.forEach((low, group) => {
    const high = highs[group] ?? 0;
    const range = type === 'int8' ? max(high, -low) / 127 : (high - low) / 255;
    scales[group] = range || 1;
    if (type === 'uint8') zeroPoints[group] = roundToEven(-low / (scales[group] ?? 1));
  });
  const [lowest, highest] = type === 'int8' ? [-127, 127] : [0, 255];
  const codes = make(values.length);
  const restored = values.map((value, index) => {
    const [scale = 1, zero = 0] = [scales[index % groups], zeroPoints[index % groups]];
    const code = min(highest, max(lowest, roundToEven(value / scale) + zero));
    codes[index] = code;
    return (code - zero) * scale;
  });
  return { codes, scales, zeroPoints, values: restored };
}
