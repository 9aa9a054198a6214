import { activeTensors } from '../activity.js';
import { StructureNotFoundError } from '../errors.js';
import { intAttribute, intsAttribute } from '../graph/emitter.js';
import { readsOf, type Graph } from '../graph/graph.js';
import type { Node, Tensor } from '../graph/types.js';
import { lookupOf } from '../quantised/lookup.js';
import { tensorsOfRows } from './attention-pattern.js';
import { findRegisters } from './registers.js';

/** Where the tokens of an image come from. */
export interface PatchEmbedding {
  /** Tensor [batch, tokens, width] of class token (if any) and patches, with their positions. */
  readonly tensor: string;
  /** undefined where the graph computes it from the image's size. */
  readonly tokens: number | undefined;
  readonly width: number;
  /** Tensor of the position embeddings that were added, [1, tokens, width]; undefined where the model has none (BEiT). */
  readonly positions: string | undefined;
  /** Rows in front of the patches: class token, distillation token, registers. */
  readonly special: number;
  /** How many of them are registers, which have no positions; absent where there are none. */
  readonly registers?: number;
}

/**
 * Finds the embeddings of a vision transformer: the sum of patches and position embeddings [1, tokens, width], which are
 * constant (ViT, DeiT), looked up (CLIP, SigLIP) or resized to the image (DINOv2); or, in models without them (BEiT), the
 * patches behind their class token.
 * @throws StructureNotFoundError if the graph has neither, or attends in windows (Swin).
 */
export function findPatchEmbedding(graph: Graph, pixels = 'pixel_values'): PatchEmbedding {
  const active = activeTensors(graph, [pixels]);
  const nodes = graph.sortedNodes().filter((node) => node.inputs.some((input) => active.has(input)));
  refuseWindows(graph, nodes);
  const still = (node: Node): string[] => node.inputs.filter((input) => !active.has(input));
  for (const node of nodes) {
    if (node.opType !== 'Add') continue;
    for (const input of still(node)) {
      const [one, tokens, width = 0] = embeddingShape(graph, input, pixels) ?? [];
      if (one !== 1 || tokens === 1) continue;
      const rows = joiner(graph, node.inputs.find((other) => other !== input) ?? '');
      const special = rows ? rowsInFront(graph, rows, active, pixels) : 0;
      const found = { tensor: node.outputs[0] ?? '', tokens, width, positions: input, special };
      const registers = findRegisters(graph, found.tensor, (rows) => constantsBehind(graph, rows, pixels));
      if (!registers) return found;
      const { tensor, count } = registers;
      const all = tokens === undefined ? undefined : tokens + count;
      return { ...found, tensor, tokens: all, special: special + count, registers: count };
    }
  }
  for (const node of nodes) {
    if (node.opType !== 'Concat' || intAttribute(node, 'axis', 0) !== 1) continue;
    const token = still(node).flatMap((input) => constantsBehind(graph, input, pixels) ?? []);
    const width = token.find(({ dims }) => dims.length === 3)?.dims[2];
    if (width === undefined) continue;
    const special = rowsInFront(graph, node, active, pixels);
    return { tensor: node.outputs[0] ?? '', tokens: undefined, width, positions: undefined, special };
  }
  throw new StructureNotFoundError({
    subject: graph.source,
    problem: `no sum of patches of ${pixels} and position embeddings was found`,
    remedy: 'Give the tensor of the patch embeddings explicitly',
  });
}

/**
 * Windows are cut by a transposition [B, rows, in row, columns, in column, d] → [B, rows, columns, in row, in column, d].
 * @throws StructureNotFoundError if a node does that.
 */
export function refuseWindows(graph: Graph, nodes: readonly Node[]): void {
  const cut = nodes.find(
    (node) => node.opType === 'Transpose' && intsAttribute(node, 'perm')?.join() === '0,1,3,2,4,5',
  );
  if (!cut) return;
  throw new StructureNotFoundError({
    subject: `${graph.source}, node ${cut.name}`,
    problem: 'the model attends within windows of the image (Swin), so no place is seen by all tokens',
    remedy: 'Use a model whose tokens attend to all others, such as ViT, DeiT, BEiT, DINOv2 or CLIP',
  });
}

/** Shape of a position embedding, [1, tokens, width]; tokens is undefined where it depends on the image's size. */
function embeddingShape(
  graph: Graph,
  tensor: string,
  pixels: string,
): readonly (number | undefined)[] | undefined {
  const constant = graph.initializers.get(tensor);
  if (constant) return constant.dims.length === 3 ? constant.dims : undefined;
  const looked = constantLookup(graph, tensor);
  if (looked) return looked;
  const resized = constantsBehind(graph, tensor, pixels)?.find(({ dims }) => dims.length === 3);
  return resized && [resized.dims[0], undefined, resized.dims[2]];
}

