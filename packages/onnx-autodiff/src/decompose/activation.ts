import { floatAttribute } from '../graph/emitter.js';
import type { Decomposition, DecompositionContext } from './decomposition.js';

const MICROSOFT = { domain: 'com.microsoft' };

/** min(x, 0): keeps the exponential of a positive x, which the other branch covers, from overflowing into NaN gradients. */
function negativePart({ emit }: DecompositionContext, x: string): string {
  return emit.op('Min', [x, emit.float(0)]);
}

// x < 0 ? α(eˣ − 1) : x
function elu(context: DecompositionContext, x: string, alpha: number): string {
  const { emit } = context;
  const curve = emit.sub(emit.op('Exp', [negativePart(context, x)]), emit.float(1));
  return emit.op('Where', [emit.op('Less', [x, emit.float(0)]), emit.scale(curve, alpha), x]);
}

// max(0, min(1, αx + β))
function hardSigmoid({ emit }: DecompositionContext, x: string, alpha: number, beta: number): string {
  const line = emit.add(emit.scale(x, alpha), emit.float(beta));
  return emit.op('Clip', [line, emit.float(0), emit.float(1)]);
}

/** Nonlinearities (formulas: onnx/docs/Operators.md, onnxruntime/docs/ContribOperators.md). */
export const activationDecompositions = {
  // gelu(x + bias)
  'com.microsoft.BiasGelu': ({ x: [x = '', bias = ''], emit }) =>
    emit.node('Gelu', [emit.add(x, bias)], {}, MICROSOFT),
  // FastGelu(x + bias); without a bias it has a rule
  'com.microsoft.FastGelu': ({ x: [x = '', bias = ''], emit }) =>
    bias === '' ? undefined : emit.node('FastGelu', [emit.add(x, bias)], {}, MICROSOFT),
  // x · σ(αx)
  Swish: ({ node, x: [x = ''], emit }) =>
    emit.node('QuickGelu', [x], { alpha: { float: floatAttribute(node, 'alpha', 1) } }, MICROSOFT),
  HardSigmoid: (context) => {
    const { node, x } = context;
    const [alpha, beta] = [floatAttribute(node, 'alpha', 0.2), floatAttribute(node, 'beta', 0.5)];
    return [hardSigmoid(context, x[0] ?? '', alpha, beta)];
  },
  // x · max(0, min(1, x/6 + ½))
  HardSwish: (context) => {
    const [x = ''] = context.x;
    return [context.emit.mul(x, hardSigmoid(context, x, 1 / 6, 0.5))];
  },
  // x · tanh(ln(1 + eˣ))
  Mish: ({ x: [x = ''], emit }) => [emit.mul(x, emit.op('Tanh', [emit.op('Softplus', [x])]))],
  Elu: (context) => [elu(context, context.x[0] ?? '', floatAttribute(context.node, 'alpha', 1))],
  // γ · elu(x)
  Selu: (context) => {
    const alpha = floatAttribute(context.node, 'alpha', 1.67326319217681884765625);
    const gamma = floatAttribute(context.node, 'gamma', 1.05070102214813232421875);
    return [context.emit.scale(elu(context, context.x[0] ?? '', alpha), gamma)];
  },
  // max(0, x) + min(0, α(e^(x/α) − 1))
  Celu: (context) => {
    const [x = ''] = context.x;
    const { emit, node } = context;
    const alpha = floatAttribute(node, 'alpha', 1);
    const exponential = emit.op('Exp', [emit.scale(negativePart(context, x), 1 / alpha)]);
    const curve = emit.scale(emit.sub(exponential, emit.float(1)), alpha);
    return [emit.op('Where', [emit.op('Less', [x, emit.float(0)]), curve, x])];
  },
  // x < 0 ? slope · x : x
  PRelu: ({ x: [x = '', slope = ''], emit }) => [
    emit.op('Where', [emit.op('Less', [x, emit.float(0)]), emit.mul(x, slope), x]),
  ],
  // x > α ? x : 0
  ThresholdedRelu: ({ node, x: [x = ''], emit }) => {
    const threshold = emit.float(floatAttribute(node, 'alpha', 1));
    return [emit.op('Where', [emit.op('Greater', [x, threshold]), x, emit.float(0)])];
  },
  // x / (1 + |x|)
  Softsign: ({ x: [x = ''], emit }) => [emit.div(x, emit.add(emit.op('Abs', [x]), emit.float(1)))],
} as const satisfies Record<string, Decomposition>;

/** Activations that onnxruntime fuses into products, with the parameters they take. */
const FUSED: Readonly<
  Record<string, (context: DecompositionContext, x: string, parameters: readonly number[]) => string>
> = {
  Relu: ({ emit }, x) => emit.op('Relu', [x]),
  Tanh: ({ emit }, x) => emit.op('Tanh', [x]),
  Sigmoid: ({ emit }, x) => emit.op('Sigmoid', [x]),
  LeakyRelu: ({ emit }, x, [alpha = 0.01]) => emit.op('LeakyRelu', [x], { alpha: { float: alpha } }),
  Clip: ({ emit }, x, [low = -3.4e38, high = 3.4e38]) =>
    emit.op('Clip', [x, emit.float(low), emit.float(high)]),
  HardSigmoid: (context, x, [alpha = 0.2, beta = 0.5]) => hardSigmoid(context, x, alpha, beta),
};

/** The activation of a fused product, by its name in the node; '' is none. */
export function fusedActivation(
  context: DecompositionContext,
  name: string,
): (x: string, parameters: readonly number[]) => string {
  if (name === '') return (x) => x;
  const activation = FUSED[name];
  if (!activation) throw context.unsupported(`its activation ${name} is not known`);
  return (x, parameters) => activation(context, x, parameters);
}
