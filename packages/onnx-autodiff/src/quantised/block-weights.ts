import { intAttribute, type Emitter } from '../graph/emitter.js';
import { DataType, type Node } from '../graph/types.js';
import { axesUpTo, type RuleContext } from '../rules/rule.js';
import { byteConstant, dequantise } from './weights.js';

/** A weight [N, K] that is stored in blocks along K, as the node that multiplies by it describes it. */
interface BlockLayout {
  readonly rows: number;
  readonly columns: number;
  readonly blockSize: number;
  readonly blocks: number;
}

function layoutOf(node: Node): BlockLayout {
  const columns = intAttribute(node, 'K', 0);
  const blockSize = intAttribute(node, 'block_size', 0);
  return { rows: intAttribute(node, 'N', 0), columns, blockSize, blocks: Math.ceil(columns / blockSize) };
}

/**
 * Two values for every byte of a uint8 tensor, looked up in a table of 256 pairs: [..., bytes] → [..., bytes, 2]. Takes one
 * operator where shifts, masks and an interleaving take six.
 */
function unpack(emit: Emitter, bytes: string, pairs: string): string {
  return emit.op('Gather', [pairs, emit.cast(bytes, DataType.int32)]);
}

const lowHalf = (byte: number): number => byte & 15;
const highHalf = (byte: number): number => byte >> 4;

/** Codes of 4 bits as one byte each, low half of a byte first. */
function unpackCodes(emit: Emitter, codes: string): string {
  const pairs = Uint8Array.from(axesUpTo(256).flatMap((byte) => [lowHalf(byte), highHalf(byte)]));
  return unpack(emit, codes, byteConstant(emit, DataType.uint8, [256, 2], pairs));
}

/**
 * Weight [N, K] of com.microsoft MatMulNBits in float32: (code − zero point) · scale for each block along K, codes of 4 bits
 * packed low half first, 8 (or 128) for an absent zero point (docs/ContribOperators.md, MatMulNBits). onnxruntime unpacks the
 * codes at load, to a byte each; their values it computes in every run, as rows of blocks: for 85 million weights 22 ms, where
 * GatherBlockQuantized takes 525 and a DequantizeLinear in blocks (operator set 21) 176.
 */
export function blockWeight(context: RuleContext): string {
  const { node, emit, graph, x } = context;
  const [, codes = '', scales = '', zeroPoints = '', groups = ''] = x;
  const { rows, columns, blockSize, blocks } = layoutOf(node);
  const bits = intAttribute(node, 'bits', 4);
  if (bits !== 4 && bits !== 8) throw context.unsupported(`weights of ${bits} bits`);
  if (intAttribute(node, 'weight_prepacked', 0) !== 0)
    throw context.unsupported('weights packed for one device');
  if (groups !== '') throw context.unsupported('weights in groups by g_idx');
  if (zeroPoints !== '' && graph.initializers.get(zeroPoints)?.dataType !== DataType.uint8)
    throw context.unsupported('zero points that are not packed');
  const read = (tensor: string): string => (bits === 8 ? tensor : unpackCodes(emit, tensor));
  const zeros = (): string => {
    if (zeroPoints === '') {
      const middle = byteConstant(emit, DataType.uint8, [], Uint8Array.of(2 ** (bits - 1)));
      return emit.op('Expand', [middle, emit.ints(rows * blocks)]);
    }
    // An odd number of blocks leaves half a byte at the end of every row.
    const all = emit.reshape(read(zeroPoints), emit.ints(rows, -1));
    const own = emit.op('Slice', [all, emit.ints(0), emit.ints(blocks), emit.ints(1)]);
    return emit.reshape(own, emit.ints(-1));
  };
  const inBlocks = emit.reshape(read(codes), emit.ints(rows * blocks, blockSize));
  const values = dequantise(emit, inBlocks, emit.reshape(scales, emit.ints(-1)), zeros(), 0);
  const padded = emit.reshape(values, emit.ints(rows, blocks * blockSize));
  return blocks * blockSize === columns
    ? padded
    : emit.op('Slice', [padded, emit.ints(0), emit.ints(columns), emit.ints(1)]);
}

const FP4_MAGNITUDES = [0, 5.208333333e-3, 2 / 3, 1, 1 / 3, 1 / 2, 1 / 6, 1 / 4];
/** Quantiles of the normal distribution (Dettmers et al. 2023, QLoRA, appendix E). */
const NF4_VALUES = [
  ...[-1, -0.6961928009986877, -0.5250730514526367, -0.39491748809814453, -0.28444138169288635],
  ...[-0.18477343022823334, -0.09105003625154495, 0, 0.07958029955625534, 0.16093020141124725],
  ...[0.24611230194568634, 0.33791524171829224, 0.44070982933044434, 0.5626170039176941],
  ...[0.7229568362236023, 1],
];
/** Values of the sixteen codes of bitsandbytes, by the attribute `quant_type`. */
export const BITSANDBYTES_VALUES: readonly (readonly number[])[] = [
  [...FP4_MAGNITUDES, ...FP4_MAGNITUDES.map((value) => -value)],
  NF4_VALUES,
];

/**
 * Weight [N, K] of com.microsoft MatMulBnb4 in float32: value of the code · largest magnitude of its block, blocks along the
 * flattened weight, codes packed high half first (docs/ContribOperators.md, MatMulBnb4).
 */
export function bitsandbytesWeight(context: RuleContext): string {
  const { node, emit, x } = context;
  const [, codes = '', magnitudes = ''] = x;
  const { rows, columns, blockSize } = layoutOf(node);
  const values = BITSANDBYTES_VALUES[intAttribute(node, 'quant_type', -1)];
  if (!values) throw context.unsupported('a quant_type other than FP4 and NF4');
  if (intAttribute(node, 'transB', 1) !== 1) throw context.unsupported('a weight that is not transposed');
  if ((rows * columns) % blockSize !== 0) throw context.unsupported('a last block that is not full');
  const value = (code: number): number => values[code] ?? 0;
  const pairs = axesUpTo(256).flatMap((byte) => [value(highHalf(byte)), value(lowHalf(byte))]);
  const units = unpack(emit, codes, emit.floats(Float32Array.from(pairs), [256, 2]));
  const scaled = emit.mul(emit.reshape(units, emit.ints(-1, blockSize)), emit.unsqueeze(magnitudes, [-1]));
  return emit.reshape(scaled, emit.ints(rows, columns));
}
