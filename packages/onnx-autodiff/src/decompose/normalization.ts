import { floatAttribute, intAttribute } from '../graph/emitter.js';
import { MAXIMUM_RANK } from '../graph/tensor-data.js';
import { DataType } from '../graph/types.js';
import type { Decomposition, DecompositionContext } from './decomposition.js';

/** onnxruntime's default for SkipLayerNormalization and EmbedLayerNormalization. */
const CONTRIB_EPSILON = 1e-12;

function withEpsilon(
  { node }: DecompositionContext,
  fallback: number,
): { axis: number; epsilon: { float: number } } {
  return { axis: -1, epsilon: { float: floatAttribute(node, 'epsilon', fallback) } };
}

/** LayerNormalization with the outputs that are used: result, mean, 1/σ. */
function layerNormalise(
  context: DecompositionContext,
  x: string,
  gamma: string,
  beta: string,
): readonly [string, string | undefined, string | undefined] {
  const { emit, isUsed } = context;
  const outputs = isUsed(1) || isUsed(2) ? 3 : 1;
  const inputs = beta === '' ? [x, gamma] : [x, gamma, beta];
  const values = withEpsilon(context, CONTRIB_EPSILON);
  const [y = '', mean, inverse] = emit.node('LayerNormalization', inputs, values, { outputs });
  return [y, mean, inverse];
}

/** input + bias + skip, the residual last, where a last hidden state is looked for; the skip may lack the batch axis. */
function residual({ emit }: DecompositionContext, input: string, skip: string, bias: string): string {
  return emit.add(bias === '' ? input : emit.add(input, bias), skip);
}

/** (x − mean)/√(variance + ε) over the last axis of [N, groups, elements]. */
function standardise({ emit }: DecompositionContext, x: string, epsilon: number): string {
  const centred = emit.sub(x, emit.reduceMean(x, [-1], 1));
  const variance = emit.reduceMean(emit.mul(centred, centred), [-1], 1);
  return emit.div(centred, emit.op('Sqrt', [emit.add(variance, emit.float(epsilon))]));
}

/** [N, C, …] as [N, C, elements]. */
function channels({ emit }: DecompositionContext, x: string): string {
  return emit.reshape(x, emit.ints(0, 0, -1));
}

/** x · scale + bias with vectors over axis 1 of [N, C, elements], in the shape of `like`. */
function scaleChannels(
  { emit }: DecompositionContext,
  x: string,
  scale: string,
  bias: string,
  like: string,
): string {
  const column = (vector: string): string => emit.unsqueeze(vector, [1]);
  return emit.reshape(emit.add(emit.mul(x, column(scale)), column(bias)), emit.shape(like));
}

/** Axes from `axis` to the last, counted from the end. */
function trailingAxes(context: DecompositionContext, x: string): number[] {
  const axis = intAttribute(context.node, 'axis', -1);
  const rank = context.ranks.get(x);
  if (axis >= 0 && rank === undefined) throw context.unsupported('the rank of its input is not known');
  const count = axis < 0 ? -axis : (rank ?? 0) - axis;
  if (count < 1 || count > (rank ?? MAXIMUM_RANK))
    throw context.unsupported(`its axis ${axis} is none of its input`);
  return Array.from({ length: count }, (_, index) => index - count);
}

