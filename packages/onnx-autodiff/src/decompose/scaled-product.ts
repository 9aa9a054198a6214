import { lastExtent, type DecompositionContext } from './decomposition.js';

/** Added to the score of a key that may not be attended to: its weight is exactly 0, and sums of several stay finite. */
export const BLOCKED = -1e30;

/** Queries, keys and values of several heads. */
export interface Heads {
  /** [B, N, S, H] */
  readonly query: string;
  /** [B, N or fewer, T, H] */
  readonly keys: string;
  /** [B, N or fewer, T, H_v] */
  readonly values: string;
}

export interface ScaledProductOptions {
  /** Factor of the scores; 0 for 1/√H. */
  readonly scale: number;
  /** Tensors added to the scores, broadcast to [B, N, S, T]. */
  readonly biases: readonly string[];
  /** Bounds the scores before the biases: c · tanh(s/c). 0 for none. */
  readonly softcap?: number;
  /** Shapes between which heads that share keys are folded into rows; undefined where each has its own. */
  readonly groups?: HeadGroups | undefined;
  /** Head width H where the graph says it. */
  readonly width?: number | undefined;
  /** Logits [N, 1, 1] or a number beside every row's scores, which take weight and have no value (attention sinks). */
  readonly sink?: string | undefined;
}

/** int64 shapes: of queries [B, K, N/K · S, H], and of scores and results [B, N, S, ·]. */
export interface HeadGroups {
  readonly folded: string;
  readonly apart: string;
}

/** Shapes of N heads that share the keys of K; undefined where N = K. */
export function headGroups(
  { emit }: DecompositionContext,
  heads: number,
  keyHeads: number,
): HeadGroups | undefined {
  if (heads === keyHeads) return undefined;
  return { folded: emit.ints(0, keyHeads, -1, 0), apart: emit.ints(0, heads, -1, 0) };
}

/** [B, S, N · H] → [B, N, S, H] */
export function splitHeads({ emit }: DecompositionContext, tensor: string, heads: number): string {
  return emit.transpose(emit.reshape(tensor, emit.ints(0, 0, heads, -1)), [0, 2, 1, 3]);
}

/** [B, N, S, H] → [B, S, N · H] */
export function mergeHeads({ emit }: DecompositionContext, tensor: string): string {
  return emit.reshape(emit.transpose(tensor, [0, 2, 1, 3]), emit.ints(0, 0, -1));
}

/** Width of one head of a tensor [.., N · H], where the graph says it. */
export function headWidth(
  { graph }: DecompositionContext,
  tensor: string,
  heads: number,
): number | undefined {
  const width = lastExtent(graph, tensor);
  return width === undefined || width % heads !== 0 ? undefined : width / heads;
}

/**
 * softmax(scale · Q Kᵀ + biases) V, [B, N, S, H_v] (Vaswani et al. 2017, eq. 1). Heads that share keys (Ainslie et al. 2023, GQA)
 * stand as rows of one product, so keys and values are not repeated.
 */
export function scaledProduct(
  context: DecompositionContext,
  heads: Heads,
  options: ScaledProductOptions,
): string {
  const { emit } = context;
  const { groups, softcap = 0, sink } = options;
  const { query, alpha } = scaled(context, heads.query, options);
  const fold = (tensor: string): string => (groups ? emit.reshape(tensor, groups.folded) : tensor);
  const unfold = (tensor: string): string => (groups ? emit.reshape(tensor, groups.apart) : tensor);
  let scores = unfold(emit.fusedMatMul(fold(query), heads.keys, 0, 1, alpha));
  scores = capped(context, scores, softcap);
  for (const bias of options.biases) scores = emit.add(scores, bias);
  const weights = emit.op('Softmax', [scores], { axis: -1 });
  const result = unfold(emit.op('MatMul', [fold(weights), heads.values]));
  if (sink === undefined) return result;
  // The weights of the keys add up to σ(ln Σ eˢ − sink) instead of 1.
  const mass = emit.op('Sigmoid', [emit.sub(logSumExp(context, scores), sink)]);
  return emit.mul(result, mass);
}

function capped({ emit }: DecompositionContext, scores: string, cap: number): string {
  return cap === 0 ? scores : emit.scale(emit.op('Tanh', [emit.scale(scores, 1 / cap)]), cap);
}

function logSumExp({ emit, graph }: DecompositionContext, scores: string): string {
  if (graph.opset >= 18) return emit.op('ReduceLogSumExp', [scores, emit.ints(-1)], { keepdims: 1 });
  return emit.op('ReduceLogSumExp', [scores], { axes: [-1], keepdims: 1 });
}

/** Puts the scale into the product where it is known, else on the queries, which are smaller than the scores. */
function scaled(
  { emit }: DecompositionContext,
  query: string,
  { scale, width }: ScaledProductOptions,
): { query: string; alpha: number } {
  if (scale !== 0) return { query, alpha: scale };
  if (width !== undefined) return { query, alpha: 1 / Math.sqrt(width) };
  const root = emit.op('Sqrt', [emit.cast(emit.extents(query, 3), 1)]);
  return { query: emit.div(query, root), alpha: 1 };
}
