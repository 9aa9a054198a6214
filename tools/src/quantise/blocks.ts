import { DataType, Emitter, type Graph } from '@dynaprompt/onnx-autodiff';
import { roundToEven } from './half-floats.js';
import {
  addTensor,
  lookups,
  replaceTable,
  replaceWeight,
  transposed,
  weightProducts,
  weightValues,
} from './weights.js';

// Taken out once: jest's sandbox looks up every global slowly, and these run once for every weight.
const { ceil, floor, fround, max, min } = Math;

/** Variants of blockwise weights. */
export interface BlockOptions {
  /** 4 by default. */
  readonly bits?: 4 | 8;
  /** 32 by default. */
  readonly blockSize?: number;
  /** Without zero points; default true. */
  readonly symmetric?: boolean;
  /** Embedding tables too, as GatherBlockQuantized; default false. */
  readonly tables?: boolean;
}

interface Blocks {
  readonly codes: Uint8Array;
  readonly scales: Float32Array;
  readonly zeroPoints: Uint8Array;
  /** [rows, columns] */
  readonly values: Float32Array;
  readonly count: number;
}

/**
 * MatMulNBits with weights in blocks along the inner axis, as `matmul_nbits_quantizer` of onnxruntime writes them (`model_q4.onnx`);
 * biases stay a sum of their own.
 * @param dequantised writes the weights' rounded values in float32 instead.
 */
export function toBlocks(graph: Graph, dequantised: boolean, options: BlockOptions = {}): void {
  const emit = new Emitter(graph);
  const { bits = 4, blockSize = 32, symmetric = true, tables = false } = options;
  for (const product of weightProducts(graph)) {
    const { node, activations, weight, values, inner, outer, bias } = product;
    const blocks = quantise(transposed(values, inner, outer), outer, inner, { bits, blockSize, symmetric });
    if (dequantised) {
      replaceWeight(graph, product, transposed(blocks.values, outer, inner));
      continue;
    }
    const blob = (blockSize * bits) / 8;
    const inputs = [
      activations,
      addTensor(graph, `${weight}_Q${bits}`, DataType.uint8, [outer, blocks.count, blob], blocks.codes),
      addTensor(graph, `${weight}_scales`, DataType.float32, [outer * blocks.count], blocks.scales),
    ];
    if (!symmetric) inputs.push(addZeroPoints(graph, weight, blocks.zeroPoints, [blocks.zeroPoints.length]));
    const attributes = { K: inner, N: outer, bits, block_size: blockSize };
    const [y = ''] = emit.node('MatMulNBits', inputs, attributes, { domain: 'com.microsoft' });
    const [output = ''] = node.outputs;
    graph.remove(node);
    emit.alias(bias === '' ? y : emit.add(y, bias), output);
  }
  if (!tables) return;
  for (const lookup of lookups(graph)) {
    const { node, table } = lookup;
    const [rows = 0, width = 0] = table.dims;
    // The operator takes whole blocks.
    if (width % blockSize !== 0) continue;
    const blocks = quantise(weightValues(table), rows, width, { bits, blockSize, symmetric });
    if (dequantised) {
      replaceTable(graph, lookup, blocks.values);
      continue;
    }
    const { name } = table;
    const inputs = [
      addTensor(graph, `${name}_Q${bits}`, DataType.uint8, [rows, (width * bits) / 8], blocks.codes),
      node.inputs[1] ?? '',
      addTensor(graph, `${name}_scales`, DataType.float32, [rows, blocks.count], blocks.scales),
    ];
    const bytes = blocks.zeroPoints.length / rows;
    if (!symmetric) inputs.push(addZeroPoints(graph, name, blocks.zeroPoints, [rows, bytes]));
    const attributes = { bits, block_size: blockSize, gather_axis: 0, quantize_axis: 1 };
    const [y = ''] = emit.node('GatherBlockQuantized', inputs, attributes, { domain: 'com.microsoft' });
    const [output = ''] = node.outputs;
    graph.remove(node);
    emit.alias(y, output);
  }
}

function addZeroPoints(graph: Graph, name: string, values: Uint8Array, dims: readonly number[]): string {
  return addTensor(graph, `${name}_zero_points`, DataType.uint8, dims, values);
}

/** Quantises the rows of a matrix in blocks; the last one of a row is filled up with zeros. */
function quantise(
  values: Float32Array,
  rows: number,
  columns: number,
  { bits, blockSize, symmetric }: { bits: 4 | 8; blockSize: number; symmetric: boolean },
): Blocks {
  const count = ceil(columns / blockSize);
  const [middle, highest] = [2 ** (bits - 1), 2 ** bits - 1];
  const codes = new Uint8Array(rows * count * blockSize);
  const [scales, zeros] = [new Float32Array(rows * count), new Uint8Array(rows * count)];
  const restored = new Float32Array(values.length);
  for (let block = 0; block < rows * count; block++) {
    const row = floor(block / count);
    const first = row * columns + (block % count) * blockSize;
    const own = values.subarray(first, min(first + blockSize, (row + 1) * columns));
    const [low, high] = [min(0, ...own), max(0, ...own)];
    const extreme = high > -low ? high : low;
    const scale = (symmetric ? -extreme / middle : (high - low) / highest) || 1;
    const zero = symmetric ? middle : roundToEven(-low / scale);
    scales[block] = scale;
    zeros[block] = zero;
    own.forEach((value, index) => {
      const code = min(highest, max(0, roundToEven(value / scale) + zero));
      codes[block * blockSize + index] = code;
      restored[first + index] = (code - zero) * fround(scale);
    });
  }
  if (bits === 8) return { codes, scales, zeroPoints: zeros, values: restored, count };
  return {
    codes: packed(codes, blockSize * count),
    scales,
    zeroPoints: packed(zeros, count),
    values: restored,
    count,
  };
}

/** Two codes to a byte, low half first; every row starts a byte. */
function packed(codes: Uint8Array, columns: number): Uint8Array {
  const width = ceil(columns / 2);
  const result = new Uint8Array((codes.length / columns) * width);
  codes.forEach((code, index) => {
    const [row, column] = [floor(index / columns), index % columns];
    const at = row * width + (column >> 1);
    result[at] = (result[at] ?? 0) | (column & 1 ? code << 4 : code);
  });
  return result;
}
