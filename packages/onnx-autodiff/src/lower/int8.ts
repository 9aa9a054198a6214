import { Emitter, floatAttribute, intAttribute } from '../graph/emitter.js';
import type { Graph } from '../graph/graph.js';
import { DataType, type Node } from '../graph/types.js';
import { byteConstant } from '../quantised/weights.js';

/** Which products {@link lowerToInt8} leaves in float32. */
export interface Int8Options {
  /** Least extent of a weight along both axes: below it, quantising costs more than the product saves. Default 256. */
  readonly minimumExtent?: number;
}

/** A matrix of whole numbers with their scale. */
interface Int8Matrix {
  readonly codes: string;
  readonly scale: string;
  /** '' for 0. */
  readonly zeroPoint: string;
}

interface WeightUse {
  readonly weight: string;
  readonly isTransposed: boolean;
}

/** α · x · op(W) + β · c with a constant W, as MatMul, FusedMatMul or Gemm write it. */
interface WeightProduct extends WeightUse {
  readonly node: Node;
  readonly x: string;
  readonly alpha: number;
  readonly beta: number;
  readonly addend: string;
}

/** Middle of uint8, which stands for 0. */
const MIDDLE = 128;
/** Codes from −127 to 127: the range is symmetric. */
const LARGEST_CODE = 127;

/**
 * Computes products with large constant float32 matrices in int8 (Jacob et al. 2018, section 2): activations are quantised in
 * each run by their own range (DynamicQuantizeLinear), weights at load by their largest magnitude; scales by column would make
 * loading four times as long for a cosine of 0.9992 instead of 0.9990. Rows of
 * gradients differ in size by orders of magnitude, so that one range would round most of them to 0: each row is scaled by its
 * own largest magnitude.
 * @param isForward tells the model's own nodes from those that carry gradients.
 * @returns how many products were changed.
 */
export function lowerToInt8(
  graph: Graph,
  isForward: (node: Node) => boolean = () => true,
  { minimumExtent = 256 }: Int8Options = {},
): number {
  const lowering = new Int8Lowering(graph);
  const products = [...graph.nodes].flatMap((node) => readProduct(graph, node, minimumExtent) ?? []);
  for (const product of products) lowering.replace(product, isForward(product.node));
  return products.length;
}

function readProduct(graph: Graph, node: Node, minimumExtent: number): WeightProduct | undefined {
  const [x = '', weight = '', addend = ''] = node.inputs;
  const isFused = node.opType === 'FusedMatMul' && node.domain === 'com.microsoft';
  const isGemm = node.opType === 'Gemm' && node.domain === '';
  if (!isFused && !isGemm && (node.opType !== 'MatMul' || node.domain !== '')) return undefined;
  const dims = constantDims(graph, weight);
  if (dims?.length !== 2 || dims.some((extent) => extent < minimumExtent)) return undefined;
  if (constantDims(graph, x)) return undefined;
  const isPlain = ['transA', 'transBatchA', 'transBatchB'].every((name) => !intAttribute(node, name, 0));
  if (!isPlain) return undefined;
  return {
    node,
    x,
    weight,
    isTransposed: intAttribute(node, 'transB', 0) === 1,
    alpha: floatAttribute(node, 'alpha', 1),
    beta: floatAttribute(node, 'beta', 1),
    addend,
  };
}

/** Shape of a constant of float32 values, whether stored so, widened from half precision or dequantised. */
function constantDims(graph: Graph, tensor: string): readonly number[] | undefined {
  const constant = graph.initializers.get(tensor);
  if (constant) return constant.dataType === DataType.float32 ? constant.dims : undefined;
  const producer = graph.producer(tensor);
  const isConversion = producer?.opType === 'Cast' || producer?.opType === 'DequantizeLinear';
  return isConversion ? graph.initializers.get(producer.inputs[0] ?? '')?.dims : undefined;
}

