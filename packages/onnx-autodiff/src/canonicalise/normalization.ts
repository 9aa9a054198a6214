import { attributes, intAttribute, intsAttribute } from '../graph/emitter.js';
import type { Graph } from '../graph/graph.js';
import type { Node } from '../graph/types.js';
import { isClose, otherInput, producedBy, replaceNode, scalarAndOther, soleConsumer } from './patterns.js';
import { knownRanks } from './ranks.js';

/**
 * (x − mean) / sqrt(var + ε) · γ [+ β]  →  LayerNormalization (ONNX 17; onnxruntime has it for every operator set).
 * The fused kernel hands out mean and 1/σ, which its gradient needs.
 */
export function fuseLayerNormalization(graph: Graph): number {
  const ranks = knownRanks(graph);
  let count = 0;
  for (const division of [...graph.nodes]) {
    if (division.opType !== 'Div') continue;
    const centred = producedBy(graph, division.inputs[0], 'Sub');
    const variance = meanSquarePlusEpsilon(graph, division.inputs[1], ranks);
    if (!centred || !variance || variance.squared !== centred.outputs[0]) continue;
    const [x = '', meanTensor = ''] = centred.inputs;
    const mean = producedBy(graph, meanTensor, 'ReduceMean');
    if (mean?.inputs[0] !== x || !isOverLastAxis(graph, mean, ranks)) continue;
    const scaled = soleConsumer(graph, division.outputs[0], 'Mul');
    if (!scaled) continue;
    const gamma = otherInput(scaled, division.outputs[0] ?? '');
    const width = vectorWidth(graph, gamma);
    if (width === undefined) continue;
    const sum = soleConsumer(graph, scaled.outputs[0], 'Add');
    const beta = sum && otherInput(sum, scaled.outputs[0] ?? '');
    const hasBeta = beta !== undefined && vectorWidth(graph, beta) === width;
    if (beta !== undefined && graph.isConstant(beta) && !hasBeta) continue;
    replaceNode(graph, sum && hasBeta ? sum : scaled, {
      opType: 'LayerNormalization',
      domain: '',
      inputs: hasBeta ? [x, gamma, beta] : [x, gamma],
      attributes: attributes({ axis: -1, epsilon: { float: variance.epsilon } }),
    });
    count++;
  }
  return count;
}

/** x · 1/sqrt(mean(x²) + ε) · γ  →  SimplifiedLayerNormalization (RMSNorm of T5, Llama), which hands out 1/rms. */
export function fuseRmsNormalization(graph: Graph): number {
  const ranks = knownRanks(graph);
  let count = 0;
  for (const reciprocal of [...graph.nodes]) {
    const isDivision = reciprocal.opType === 'Div' && isClose(graph.scalar(reciprocal.inputs[0]), 1);
    if (!isDivision && reciprocal.opType !== 'Reciprocal') continue;
    const square = meanSquarePlusEpsilon(graph, reciprocal.inputs[isDivision ? 1 : 0], ranks);
    const normalised = soleConsumer(graph, reciprocal.outputs[0], 'Mul');
    if (!square || !normalised) continue;
    const x = otherInput(normalised, reciprocal.outputs[0] ?? '');
    const squaredCast = producedBy(graph, square.squared, 'Cast');
    if (square.squared !== x && squaredCast?.inputs[0] !== x) continue;
    const weighted = soleConsumer(graph, normalised.outputs[0], 'Mul');
    if (!weighted) continue;
    const gamma = otherInput(weighted, normalised.outputs[0] ?? '');
    if (vectorWidth(graph, gamma) === undefined) continue;
    replaceNode(graph, weighted, {
      opType: 'SimplifiedLayerNormalization',
      domain: '',
      inputs: [x, gamma],
      attributes: attributes({ axis: -1, epsilon: { float: square.epsilon }, stash_type: 1 }),
    });
    count++;
  }
  return count;
}

/** Length of a constant vector of several elements; one element would be broadcast, not one a feature. */
function vectorWidth(graph: Graph, tensor: string): number | undefined {
  const dims = graph.initializers.get(tensor)?.dims;
  const [width = 0] = dims ?? [];
  return dims?.length === 1 && width > 1 ? width : undefined;
}

/** Whether a reduction runs over the last axis alone and keeps it. */
function isOverLastAxis(graph: Graph, reduction: Node, ranks: ReadonlyMap<string, number>): boolean {
  const [input = '', second = ''] = reduction.inputs;
  const [axis, ...others] = intsAttribute(reduction, 'axes') ?? graph.constantValues(second) ?? [];
  const rank = ranks.get(input);
  const isLast = axis === -1 || (rank !== undefined && axis === rank - 1);
  return isLast && others.length === 0 && intAttribute(reduction, 'keepdims', 1) === 1;
}

/** sqrt(mean(v², −1) + ε): which v, and ε. */
function meanSquarePlusEpsilon(
  graph: Graph,
  tensor: string | undefined,
  ranks: ReadonlyMap<string, number>,
): { squared: string; epsilon: number } | undefined {
  const sum = producedBy(graph, producedBy(graph, tensor, 'Sqrt')?.inputs[0], 'Add');
  const parts = sum && scalarAndOther(graph, sum);
  const mean = parts && producedBy(graph, parts.other, 'ReduceMean');
  if (!mean || !isOverLastAxis(graph, mean, ranks)) return undefined;
  const power = producedBy(graph, mean.inputs[0], 'Pow');
  if (power && isClose(graph.scalar(power.inputs[1]), 2)) {
    return { squared: power.inputs[0] ?? '', epsilon: parts.scalar };
  }
  const product = producedBy(graph, mean.inputs[0], 'Mul');
  if (product?.inputs[0] !== undefined && product.inputs[0] === product.inputs[1]) {
    return { squared: product.inputs[0], epsilon: parts.scalar };
  }
  return undefined;
}
