import { StructureNotFoundError } from '../errors.js';
import { attributes, Emitter } from '../graph/emitter.js';
import type { Graph } from '../graph/graph.js';
import { DataType } from '../graph/types.js';
import { gatherRowsEarly } from '../lower/select-rows.js';
import { lookupOf, type Lookup } from '../quantised/lookup.js';
import type { ProbedShapes } from '../session/probed-shapes.js';

/** Where token embeddings come from. */
export interface TokenEmbedding {
  /** Tensor of the token embeddings, [batch, sequence, width]. */
  readonly tensor: string;
  /** Name of the table's initialiser, [vocabulary, width], or of its codes in a model of reduced precision. */
  readonly table: string;
  readonly vocabulary: number;
  readonly width: number;
}

/** Operators between the input and the lookup: `view(-1, T)`, casts of ids. */
const KEEPS_IDS: ReadonlySet<string> = new Set([
  'Reshape',
  'Cast',
  'Identity',
  'Squeeze',
  'Unsqueeze',
  'Flatten',
]);

/**
 * Finds the lookup of token embeddings: the Gather of a two-dimensional constant by the graph input `ids`.
 * @throws StructureNotFoundError if the graph has none.
 */
export function findTokenEmbedding(graph: Graph, ids = 'input_ids'): TokenEmbedding {
  const lookup = findLookup(graph, ids);
  if (!lookup) {
    throw new StructureNotFoundError({
      subject: graph.source,
      problem: `no embedding table is looked up by the input ${ids}`,
      remedy: 'Give the tensor of the token embeddings explicitly',
    });
  }
  const { rows, table, width } = lookup;
  return { tensor: rows, table: table.name, vocabulary: table.dims[0] ?? 0, width };
}

function findLookup(graph: Graph, ids: string): Lookup | undefined {
  const tensors = [ids];
  for (const tensor of tensors) {
    const readers = graph.consumers(tensor);
    for (const reader of readers) {
      const lookup = lookupOf(graph, reader, tensor);
      if (lookup) return lookup;
    }
    for (const { opType, inputs, outputs } of readers)
      if (KEEPS_IDS.has(opType) && inputs[0] === tensor) tensors.push(outputs[0] ?? '');
  }
  return undefined;
}

/** Names of the graph inputs that an injection adds, and of the tensor that now carries prompts and content. */
export interface PromptInjection {
  /** Graph input, float32 [B, l, d]. */
  readonly prompts: string;
  /**
   * Graph input, int64 [B, T]: the row of [prompts; content] (l rows of prompts, then the rows of the tensor that was
   * injected into) that stands at each of the T positions.
   */
  readonly order: string;
  /** [B, T, d] embeddings as the model goes on with them; differentiate with respect to this. */
  readonly embeddings: string;
  /** [B, l + rows, d] prompts and content: what `order` picks from. */
  readonly sources: string;
  /** [B, rows, d] the rows of the tensor that was injected into, as they were. */
  readonly content: string;
}

/**
 * Makes room for prompts in a tensor [B, rows, d]: everything that read it now reads rows of [prompts; tensor] in the order
 * that the input `prompt_order` gives. One gather for any arrangement; where the prompt stands is data, not graph.
 * @param suffix ends the new inputs' names, where a graph gets prompts in several tensors.
 */
export function injectPrompts(graph: Graph, tensor: string, width: number, suffix = ''): PromptInjection {
  const emit = new Emitter(graph);
  const content = divert(graph, tensor);
  const prompts = emit.input({
    name: `prompt_embeddings${suffix}`,
    dataType: DataType.float32,
    dims: [`batch_size${suffix}`, `prompt_length${suffix}`, width],
  });
  const order = emit.input({
    name: `prompt_order${suffix}`,
    dataType: DataType.int64,
    dims: [`batch_size${suffix}`, `prompted_length${suffix}`],
  });
  const sources = emit.concat([prompts, content], 1);
  placeRows(emit, sources, order, tensor);
  return { prompts, order, embeddings: tensor, sources, content };
}

/** Makes the tensor `target` [B, T, d] of the rows of `sources` [B, rows, d] that `order` [B, T] names. */
export function placeRows(emit: Emitter, sources: string, order: string, target: string): void {
  emit.graph.add({
    opType: 'GatherND',
    domain: '',
    inputs: [sources, emit.unsqueeze(order, [-1])],
    outputs: [target],
    attributes: attributes({ batch_dims: 1 }),
  });
}

/** Rows [B, l, d] of a tensor [B, T, d] at the positions `slots` [B, l]. */
export function pickRows(emit: Emitter, tensor: string, slots: string): string {
  return emit.op('GatherND', [tensor, emit.unsqueeze(slots, [-1])], { batch_dims: 1 });
}

/**
 * Gives the producer's output a new name, which is returned, so that another node can make the old one for all its readers.
 * @throws StructureNotFoundError if no node makes the tensor.
 */
export function divert(graph: Graph, tensor: string): string {
  const producer = graph.producer(tensor);
  if (!producer) {
    throw new StructureNotFoundError({
      subject: `${graph.source}, tensor ${tensor}`,
      problem: 'no node of the graph makes it',
      remedy: 'Name a tensor inside the graph',
    });
  }
  const original = graph.fresh('content');
  graph.setOutputs(
    producer,
    producer.outputs.map((output) => (output === tensor ? original : output)),
  );
  return original;
}

/**
 * Picks the prompts' rows out of a gradient of `injection.embeddings`: dL/dprompts [B, l, d]. `slots` is a graph input, the
 * position at which each prompt row stands, int64 [B, l].
 * @param suffix that of the injection.
 * @param shapes those of the gradient: lets the first layer compute the gradients of the prompts' rows alone, unless something
 * else reads `embeddingGradient`. Whatever else is to read it has to be in the graph by now.
 */
export function gatherPromptGradient(
  emit: Emitter,
  embeddingGradient: string,
  suffix = '',
  shapes?: ProbedShapes,
): { slots: string; gradient: string } {
  const slots = emit.input({
    name: `prompt_slots${suffix}`,
    dataType: DataType.int64,
    dims: [`batch_size${suffix}`, `prompt_length${suffix}`],
  });
  const gradient = pickRows(emit, embeddingGradient, slots);
  if (shapes) gatherRowsEarly(emit.graph, shapes, gradient);
  return { slots, gradient };
}