class Int8Lowering {
  readonly #emit: Emitter;
  readonly #weights = new Map<string, Int8Matrix>();
  readonly #activations = new Map<string, readonly string[]>();
  /** Products of gradients without the scales of their rows, [..., N], and these, [..., 1]. */
  readonly #rowScaled = new Map<string, { readonly unscaled: string; readonly perRow: string }>();

  constructor(private readonly graph: Graph) {
    this.#emit = new Emitter(graph);
  }

  replace(product: WeightProduct, isForward: boolean): void {
    const emit = this.#emit;
    const { node, x, addend, alpha, beta } = product;
    const weight = this.#weight(product);
    const [output = ''] = node.outputs;
    if (!isForward) {
      const { rows, scale, shape } = this.#byRow(x, weight);
      const leading = emit.op('Slice', [shape, emit.ints(0), emit.ints(-1)]);
      const unscaled = emit.reshape(rows, emit.concat([leading, emit.ints(-1)], 0));
      const perRow = emit.reshape(scale, emit.concat([leading, emit.ints(1)], 0));
      const scaled = emit.scale(emit.mul(unscaled, perRow), alpha);
      this.graph.remove(node);
      emit.alias(addend === '' ? scaled : emit.add(scaled, emit.scale(addend, beta)), output);
      if (addend === '' && alpha === 1) this.#rowScaled.set(output, { unscaled, perRow });
      return;
    }
    const bias = this.#bias(product);
    const result = this.#byTensor(x, weight, bias?.values);
    const scaled = bias ? result : emit.scale(result, alpha);
    const sum = bias || addend === '' ? scaled : emit.add(scaled, emit.scale(addend, beta));
    this.graph.remove(node);
    if (bias && bias.adder !== node) this.graph.remove(bias.adder);
    emit.alias(sum, bias?.adder.outputs[0] ?? output);
  }

