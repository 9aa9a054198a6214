import { intAttribute, intsAttribute } from '../graph/emitter.js';
import { DataType } from '../graph/types.js';
import { axesUpTo, positiveAxis, type Rule, type RuleContext } from './rule.js';

/** Axes of a reduction, from the attribute or the constant second input; all axes where neither is given. */
function reducedAxes(context: RuleContext): number[] {
  const { node, graph, shapes, x } = context;
  const rank = shapes.rank(x[0] ?? '');
  const second = x[1] ?? '';
  const given = second === '' ? intsAttribute(node, 'axes') : graph.constantValues(second);
  if (second !== '' && given === undefined) throw context.unsupported('axes that are computed in the graph');
  if (given === undefined || given.length === 0) {
    return intAttribute(node, 'noop_with_empty_axes', 0) ? [] : axesUpTo(rank);
  }
  return given.map((axis) => positiveAxis(axis, rank)).sort((a, b) => a - b);
}

/** A reduced tensor with its reduced axes back as extents of 1. */
function withAxes(context: RuleContext, tensor: string): string {
  if (intAttribute(context.node, 'keepdims', 1)) return tensor;
  const axes = reducedAxes(context);
  return axes.length === 0 ? tensor : context.emit.unsqueeze(tensor, axes);
}

function spread(context: RuleContext, tensor: string): string {
  return context.emit.op('Expand', [withAxes(context, tensor), context.emit.shape(context.x[0] ?? '')]);
}

const selectExtremum: Rule = (context) => {
  const { x, y, g, emit } = context;
  const chosen = emit.cast(emit.op('Equal', [x[0] ?? '', withAxes(context, y)]), DataType.float32);
  const ties = emit.reduceSum(chosen, reducedAxes(context), 1);
  return [emit.mul(emit.div(withAxes(context, g), ties), chosen)];
};

/** Reductions; the second input (axes) never has a gradient. */
export const reductionRules = {
  // y = Σ x  ⇒  dx = g
  ReduceSum: (context) => [spread(context, context.g)],
  // y = Σ x / n  ⇒  dx = g / n
  ReduceMean: (context) => {
    const { emit, shapes, x } = context;
    const [input = ''] = x;
    const axes = reducedAxes(context);
    const extents = axes.map((axis) => shapes.dims(input)[axis] ?? null);
    const isStatic = extents.every((extent) => extent !== null);
    const count = extents.reduce<number>((product, extent) => product * (extent ?? 1), 1);
    const scaled = isStatic ? emit.scale(context.g, 1 / count) : emit.div(context.g, emit.count(input, axes));
    return [spread(context, scaled)];
  },
  // y = Σ x²  ⇒  dx = 2 g x
  ReduceSumSquare: (context) => [
    context.emit.mul(withAxes(context, context.emit.scale(context.g, 2)), context.x[0] ?? ''),
  ],
  // y = √Σ x²  ⇒  dx = g x / y, 0 where y = 0
  ReduceL2: (context) => {
    const { emit, g, y, x } = context;
    const isZero = emit.op('Equal', [y, emit.float(0)]);
    const quotient = emit.div(g, emit.op('Where', [isZero, emit.float(1), y]));
    return [emit.mul(withAxes(context, quotient), x[0] ?? '')];
  },
  // y = ln Σ eˣ  ⇒  dx = g · e^(x − y)
  ReduceLogSumExp: (context) => {
    const { emit, g, y, x } = context;
    const share = emit.op('Exp', [emit.sub(x[0] ?? '', withAxes(context, y))]);
    return [emit.mul(withAxes(context, g), share)];
  },
  // The gradient goes to the extremum, in equal parts where several elements share it.
  ReduceMax: selectExtremum,
  ReduceMin: selectExtremum,
} as const satisfies Record<string, Rule>;
