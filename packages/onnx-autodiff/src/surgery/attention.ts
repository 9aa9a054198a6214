import { activeTensors } from '../activity.js';
import { knownRanks } from '../canonicalise/ranks.js';
import { StructureNotFoundError } from '../errors.js';
import { Emitter } from '../graph/emitter.js';
import type { Graph } from '../graph/graph.js';
import { DataType, type Node } from '../graph/types.js';
import { attentionTo } from './attention-pattern.js';
import { findRowConvolutions, gateConvolutions } from './convolution-gates.js';

/** Operators between products, masks and softmax that move or cast scores, or bound them. */
const PASSES_SCORES: ReadonlySet<string> = new Set(['Cast', 'Identity', 'Reshape', 'Max', 'Clip']);

/**
 * Adds a graph input `key_bias`, float32 [B, T], to the attention scores of every key in every layer: softmax(s + bias). With
 * log γ it gates prompt tokens multiplicatively. Where a layer already adds a mask that no activation enters, the bias goes
 * into the mask, once for all layers, so it costs no pass over the scores. Attention to other tokens, such as a decoder's to
 * its own, stays as it is. Convolutions over the sequence read the rows times e^bias. A head that takes a mean over all rows, or
 * the last one (BEiT, SigLIP's text tower), is not gated: give it weights of its own.
 * @param embeddings tensor [B, T, d] of the keys' tokens.
 * @param byRow adds a graph input `gated_rows`, float32 [B, T], too: the share of the bias that each row's own attention takes.
 * @throws StructureNotFoundError if nothing attends to them, or a convolution over several axes reads them.
 */
export function addKeyBias(graph: Graph, embeddings: string, byRow = false): string {
  const emit = new Emitter(graph);
  const active = activeTensors(graph, [embeddings]);
  const softmaxes = attentionTo(graph, embeddings).map(({ softmax }) => softmax);
  if (softmaxes.length === 0) {
    throw new StructureNotFoundError({
      subject: graph.source,
      problem: 'no attention softmax was found whose key tokens could be gated',
      remedy: 'Use a prompt of fixed length with this model',
    });
  }
  const convolutions = findRowConvolutions(graph, active);
  const ranks = knownRanks(graph);
  const dims = ['batch_size', 'prompted_length'];
  const bias = emit.input({ name: 'key_bias', dataType: DataType.float32, dims });
  gateConvolutions(emit, convolutions, bias);
  const everyRow = emit.unsqueeze(bias, [1, 2]);
  const column = byRow
    ? emit.mul(
        everyRow,
        emit.unsqueeze(emit.input({ name: 'gated_rows', dataType: DataType.float32, dims }), [1, 3]),
      )
    : everyRow;
  // Heads may be folded into the batch: scores [B · h, T, T].
  const columnFor = (scores: string): string =>
    ranks.get(scores) === 3 ? foldHeads(emit, bias, column, scores, byRow) : column;
  const biasedMasks = new Map<string, string>();
  for (const softmax of softmaxes) {
    const [scores = ''] = softmax.inputs;
    const masked = findMask(graph, scores, active);
    if (masked === undefined) {
      graph.setInputs(softmax, [emit.add(scores, columnFor(scores))]);
      continue;
    }
    const { sum, mask } = masked;
    const biased = biasedMasks.get(mask) ?? emit.add(mask, columnFor(sum.outputs[0] ?? ''));
    biasedMasks.set(mask, biased);
    graph.setInputs(
      sum,
      sum.inputs.map((input) => (input === mask ? biased : input)),
    );
  }
  return bias;
}

/** The sum of scores and a mask that no activation enters, on the way to the softmax. */
function findMask(
  graph: Graph,
  scores: string,
  active: ReadonlySet<string>,
): { sum: Node; mask: string } | undefined {
  for (let node = graph.producer(scores); node;) {
    const mask = node.opType === 'Add' ? node.inputs.find((input) => !active.has(input)) : undefined;
    if (mask !== undefined) return { sum: node, mask };
    if (!PASSES_SCORES.has(node.opType)) return undefined;
    node = graph.producer(node.inputs.find((input) => active.has(input)) ?? '');
  }
  return undefined;
}

/** [B, 1, 1, T] → [B · h, 1, T], or with a bias for each row [B, 1, T, T] → [B · h, T, T]. */
function foldHeads(emit: Emitter, bias: string, column: string, scores: string, byRow: boolean): string {
  const [batch, length] = [emit.extents(bias, 0), emit.extents(bias, 1)];
  const heads = emit.div(emit.extents(scores, 0), batch);
  const rows = byRow ? length : emit.ints(1);
  const repeated = emit.op('Expand', [column, emit.concat([batch, heads, rows, length], 0)]);
  return emit.reshape(repeated, emit.concat([emit.ints(-1), rows, length], 0));
}
