import { intAttribute } from '../graph/emitter.js';
import { axesUpTo, positiveAxis, type Rule, type RuleContext } from './rule.js';

/** Names an optional output so that the kernel computes it. */
function requestOutput({ graph, node }: RuleContext, index: number, hint: string): string {
  const existing = node.outputs[index];
  if (existing !== undefined && existing !== '') return existing;
  const outputs = Array.from(
    { length: Math.max(node.outputs.length, index + 1) },
    (_, i) => node.outputs[i] ?? '',
  );
  outputs[index] = graph.fresh(hint);
  graph.setOutputs(node, outputs);
  return outputs[index];
}

function normalisedAxes({ node, shapes, x }: RuleContext): number[] {
  const rank = shapes.rank(x[0] ?? '');
  return axesUpTo(rank).slice(positiveAxis(intAttribute(node, 'axis', -1), rank));
}

/** Layer and root-mean-square normalisation; 1/σ and the mean come from the forward kernel. */
export const normalizationRules = {
  // c = x − μ, r = 1/σ, y = c r γ + β, h = g γ
  // ⇒  dx = r (h − mean h − c · r² mean(h c)), dγ = Σ g c r, dβ = Σ g
  LayerNormalization: (context) => {
    const { x, y, g, emit, wanted, sumTo } = context;
    const [input = '', gamma = '', beta = ''] = x;
    const axes = normalisedAxes(context);
    const mean = requestOutput(context, 1, 'mean');
    const inverseDeviation = requestOutput(context, 2, 'inverse_deviation');
    const centred = emit.sub(input, mean);
    const inputGradient = (): string => {
      const h = emit.mul(g, gamma);
      // Factors of a row first: every product with a whole tensor is a pass over memory.
      const squared = emit.mul(inverseDeviation, inverseDeviation);
      const slope = emit.mul(squared, emit.reduceMean(emit.mul(h, centred), axes, 1));
      const along = emit.mul(centred, slope);
      return emit.mul(inverseDeviation, emit.sub(emit.sub(h, emit.reduceMean(h, axes, 1)), along));
    };
    return [
      wanted[0] ? inputGradient() : undefined,
      wanted[1] ? sumTo(emit.mul(g, emit.mul(centred, inverseDeviation)), y, gamma) : undefined,
      wanted[2] ? sumTo(g, y, beta) : undefined,
    ];
  },
  // y = x r γ, r = 1/√(mean x² + ε)  ⇒  dx = h r − x r³ mean(h x) with h = g γ; dγ = Σ g x r
  SimplifiedLayerNormalization: (context) => {
    const { x, y, g, emit, wanted, sumTo } = context;
    const [input = '', gamma = ''] = x;
    const axes = normalisedAxes(context);
    const inverseRoot = requestOutput(context, 1, 'inverse_root');
    const inputGradient = (): string => {
      const h = emit.mul(g, gamma);
      const projection = emit.reduceMean(emit.mul(h, input), axes, 1);
      const cube = emit.mul(inverseRoot, emit.mul(inverseRoot, inverseRoot));
      return emit.sub(emit.mul(h, inverseRoot), emit.mul(input, emit.mul(projection, cube)));
    };
    return [
      wanted[0] ? inputGradient() : undefined,
      wanted[1] ? sumTo(emit.mul(g, emit.mul(input, inverseRoot)), y, gamma) : undefined,
    ];
  },
} as const satisfies Record<string, Rule>;