/** Shape [1, tokens, width] of rows that constant indices [1, tokens] look up in a table of any precision. */
function constantLookup(graph: Graph, tensor: string): readonly number[] | undefined {
  const producer = graph.producer(tensor);
  const isConverted = producer?.opType === 'DequantizeLinear' || producer?.opType === 'Cast';
  const node = isConverted ? graph.producer(producer.inputs[0] ?? '') : producer;
  const indices = graph.initializers.get(node?.inputs[1] ?? '');
  const lookup = node && indices?.dims.length === 2 ? lookupOf(graph, node, indices.name) : undefined;
  return indices && lookup?.rows === tensor ? [...indices.dims, lookup.width] : undefined;
}

/** The node that puts rows in front of patches, perhaps before a cast. */
function joiner(graph: Graph, tensor: string): Node | undefined {
  const node = graph.producer(tensor);
  if (node?.opType === 'Cast' || node?.opType === 'Identity') return joiner(graph, node.inputs[0] ?? '');
  return node?.opType === 'Concat' && intAttribute(node, 'axis', 0) === 1 ? node : undefined;
}

/** Rows that a concatenation puts in front of the first one that depends on the image: [1, rows, d], or [d] for one. */
function rowsInFront(graph: Graph, { inputs }: Node, active: ReadonlySet<string>, pixels: string): number {
  const first = inputs.findIndex((input) => active.has(input));
  const counts = inputs.slice(0, Math.max(first, 0)).map((input) => {
    const rows = constantsBehind(graph, input, pixels)?.find(({ dims }) => dims.length === 3);
    return rows?.dims[1] ?? 1;
  });
  return counts.reduce((sum, count) => sum + count, 0);
}

/** Constants that a tensor is computed from; undefined if a graph input other than `allowed` takes part. */
function constantsBehind(graph: Graph, tensor: string, allowed: string): readonly Tensor[] | undefined {
  const tensors = new Set([tensor]);
  for (const name of tensors) {
    if (graph.inputs.has(name) && name !== allowed) return undefined;
    const producer = graph.producer(name);
    if (producer) for (const input of readsOf(producer)) tensors.add(input);
  }
  return [...tensors].flatMap((name) => graph.initializers.get(name) ?? []);
}

/** Name that exports give to the output of a model without a head. */
const LAST_HIDDEN_STATE = 'last_hidden_state';

/**
 * Finds the last hidden state: the output of that name, or the last residual sum x + f(x) with the rows of `source`, and the
 * normalisation after it if there is one. What follows is the head, such as one that pools by a query of its own (SigLIP).
 * @throws StructureNotFoundError if no residual sum depends on the source.
 */
export function findLastHiddenState(graph: Graph, source: string): string {
  const active = activeTensors(graph, [source]);
  // In half precision the output is a cast of what the head reads.
  if (graph.outputs.has(LAST_HIDDEN_STATE) && active.has(LAST_HIDDEN_STATE))
    return beforeCasts(graph, LAST_HIDDEN_STATE);
  const rows = tensorsOfRows(graph, source);
  const residual = graph
    .sortedNodes()
    .filter((node) => node.opType === 'Add' && node.inputs.every((input) => active.has(input)))
    .findLast((node) => rows.has(node.outputs[0] ?? '') && isResidual(graph, node));
  const sum = residual?.outputs[0];
  if (sum === undefined) {
    throw new StructureNotFoundError({
      subject: graph.source,
      problem: `no residual connection depends on ${source}`,
      remedy: 'Name the tensor of the last hidden state explicitly',
    });
  }
  const tensors = [sum];
  for (const tensor of tensors)
    for (const { opType, outputs } of graph.consumers(tensor))
      if (KEEPS_VALUES.has(opType)) tensors.push(...outputs);
  const normalisation = tensors
    .flatMap((tensor) => graph.consumers(tensor))
    .find(({ opType }) => opType === 'LayerNormalization' || opType === 'SimplifiedLayerNormalization');
  return normalisation?.outputs[0] ?? sum;
}

function beforeCasts(graph: Graph, tensor: string): string {
  const producer = graph.producer(tensor);
  return producer?.opType === 'Cast' ? beforeCasts(graph, producer.inputs[0] ?? tensor) : tensor;
}

/** Operators that stand between a residual and its normalisation where rows are flattened or computed in half precision. */
const KEEPS_VALUES: ReadonlySet<string> = new Set(['Cast', 'Reshape']);

/** Whether one operand of a sum is computed from the other; a mean of two heads' logits is no residual. */
function isResidual(graph: Graph, sum: Node): boolean {
  const [a = '', b = ''] = sum.inputs.map((input) => {
    let tensor = input;
    for (
      let node = graph.producer(tensor);
      node && KEEPS_VALUES.has(node.opType);
      node = graph.producer(tensor)
    )
      tensor = node.inputs[0] ?? '';
    return tensor;
  });
  return activeTensors(graph, [a]).has(b) || activeTensors(graph, [b]).has(a);
}
