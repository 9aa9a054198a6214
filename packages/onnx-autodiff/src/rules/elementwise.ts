import { DataType } from '../graph/types.js';
import type { Rule, RuleContext } from './rule.js';

/** Where the node's output equals an input, as 0/1: which input a Min, Max or Clip let through. */
function passedThrough({ emit, y }: RuleContext, input: string): string {
  return emit.cast(emit.op('Equal', [input, y]), DataType.float32);
}

// The gradient goes to the input that was let through, in equal parts to several that are equal.
const select: Rule = (context) => {
  const { x, y, g, emit, wanted, sumTo } = context;
  if (x.length === 1) return [g];
  const chosen = x.map((input) => passedThrough(context, input));
  const share = emit.div(g, emit.op('Sum', chosen));
  return x.map((input, index) =>
    wanted[index] ? sumTo(emit.mul(share, chosen[index] ?? ''), y, input) : undefined,
  );
};

/** Arithmetic, with broadcasting (ONNX: Multidirectional Broadcasting). */
export const elementwiseRules = {
  // y = a + b + …  ⇒  da = g
  Add: ({ x, y, g, wanted, sumTo }) =>
    x.map((input, index) => (wanted[index] ? sumTo(g, y, input) : undefined)),
  Sum: ({ x, y, g, wanted, sumTo }) =>
    x.map((input, index) => (wanted[index] ? sumTo(g, y, input) : undefined)),

  // y = a − b  ⇒  da = g, db = −g
  Sub: ({ x: [a = '', b = ''], y, g, wanted, sumTo, emit }) => [
    wanted[0] ? sumTo(g, y, a) : undefined,
    wanted[1] ? sumTo(emit.neg(g), y, b) : undefined,
  ],

  // y = a · b  ⇒  da = g · b, db = g · a
  Mul: ({ x: [a = '', b = ''], y, g, wanted, sumTo, emit }) => [
    wanted[0] ? sumTo(emit.mul(g, b), y, a) : undefined,
    wanted[1] ? sumTo(emit.mul(g, a), y, b) : undefined,
  ],

  // y = a / b  ⇒  da = g / b, db = −(g / b) · y
  Div: ({ x: [a = '', b = ''], y, g, wanted, sumTo, emit, graph }) => {
    const divisor = graph.scalar(b);
    const quotient = divisor === undefined ? emit.div(g, b) : emit.scale(g, 1 / divisor);
    return [
      wanted[0] ? sumTo(quotient, y, a) : undefined,
      wanted[1] ? sumTo(emit.neg(emit.mul(quotient, y)), y, b) : undefined,
    ];
  },

  // y = a^p  ⇒  da = g · p · a^(p−1), dp = g · y · ln a, 0 where a = 0
  Pow: ({ x: [a = '', p = ''], y, g, wanted, sumTo, emit, graph }) => {
    const exponent = graph.scalar(p);
    const slope = (): string => {
      if (exponent === undefined) {
        const power = emit.cast(p, DataType.float32);
        return emit.mul(power, emit.op('Pow', [a, emit.sub(power, emit.float(1))]));
      }
      if (exponent === 0) return emit.float(0);
      if (exponent === 2) return emit.scale(a, 2);
      if (exponent === 3) return emit.scale(emit.mul(a, a), 3);
      return emit.scale(emit.op('Pow', [a, emit.float(exponent - 1)]), exponent);
    };
    const logarithm = (): string => {
      const isZero = emit.op('Equal', [a, emit.float(0)]);
      return emit.op('Log', [emit.op('Where', [isZero, emit.float(1), a])]);
    };
    return [
      wanted[0] ? sumTo(emit.mul(g, slope()), y, a) : undefined,
      wanted[1] ? sumTo(emit.mul(emit.mul(g, y), logarithm()), y, p) : undefined,
    ];
  },

  // y = √x  ⇒  dx = g / (2 y)
  Sqrt: ({ y, g, emit }) => [emit.div(emit.scale(g, 0.5), y)],
  // y = 1 / x  ⇒  dx = −g · y²
  Reciprocal: ({ y, g, emit }) => [emit.neg(emit.mul(g, emit.mul(y, y)))],
  // y = eˣ  ⇒  dx = g · y
  Exp: ({ y, g, emit }) => [emit.mul(g, y)],
  // y = ln x  ⇒  dx = g / x
  Log: ({ x: [x = ''], g, emit }) => [emit.div(g, x)],
  Neg: ({ g, emit }) => [emit.neg(g)],
  // y = |x|  ⇒  dx = g · sign x
  Abs: ({ x: [x = ''], g, emit }) => [emit.mul(g, emit.op('Sign', [x]))],
  // y = sin x  ⇒  dx = g · cos x
  Sin: ({ x: [x = ''], g, emit }) => [emit.mul(g, emit.op('Cos', [x]))],
  // y = cos x  ⇒  dx = −g · sin x
  Cos: ({ x: [x = ''], g, emit }) => [emit.neg(emit.mul(g, emit.op('Sin', [x])))],

  // The gradient goes to the input that was let through.
  Clip: (context) => [
    context.emit.mul(context.g, passedThrough(context, context.x[0] ?? '')),
    ...context.x.slice(1).map(() => undefined),
  ],
  Min: select,
  Max: select,

  // y = c ? a : b  ⇒  da = c ? g : 0, db = c ? 0 : g
  Where: ({ x: [condition = '', a = '', b = ''], y, g, wanted, sumTo, emit }) => [
    undefined,
    wanted[1] ? sumTo(emit.op('Where', [condition, g, emit.float(0)]), y, a) : undefined,
    wanted[2] ? sumTo(emit.op('Where', [condition, emit.float(0), g]), y, b) : undefined,
  ],

  // Casts between float types; the whole graph computes in float32.
  Cast: ({ g, emit }) => [emit.cast(g, DataType.float32)],
  Identity: ({ g }) => [g],
  // At inference, which is what an export holds, y = x.
  Dropout: ({ g, x, graph, unsupported }) => {
    const isTraining = (x[2] ?? '') !== '' && graph.scalar(x[2]) !== 0;
    if (isTraining) throw unsupported('Dropout in training mode');
    return [g, ...x.slice(1).map(() => undefined)];
  },
} as const satisfies Record<string, Rule>;
