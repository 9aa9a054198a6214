import { intAttribute } from '../graph/emitter.js';
import { DataType } from '../graph/types.js';
import { productGradients } from '../rules/product.js';
import { axesUpTo, positiveAxis, type Rule, type RuleContext } from '../rules/rule.js';
import type { StaticShape } from '../session/probe.js';
import { bitsandbytesWeight, blockWeight } from './block-weights.js';
import { dequantise, dequantised, type DequantisedMatrix, type Quantisation } from './weights.js';

/** Lowest and highest code of the element types that activations are quantised to. */
const CODES: Readonly<Record<number, readonly [number, number]>> = {
  [DataType.uint8]: [0, 255],
  [DataType.int8]: [-128, 127],
  [DataType.uint16]: [0, 65535],
  [DataType.int16]: [-32768, 32767],
};

/** The float matrix that a quantised operand stands for: what was quantised, else its values. */
function floatOf(context: RuleContext, operand: string, quantisation: Quantisation): DequantisedMatrix {
  const producer = context.graph.producer(operand);
  const isDynamic = producer?.opType === 'DynamicQuantizeLinear' && producer.domain === '';
  return isDynamic
    ? { matrix: producer.inputs[0] ?? '', columns: undefined }
    : dequantised(context, operand, quantisation);
}

/** Gradients of a product of two operands, as if it were one of the float matrices that they stand for. */
function quantisedProduct(
  context: RuleContext,
  operands: readonly [a: string, b: string],
  [a, b]: readonly [string, DequantisedMatrix],
): (string | undefined)[] {
  const stored = new Map([
    [a, operands[0]],
    [b.matrix, operands[1]],
  ]);
  const dims = (tensor: string): StaticShape => context.shapes.dims(stored.get(tensor) ?? tensor);
  const shapes = { dims, rank: (tensor: string) => dims(tensor).length };
  // g · (B D)ᵀ = (g D) · Bᵀ for a diagonal D
  const g = b.columns === undefined ? context.g : context.emit.mul(context.g, b.columns);
  return productGradients({ ...context, g, x: [a, b.matrix], shapes }, { transA: 0, transB: 0, alpha: 1 });
}

/** y = x · Wᵀ with a weight W [N, K]  ⇒  dx = g · W; the bias, last of six inputs, has g. */
function weightProduct(context: RuleContext, weight: string): (string | undefined)[] {
  const { x, g, emit, wanted, shapes } = context;
  const bias = (): string => emit.reduceSum(g, axesUpTo(shapes.rank(context.y) - 1), 0);
  return x.map((_, index) => {
    if (!wanted[index]) return undefined;
    if (index === 0) return emit.fusedMatMul(g, weight, 0, 0);
    return index === 5 ? bias() : undefined;
  });
}

/**
 * Straight through (Bengio, Léonard & Courville 2013): forward stays the quantised computation, backward takes it for the one it
 * stands for. The gradient that arrives at a tensor of integers is that with respect to the real numbers it stands for.
 */
export const quantisedRules = {
  // y = quantised x, with a range that x itself sets  ⇒  dx = g
  DynamicQuantizeLinear: ({ g }) => [g],

  // y = clip(round(x / s) + z)  ⇒  dx = g where y is inside its range, 0 at both ends, where x may be clipped. Reading x instead
  // would keep onnxruntime from computing what makes x, its QLinearMatMul, in int8.
  QuantizeLinear: (context) => {
    const { x, y, g, emit, node, graph, shapes } = context;
    const [, scale = '', zeroPoint = ''] = x;
    if (intAttribute(node, 'block_size', 0) !== 0) throw context.unsupported('quantisation in blocks');
    const type = graph.initializers.get(zeroPoint)?.dataType ?? intAttribute(node, 'output_dtype', 0);
    const codes = CODES[type || DataType.uint8];
    if (!codes) throw context.unsupported(`codes of element type ${type}`);
    const rank = shapes.rank(y);
    const axis = shapes.rank(scale) === 1 ? positiveAxis(intAttribute(node, 'axis', 1), rank) : undefined;
    const along = (tensor: string): string =>
      axis === undefined
        ? tensor
        : emit.reshape(tensor, emit.ints(...axesUpTo(rank).map((each) => (each === axis ? -1 : 1))));
    const zero = zeroPoint === '' ? emit.float(0) : emit.cast(zeroPoint, DataType.float32);
    const bound = (code: number): string => along(emit.mul(emit.sub(emit.float(code), zero), scale));
    const values = dequantise(emit, y, scale, zeroPoint, axis);
    const isAbove = emit.op('Greater', [values, bound(codes[0] + 0.5)]);
    const isBelow = emit.op('Less', [values, bound(codes[1] - 0.5)]);
    const isInside = emit.op('And', [isAbove, isBelow]);
    return [emit.op('Where', [isInside, g, emit.float(0)]), undefined, undefined];
  },
  // y = (x − z) · s, and x stands for y  ⇒  dx = g
  DequantizeLinear: ({ g }) => [g, undefined, undefined],

  // y = a · b of quantised a and b  ⇒  as for MatMul
  'com.microsoft.MatMulIntegerToFloat': (context) => {
    const { x, g, emit, wanted, shapes, y } = context;
    const [a = '', b = '', scaleOfA = '', scaleOfB = '', zeroOfA = '', zeroOfB = ''] = x;
    const floatA = floatOf(context, a, { scale: scaleOfA, zeroPoint: zeroOfA });
    const floatB = floatOf(context, b, { scale: scaleOfB, zeroPoint: zeroOfB });
    const gradients = quantisedProduct(context, [a, b], [floatA.matrix, floatB]);
    const bias = wanted[6] ? emit.reduceSum(g, axesUpTo(shapes.rank(y) - 1), 0) : undefined;
    return [...gradients, undefined, undefined, undefined, undefined, bias];
  },
  // y = a · b with a quantised on the way
  'com.microsoft.DynamicQuantizeMatMul': (context) => {
    const { x, g, emit, wanted, shapes, y } = context;
    const [a = '', b = '', scale = '', zeroPoint = ''] = x;
    const gradients = quantisedProduct(context, [a, b], [a, dequantised(context, b, { scale, zeroPoint })]);
    const bias = wanted[4] ? emit.reduceSum(g, axesUpTo(shapes.rank(y) - 1), 0) : undefined;
    return [...gradients, undefined, undefined, bias];
  },
  // Weights of 4 or 8 bits in blocks.
  'com.microsoft.MatMulNBits': (context) => weightProduct(context, blockWeight(context)),
  'com.microsoft.MatMulBnb4': (context) => weightProduct(context, bitsandbytesWeight(context)),
} as const satisfies Record<string, Rule>;
