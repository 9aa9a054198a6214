import { StructureNotFoundError } from '../errors.js';
import { Emitter, intsAttribute } from '../graph/emitter.js';
import type { Graph } from '../graph/graph.js';
import { DataType, type Node } from '../graph/types.js';
import { attentionTo } from './attention-pattern.js';

/** How a head that pools all rows reads them now. */
export interface PooledRows {
  /** Graph input, float32 [B, T]: the weight of each row; equal ones for those that it pooled, 0 for others. */
  readonly weights: string;
  /** Rows in front that the model itself passes over, such as its class token. */
  readonly skipped: number;
}

/** What stands for a weight of 0 in a logarithm. */
const NOTHING = 1e-30;

/**
 * Lets a head that pools all rows of the last hidden state read them by weights, so that it can pass over prompts: a mean over
 * rows (BEiT, classifiers of SigLIP) becomes Σ w_t x_t, attention by a query of the head's own (SigLIP) softmax(s + log w).
 * @param hidden last hidden state, [B, T, d].
 * @returns undefined, and leaves the graph as it is, where the head reads single rows only.
 * @throws StructureNotFoundError if two parts of the head pool different rows.
 */
export function weightPooledRows(graph: Graph, hidden: string): PooledRows | undefined {
  const means = findMeans(graph, hidden);
  const softmaxes = attentionTo(graph, hidden).flatMap(({ softmax, isSelf }) => (isSelf ? [] : [softmax]));
  const fronts = new Set([...means.map(({ skipped }) => skipped), ...softmaxes.map(() => 0)]);
  const [skipped] = fronts;
  if (skipped === undefined) return undefined;
  if (fronts.size > 1) {
    throw new StructureNotFoundError({
      subject: graph.source,
      problem: 'parts of its head pool different rows',
      remedy: 'Use a head of your own on the last hidden state',
    });
  }
  const emit = new Emitter(graph);
  const dims = ['batch_size', 'prompted_length'];
  const weights = emit.input({ name: 'row_weights', dataType: DataType.float32, dims });
  for (const { node } of means) weightMean(emit, node, hidden, weights);
  for (const softmax of softmaxes) weightAttention(emit, softmax, weights);
  return { weights, skipped };
}

interface RowMean {
  readonly node: Node;
  readonly skipped: number;
}

/** Means over the rows of a tensor, or over those behind its first ones. */
function findMeans(graph: Graph, hidden: string): readonly RowMean[] {
  const found: RowMean[] = [];
  const tensors = [{ tensor: hidden, skipped: 0 }];
  for (const { tensor, skipped } of tensors) {
    for (const node of graph.consumers(tensor)) {
      const [output = ''] = node.outputs;
      if (node.opType === 'Identity' || node.opType === 'Cast') tensors.push({ tensor: output, skipped });
      const behind = node.opType === 'Slice' ? rowsCutOff(graph, node) : undefined;
      if (behind !== undefined) tensors.push({ tensor: output, skipped: skipped + behind });
      if (node.opType === 'ReduceMean' && axesOf(graph, node)?.join() === '1') found.push({ node, skipped });
    }
  }
  return found;
}

/** Rows in front that a slice drops, if it drops none behind. */
function rowsCutOff(graph: Graph, { inputs }: Node): number | undefined {
  const [start, end, axis = 0, step = 1] = inputs.slice(1).map((input) => graph.scalar(input));
  const isTail = axis === 1 && step === 1 && (end ?? 0) >= 2 ** 31 - 1;
  return isTail && start !== undefined && start >= 0 ? start : undefined;
}

function axesOf(graph: Graph, node: Node): readonly number[] | undefined {
  return intsAttribute(node, 'axes') ?? graph.constantValues(node.inputs[1] ?? '');
}

/** [B, 1, T] · [B, T, d] in place of a mean over rows. */
function weightMean(emit: Emitter, mean: Node, hidden: string, weights: string): void {
  const { graph } = emit;
  const [output = ''] = mean.outputs;
  const keepsRow = mean.attributes.get('keepdims');
  const isFlat = keepsRow?.kind === 'int' && keepsRow.value === 0;
  graph.remove(mean);
  const row = emit.op('MatMul', [emit.unsqueeze(weights, [1]), hidden]);
  emit.alias(isFlat ? emit.squeeze(row, [1]) : row, output);
}

/** Adds log w to scores [B, heads, 1, T], or [B · heads, 1, T] where heads are folded into the batch. */
function weightAttention(emit: Emitter, softmax: Node, weights: string): void {
  const [scores = ''] = softmax.inputs;
  const bias = emit.op('Log', [emit.op('Max', [weights, emit.float(NOTHING)])]);
  const [batch, length] = [emit.extents(weights, 0), emit.extents(weights, 1)];
  // Of four axes, as masks are: key biases go into it.
  const byExample = emit.reshape(scores, emit.concat([batch, emit.ints(-1, 1), length], 0));
  const weighted = emit.add(byExample, emit.unsqueeze(bias, [1, 2]));
  emit.graph.setInputs(softmax, [emit.reshape(weighted, emit.shape(scores))]);
}