  /** The bias that the product's kernel can add by itself, and the node that adds it now. */
  #bias({ node, addend, alpha, beta, ...use }: WeightProduct): { values: string; adder: Node } | undefined {
    const { graph } = this;
    const columns = constantDims(graph, use.weight)?.[use.isTransposed ? 0 : 1];
    const isBias = (tensor: string): boolean => {
      const constant = graph.initializers.get(tensor);
      return constant?.dataType === DataType.float32 && constant.dims.join() === String(columns);
    };
    if (alpha !== 1) return undefined;
    if (addend !== '') return beta === 1 && isBias(addend) ? { values: addend, adder: node } : undefined;
    const [output = ''] = node.outputs;
    const [adder, another] = graph.consumers(output);
    if (adder?.opType !== 'Add' || another || graph.outputs.has(output)) return undefined;
    const values = adder.inputs.find((input) => input !== output) ?? '';
    return isBias(values) ? { values, adder } : undefined;
  }

  /** y = x · W + b with x ≈ s (q − z), s and z from the range of all of x. */
  #byTensor(x: string, weight: Int8Matrix, bias?: string): string {
    let quantised = this.#activations.get(x);
    if (!quantised) {
      quantised = this.#emit.node('DynamicQuantizeLinear', [x], {}, { outputs: 3 });
      this.#activations.set(x, quantised);
    }
    const [codes = '', scale = '', zeroPoint = ''] = quantised;
    return this.#product(codes, scale, zeroPoint, weight, bias);
  }

  /** y = diag(s) · (q − z) · W with x ≈ diag(s) (q − z), s = max |row| / 127: the rows (q − z) W and their scales s. */
  #byRow(x: string, weight: Int8Matrix): { rows: string; scale: string; shape: string } {
    const emit = this.#emit;
    const { tensor, perRow } = this.#withoutRowScale(x);
    const shape = emit.shape(tensor);
    const width = emit.op('Slice', [shape, emit.ints(-1), emit.ints(Number.MAX_SAFE_INTEGER)]);
    const flat = emit.reshape(tensor, emit.concat([emit.ints(-1), width], 0));
    const scale = this.#scales(flat, [1]);
    const middle = byteConstant(emit, DataType.uint8, [], Uint8Array.of(MIDDLE));
    const middles = emit.op('Expand', [middle, emit.op('Shape', [scale])]);
    const codes = emit.op('QuantizeLinear', [flat, scale, middles], { axis: 0 });
    const rows = this.#product(codes, emit.float(1), middle, weight);
    return {
      rows,
      scale: perRow === '' ? scale : emit.mul(scale, emit.reshape(perRow, emit.ints(-1))),
      shape,
    };
  }

  /** x = diag(s) · u ∘ f, where this product alone reads it, as u ∘ f and s: scales by row pass through to the product. */
  #withoutRowScale(x: string): { tensor: string; perRow: string } {
    const { graph } = this;
    const product = graph.producer(x);
    const scaled = product?.inputs.find((input) => this.#rowScaled.has(input));
    const factor = product?.inputs.find((input) => input !== scaled);
    const parts = this.#rowScaled.get(scaled ?? '');
    const isOnly = graph.consumers(x).length === 1 && graph.consumers(scaled ?? '').length === 1;
    if (product?.opType !== 'Mul' || !parts || factor === undefined || !isOnly || graph.outputs.has(x))
      return { tensor: x, perRow: '' };
    return { tensor: this.#emit.mul(parts.unscaled, factor), perRow: parts.perRow };
  }

  #product(codes: string, scale: string, zeroPoint: string, weight: Int8Matrix, bias = ''): string {
    const inputs = [codes, weight.codes, scale, weight.scale, zeroPoint, weight.zeroPoint, bias];
    const given = inputs.slice(0, bias === '' ? (weight.zeroPoint === '' ? 5 : 6) : 7);
    return this.#emit.node('MatMulIntegerToFloat', given, {}, { domain: 'com.microsoft' })[0] ?? '';
  }

  #weight({ weight, isTransposed }: WeightUse): Int8Matrix {
    const key = `${weight} ${isTransposed}`;
    const known = this.#weights.get(key);
    if (known) return known;
    let matrix: Int8Matrix;
    if (isTransposed) {
      const plain = this.#weight({ weight, isTransposed: false });
      matrix = { ...plain, codes: this.#emit.transpose(plain.codes, [1, 0]) };
    } else matrix = this.#storedCodes(weight) ?? this.#quantised(weight);
    this.#weights.set(key, matrix);
    return matrix;
  }

  /** Codes that the model holds already, where one scale goes for all of them. */
  #storedCodes(weight: string): Int8Matrix | undefined {
    const node = this.graph.producer(weight);
    const [codes = '', scale = '', zeroPoint = ''] = node?.inputs ?? [];
    const isOne = [scale, zeroPoint].every(
      (each) => each === '' || this.graph.initializers.get(each)?.dims.length === 0,
    );
    return node?.opType === 'DequantizeLinear' && isOne ? { codes, scale, zeroPoint } : undefined;
  }

  /** Written as operators on a constant, which onnxruntime folds at load: nothing of the weights passes through here. */
  #quantised(weight: string): Int8Matrix {
    const emit = this.#emit;
    const scale = this.#scales(weight, [0, 1]);
    const zeroPoint = byteConstant(emit, DataType.int8, [], new Uint8Array(1));
    return { codes: emit.op('QuantizeLinear', [weight, scale, zeroPoint]), scale, zeroPoint };
  }

  /** max |x| / 127 along axes; the extremes apart, because a copy of |x| would cost more than a second pass. */
  #scales(tensor: string, axes: readonly number[]): string {
    const emit = this.#emit;
    const extremes = [emit.reduceMax(tensor, axes, 0), emit.neg(emit.reduceMin(tensor, axes, 0))];
    // A row of zeros has codes of 0 on any scale.
    const magnitude = emit.op('Max', [...extremes, emit.float(1e-30)]);
    return emit.scale(magnitude, 1 / LARGEST_CODE);
  }
}