/** Normalisations, most of them with a sum in front (onnxruntime/docs/ContribOperators.md, onnx/docs/Operators.md). */
export const normalizationDecompositions = {
  // LayerNormalization(input + skip + bias); outputs: result, mean, 1/σ, sum
  'com.microsoft.SkipLayerNormalization': (context) => {
    const [input = '', skip = '', gamma = '', beta = '', bias = ''] = context.x;
    const sum = residual(context, input, skip, bias);
    return [...layerNormalise(context, sum, gamma, beta), sum];
  },
  // SimplifiedLayerNormalization(input + skip + bias); outputs: result, mean, 1/rms, sum
  'com.microsoft.SkipSimplifiedLayerNormalization': (context) => {
    const [input = '', skip = '', gamma = '', bias = ''] = context.x;
    if (context.isUsed(1)) throw context.unsupported('its output mean is used');
    const sum = residual(context, input, skip, bias);
    const outputs = context.isUsed(2) ? 2 : 1;
    const values = withEpsilon(context, CONTRIB_EPSILON);
    const [y, inverse] = context.emit.node('SimplifiedLayerNormalization', [sum, gamma], values, { outputs });
    return [y, undefined, inverse, sum];
  },
  // LayerNormalization(word[ids] + position[positions] + segment[segments]); outputs: result, mask_index, sum
  'com.microsoft.EmbedLayerNormalization': (context) => {
    const { emit, x, isUsed } = context;
    const [ids = '', segments = '', words = '', positions = '', segmentTable = '', gamma = '', beta = ''] = x;
    const [mask = '', positionIds = ''] = x.slice(7);
    const lookup = (table: string, indices: string): string => emit.op('Gather', [table, indices]);
    const places = (): string => {
      if (positionIds !== '') return lookup(positions, positionIds);
      return emit.op('Slice', [positions, emit.ints(0), emit.extents(ids, 1), emit.ints(0)]);
    };
    let sum = emit.add(lookup(words, ids), places());
    if (segmentTable !== '' && segments !== '') sum = emit.add(sum, lookup(segmentTable, segments));
    // How many tokens count, 0 without a mask (embed_layer_norm.cc).
    const counts = (): string => {
      if (mask === '') return emit.op('Expand', [shortZero(context), emit.extents(ids, 0)]);
      const one = emit.cast(emit.int(1), DataType.int32);
      return emit.reduceSum(emit.cast(emit.op('Equal', [mask, one]), DataType.int32), [1], 0);
    };
    const values = withEpsilon(context, CONTRIB_EPSILON);
    const y = emit.op('LayerNormalization', beta === '' ? [sum, gamma] : [sum, gamma, beta], values);
    return [y, isUsed(1) ? counts() : undefined, sum];
  },
  // x / √(mean x² + ε) · scale
  RMSNormalization: (context) => {
    const { emit, graph, node } = context;
    const [x = '', scale = ''] = context.x;
    const axes = trailingAxes(context, x);
    const epsilon = floatAttribute(node, 'epsilon', 1e-5);
    const width = graph.initializers.get(scale)?.dims;
    if (axes.length === 1 && width?.length === 1 && width[0] !== 1)
      return emit.node('SimplifiedLayerNormalization', [x, scale], { axis: -1, epsilon: { float: epsilon } });
    const meanSquare = emit.reduceMean(emit.mul(x, x), axes, 1);
    const root = emit.op('Sqrt', [emit.add(meanSquare, emit.float(epsilon))]);
    return [emit.mul(emit.div(x, root), scale)];
  },
  // (x − mean)/√(var + ε) · scale + bias with the running statistics of training
  BatchNormalization: (context) => {
    const { emit, node, isUsed } = context;
    const [x = '', scale = '', bias = '', mean = '', variance = ''] = context.x;
    if (intAttribute(node, 'training_mode', 0) !== 0 || isUsed(1) || isUsed(2))
      throw context.unsupported('it is in training mode');
    const epsilon = emit.float(floatAttribute(node, 'epsilon', 1e-5));
    const factor = emit.div(scale, emit.op('Sqrt', [emit.add(variance, epsilon)]));
    const shift = emit.sub(bias, emit.mul(mean, factor));
    return [scaleChannels(context, channels(context, x), factor, shift, x)];
  },
  // The same with mean and variance of each example's channel
  InstanceNormalization: (context) => {
    const [x = '', scale = '', bias = ''] = context.x;
    const normalised = standardise(
      context,
      channels(context, x),
      floatAttribute(context.node, 'epsilon', 1e-5),
    );
    return [scaleChannels(context, normalised, scale, bias, x)];
  },
  // The same of each example's groups of channels; scale and bias are per group before operator set 21, per channel since
  GroupNormalization: (context) => {
    const { emit, graph, node } = context;
    const [x = '', scale = '', bias = ''] = context.x;
    const groups = emit.reshape(x, emit.ints(0, intAttribute(node, 'num_groups', 1), -1));
    const normalised = standardise(context, groups, floatAttribute(node, 'epsilon', 1e-5));
    if (graph.opset < 21) return [scaleChannels(context, normalised, scale, bias, x)];
    const perChannel = emit.reshape(normalised, emit.concat([emit.extents(x, 0, 1), emit.ints(-1)], 0));
    return [scaleChannels(context, perChannel, scale, bias, x)];
  },
} as const satisfies Record<string, Decomposition>;

function shortZero({ emit }: DecompositionContext): string {
  return emit.cast(emit.ints(0), DataType.int32);
}
