import { floatAttribute, intAttribute } from '../graph/emitter.js';
import { positiveAxis, type Rule, type RuleContext } from './rule.js';

/**
 * Added to the argument of a GELU so that it is never 0: below the last digit of any number that a network computes, and no
 * round number that could cancel it.
 */
const NEVER_ZERO = 1.0884137e-30;

// y = x · Φ(x)  ⇒  dx = g · (Φ(x) + x · φ(x)), Φ and φ the standard normal distribution and density.
// Φ = y / x: one pass over memory where erf takes four, and no digit lost, for y is x · Φ rounded once.
const gelu: Rule = ({ x: [x = ''], y, g, emit, graph, node }) => {
  const argument = emit.add(x, emit.float(NEVER_ZERO));
  graph.setInputs(node, [argument]);
  const exponential = emit.op('Exp', [emit.mul(argument, emit.scale(argument, -0.5))]);
  const density = emit.scale(exponential, 1 / Math.sqrt(2 * Math.PI));
  return [emit.mul(g, emit.add(emit.div(y, argument), emit.mul(argument, density)))];
};

// y = x · s, s = ½(1 + tanh u), u = √(2/π)(x + 0.044715 x³)  ⇒  dx = g · (s + x · 2 s (1 − s) · u′)
const tanhGelu: Rule = ({ x: [x = ''], g, emit }) => {
  const k = Math.sqrt(2 / Math.PI);
  const square = emit.mul(x, x);
  const u = emit.mul(x, emit.add(emit.scale(square, k * 0.044715), emit.float(k)));
  const s = emit.add(emit.scale(emit.op('Tanh', [u]), 0.5), emit.float(0.5));
  const doubledSlope = emit.add(emit.scale(square, 6 * 0.044715 * k), emit.float(2 * k));
  const bump = emit.mul(s, emit.sub(emit.float(1), s));
  return [emit.mul(g, emit.add(s, emit.mul(emit.mul(x, doubledSlope), bump)))];
};

/** σ(αx) of a logistic activation and its gradient factors. */
function sigmoid({ emit }: RuleContext, x: string, alpha: number): string {
  return emit.op('Sigmoid', [emit.scale(x, alpha)]);
}

// y = x · σ(αx)  ⇒  dx = g · (σ + α · y · (1 − σ))
const swish =
  (alphaOf: (context: RuleContext) => number): Rule =>
  (context) => {
    const { x, y, g, emit } = context;
    const alpha = alphaOf(context);
    const gate = sigmoid(context, x[0] ?? '', alpha);
    const rest = emit.scale(emit.mul(y, emit.sub(emit.float(1), gate)), alpha);
    return [emit.mul(g, emit.add(gate, rest))];
  };

/** Nonlinearities and softmax. */
export const activationRules = {
  // y = erf x  ⇒  dx = g · 2/√π · e^(−x²)
  Erf: ({ x: [x = ''], g, emit }) => {
    const exponential = emit.op('Exp', [emit.neg(emit.mul(x, x))]);
    return [emit.mul(g, emit.scale(exponential, 2 / Math.sqrt(Math.PI)))];
  },
  // y = tanh x  ⇒  dx = g · (1 − y²)
  Tanh: ({ y, g, emit }) => [emit.mul(g, emit.sub(emit.float(1), emit.mul(y, y)))],
  // y = σ(x)  ⇒  dx = g · y · (1 − y)
  Sigmoid: ({ y, g, emit }) => [emit.mul(g, emit.mul(y, emit.sub(emit.float(1), y)))],
  // y = max(x, 0)  ⇒  dx = g · [y > 0]
  Relu: ({ y, g, emit }) => [emit.mul(g, emit.op('Sign', [y]))],
  // y = ln(1 + eˣ)  ⇒  dx = g · σ(x)
  Softplus: ({ x: [x = ''], g, emit }) => [emit.mul(g, emit.op('Sigmoid', [x]))],
  // y = x for x ≥ 0, αx below  ⇒  dx = g · (x ≥ 0 ? 1 : α)
  LeakyRelu: ({ x: [x = ''], g, emit, node }) => {
    const isNegative = emit.op('Less', [x, emit.float(0)]);
    const slope = emit.op('Where', [
      isNegative,
      emit.float(floatAttribute(node, 'alpha', 0.01)),
      emit.float(1),
    ]);
    return [emit.mul(g, slope)];
  },
  Gelu: (context) => {
    const approximate = context.node.attributes.get('approximate');
    const isTanh = approximate?.kind === 'string' && approximate.value === 'tanh';
    return isTanh ? tanhGelu(context) : gelu(context);
  },
  'com.microsoft.Gelu': gelu,
  'com.microsoft.FastGelu': (context) => {
    if ((context.x[1] ?? '') !== '') throw context.unsupported('FastGelu with a bias');
    return tanhGelu(context);
  },
  'com.microsoft.QuickGelu': swish(({ node }) => floatAttribute(node, 'alpha', 1.702)),

  // y = softmax x  ⇒  dx = y · (g − Σ g·y)
  Softmax: ({ x: [x = ''], y, g, emit, node, shapes, softmaxRowSums }) => {
    const axis = positiveAxis(intAttribute(node, 'axis', -1), shapes.rank(x));
    const rowSums = softmaxRowSums.get(y) ?? emit.reduceSum(emit.mul(g, y), [axis], 1);
    return [emit.mul(y, emit.sub(g, rowSums))];
  },
  // y = log softmax x  ⇒  dx = g − e^y · Σ g
  LogSoftmax: ({ x: [x = ''], y, g, emit, node, shapes }) => {
    const axis = positiveAxis(intAttribute(node, 'axis', -1), shapes.rank(x));
    return [emit.sub(g, emit.mul(emit.op('Exp', [y]), emit.reduceSum(g, [axis], 1)))];
  },
} as const satisfies Record<string, Rule>;
