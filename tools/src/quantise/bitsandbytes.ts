import { DataType, Emitter, type Graph } from '@dynaprompt/onnx-autodiff';
import { addTensor, replaceWeight, transposed, weightProducts } from './weights.js';

// Taken out once: jest's sandbox looks up every global slowly, and these run once for every weight.
const { abs, ceil, floor, fround, max } = Math;

/** Values of the codes 0 … 15 (onnxruntime, blockwise_quant_block_bnb4.h; the tables of bitsandbytes). */
const FP4_MAGNITUDES = [0, 5.208333333e-3, 2 / 3, 1, 1 / 3, 1 / 2, 1 / 6, 1 / 4];
const VALUES = {
  fp4: [...FP4_MAGNITUDES, ...FP4_MAGNITUDES.map((value) => -value)],
  nf4: [
    ...[-1, -0.6961928009986877, -0.5250730514526367, -0.39491748809814453, -0.28444138169288635],
    ...[-0.18477343022823334, -0.09105003625154495, 0, 0.07958029955625534, 0.16093020141124725],
    ...[0.24611230194568634, 0.33791524171829224, 0.44070982933044434, 0.5626170039176941],
    ...[0.7229568362236023, 1],
  ],
};

/** Variants of bitsandbytes' weights. */
export interface BitsandbytesOptions {
  /** nf4 by default. */
  readonly type?: keyof typeof VALUES;
  /** 64 by default. */
  readonly blockSize?: number;
}

/**
 * MatMulBnb4, as `matmul_bnb4_quantizer` of onnxruntime writes it (`model_bnb4.onnx`); biases stay a sum of their own.
 * @param dequantised writes the weights' rounded values in float32 instead.
 */
export function toBitsandbytes(graph: Graph, dequantised: boolean, options: BitsandbytesOptions = {}): void {
  const emit = new Emitter(graph);
  const { type = 'nf4', blockSize = 64 } = options;
  for (const product of weightProducts(graph)) {
    const { node, activations, weight, values, inner, outer, bias } = product;
    const { codes, magnitudes, restored } = quantise(
      transposed(values, inner, outer),
      VALUES[type],
      blockSize,
    );
    if (dequantised) {
      replaceWeight(graph, product, transposed(restored, outer, inner));
      continue;
    }
    const inputs = [
      activations,
      addTensor(graph, `${weight}_Bnb4`, DataType.uint8, [codes.length], codes),
      addTensor(graph, `${weight}_absmax`, DataType.float32, [magnitudes.length], magnitudes),
    ];
    const attributes = {
      K: inner,
      N: outer,
      block_size: blockSize,
      quant_type: type === 'fp4' ? 0 : 1,
    };
    const [y = ''] = emit.node('MatMulBnb4', inputs, attributes, { domain: 'com.microsoft' });
    const [output = ''] = node.outputs;
    graph.remove(node);
    emit.alias(bias === '' ? y : emit.add(y, bias), output);
  }
}

/** The nearest code for every value, relative to the largest magnitude of its block; two codes to a byte, high half first. */
function quantise(
  values: Float32Array,
  table: readonly number[],
  blockSize: number,
): { codes: Uint8Array; magnitudes: Float32Array; restored: Float32Array } {
  const codes = new Uint8Array(ceil(values.length / 2));
  const magnitudes = new Float32Array(ceil(values.length / blockSize));
  values.forEach((value, index) => {
    const block = floor(index / blockSize);
    magnitudes[block] = max(magnitudes[block] ?? 0, abs(value));
  });
  const restored = values.map((value, index) => {
    const magnitude = magnitudes[floor(index / blockSize)] ?? 0;
    const unit = magnitude === 0 ? 0 : value / magnitude;
    const code = nearest(table, unit);
    codes[index >> 1] = (codes[index >> 1] ?? 0) | (index & 1 ? code : code << 4);
    return fround(table[code] ?? 0) * magnitude;
  });
  return { codes, magnitudes, restored };
}

function nearest(table: readonly number[], value: number): number {
  let best = 0;
  table.forEach((entry, code) => {
    if (abs(entry - value) < abs((table[best] ?? 0) - value)) best = code;
  });
  return best;
}
