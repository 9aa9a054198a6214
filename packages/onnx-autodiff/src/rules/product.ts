import { floatAttribute, intAttribute } from '../graph/emitter.js';
import { positiveAxis, type Rule, type RuleContext } from './rule.js';

type Flag = 0 | 1;

interface Product {
  readonly transA: Flag;
  readonly transB: Flag;
  readonly alpha: number;
}

/** Whether the batch axes of `a` were broadcast against those of `b`. */
function isBroadcast({ shapes }: RuleContext, a: string, b: string): boolean {
  const own = shapes.dims(a).slice(0, -2);
  const other = shapes.dims(b).slice(0, -2);
  const offset = other.length - own.length;
  return offset > 0 || own.some((extent, axis) => extent === 1 && other[axis + offset] !== 1);
}

/**
 * y = α · op(a) op(b)  ⇒  da = α · g op(b)ᵀ, db = α · op(a)ᵀ g, each transposed back if its operand was.
 * FusedMatMul transposes on the fly; a constant operand is repacked once, at load.
 */
export function productGradients(
  context: RuleContext,
  product: Product,
  isSum = false,
): (string | undefined)[] {
  const { x, y, g, emit, wanted, shapes, sumTo } = context;
  const [a = '', b = ''] = x;
  if (shapes.rank(a) < 2 || shapes.rank(b) < 2) throw context.unsupported('a product with a vector');
  const { transA, transB, alpha } = product;
  if (!isSum) noteSoftmaxRowSums(context, transA);

  const leftGradient = (): string => {
    const gradient = transA
      ? emit.fusedMatMul(b, g, transB, 1, alpha)
      : emit.fusedMatMul(g, b, 0, transB ? 0 : 1, alpha);
    return isBroadcast(context, a, b) ? sumTo(gradient, y, a) : gradient;
  };
  const rightGradient = (): string => {
    if (shapes.rank(b) === 2 && shapes.rank(a) > 2 && !transA) return weightGradient();
    const gradient = transB
      ? emit.fusedMatMul(g, a, 1, transA, alpha)
      : emit.fusedMatMul(a, g, transA ? 0 : 1, 0, alpha);
    return isBroadcast(context, b, a) ? sumTo(gradient, y, b) : gradient;
  };
  // A matrix that all batches share: one product over all rows instead of a product per batch and a sum.
  const weightGradient = (): string => {
    const rows = (tensor: string, rank: number): string =>
      emit.reshape(tensor, emit.concat([emit.ints(-1), emit.extents(tensor, rank - 1)], 0));
    const [flatA, flatG] = [rows(a, shapes.rank(a)), rows(g, shapes.rank(y))];
    return transB ? emit.fusedMatMul(flatG, flatA, 1, 0, alpha) : emit.fusedMatMul(flatA, flatG, 1, 0, alpha);
  };
  return [wanted[0] ? leftGradient() : undefined, wanted[1] ? rightGradient() : undefined];
}

/**
 * For attention P V with P = softmax: Σ_j dP_ij P_ij = Σ_d g_id y_id (Dao et al. 2022, FlashAttention, eq. 4), a sum over the
 * head width instead of one over the sequence.
 */
function noteSoftmaxRowSums(context: RuleContext, transA: Flag): void {
  const { x, y, g, emit, graph, shapes, wanted, softmaxRowSums } = context;
  const [a = '', b = ''] = x;
  const softmax = graph.producer(a);
  if (!wanted[0] || transA || softmax?.opType !== 'Softmax' || graph.consumers(a).length > 1) return;
  if (isBroadcast(context, a, b)) return;
  const rank = shapes.rank(a);
  if (positiveAxis(intAttribute(softmax, 'axis', -1), rank) !== rank - 1) return;
  softmaxRowSums.set(a, emit.reduceSum(emit.mul(g, y), [-1], 1));
}

/** Matrix products. */
export const productRules = {
  MatMul: (context) => productGradients(context, { transA: 0, transB: 0, alpha: 1 }),
  'com.microsoft.FusedMatMul': (context) => {
    const { node } = context;
    if (intAttribute(node, 'transBatchA', 0) !== 0 || intAttribute(node, 'transBatchB', 0) !== 0) {
      throw context.unsupported('FusedMatMul with transposed batches');
    }
    return productGradients(context, {
      transA: intAttribute(node, 'transA', 0) ? 1 : 0,
      transB: intAttribute(node, 'transB', 0) ? 1 : 0,
      alpha: floatAttribute(node, 'alpha', 1),
    });
  },
  // y = α · op(a) op(b) + β · c
  Gemm: (context) => {
    const { node, x, y, g, emit, wanted, sumTo } = context;
    const bias = x[2] ?? '';
    const product = {
      transA: intAttribute(node, 'transA', 0) ? 1 : 0,
      transB: intAttribute(node, 'transB', 0) ? 1 : 0,
      alpha: floatAttribute(node, 'alpha', 1),
    } as const;
    const gradients = productGradients(context, product, bias !== '');
    gradients.push(wanted[2] ? sumTo(emit.scale(g, floatAttribute(node, 'beta', 1)), y, bias) : undefined);
    return gradients;
  },
} as const satisfies Record<string, Rule>;
