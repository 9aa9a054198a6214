import { ModelError } from '@dynaprompt/core';
import {
  findLastHiddenState,
  findLayers,
  findTokenEmbedding,
  float32,
  Graph,
  int64,
  prepareGraph,
  StructureNotFoundError,
  type ConstantInput,
  type TensorValue,
} from '@dynaprompt/onnx-autodiff';
import type { AdapterKind } from '../folder/families.js';
import { PACKAGE_NAME } from '../package-name.js';
import { INPUT } from './names.js';

/** What an adapter says about a model: where prompts go in, and where the head reads. Tensors are names in the graph. */
export interface TextModel {
  readonly kind: AdapterKind;
  /** Prepared for surgery; all its inputs are known to the adapter. */
  readonly graph: Graph;
  /** [B, T, d] what prompts are put between. */
  readonly embeddings: string;
  /** d */
  readonly width: number;
  readonly vocabulary: number;
  /** [B, T, hiddenWidth] last hidden state of the prompted tokens. */
  readonly hidden: string;
  readonly hiddenWidth: number;
  /** Graph output with a score for every token of the vocabulary; undefined where the model has none. */
  readonly vocabularyLogits: string | undefined;
  /** ONNX files that it was read from. */
  readonly files: readonly string[];
}

/** What an adapter takes from config.json and its files to make a {@link TextModel}. */
export interface ModelParts {
  readonly kind: AdapterKind;
  readonly graph: Graph;
  readonly files: readonly string[];
  /** Width of the hidden states, of config.json. */
  readonly hiddenWidth: number;
  /** Default: the last residual sum, or its normalisation. */
  readonly hidden?: string;
}

/** Prefix of the inputs that hold a cache of keys and values. */
const CACHE = 'past_key_values.';

/**
 * Reads an ONNX file for surgery. Of a merged decoder it takes the branch without a cache.
 * @throws MalformedModelError of onnx-autodiff.
 */
export function prepareTextGraph(file: string): Graph {
  const graph = Graph.read(file);
  const { inputs } = graph;
  const constants: Record<string, ConstantInput> = {};
  if (inputs.has('use_cache_branch')) constants.use_cache_branch = false;
  // 0 keeps the logits of all tokens.
  const kept = inputs.get('num_logits_to_keep');
  if (kept) constants.num_logits_to_keep = int64([0], kept.dims?.length === 1 ? [1] : []);
  return prepareGraph(graph, constants);
}

/**
 * Finds the places for prompts and head in a graph.
 * @throws StructureNotFoundError of onnx-autodiff if the graph has no token embeddings or no residual connection.
 * @throws ModelError if it takes no attention mask, or inputs that the adapter cannot give.
 */
export function describeTextModel({ kind, graph, files, hiddenWidth, hidden }: ModelParts): TextModel {
  checkInputs(graph);
  const token = findTokenEmbedding(graph);
  const { tensor: embeddings, width } = widened(graph, token.tensor, token.width);
  const state = hidden ?? findLastHiddenState(graph, token.tensor);
  return {
    kind,
    graph,
    embeddings,
    width,
    vocabulary: token.vocabulary,
    hidden: state,
    hiddenWidth,
    vocabularyLogits: vocabularyLogits(graph, state, token.vocabulary),
    files,
  };
}

/** Inputs of the layers; the embeddings alone where the layers cannot be told apart or have another width: prompts are shallow. */
export function layersOf({ graph, embeddings, hidden, width, hiddenWidth }: TextModel): readonly string[] {
  if (width !== hiddenWidth) return [embeddings];
  try {
    return findLayers(graph, embeddings, hidden);
  } catch (failure) {
    if (failure instanceof StructureNotFoundError) return [embeddings];
    throw failure;
  }
}

/** An empty cache for `rows` sequences, for every input that wants one. */
export function emptyCache(graph: Graph, rows: number): Record<string, TensorValue> {
  const caches = [...graph.inputs.values()].filter(({ name }) => name.startsWith(CACHE));
  return Object.fromEntries(
    caches.map(({ name, dims = [] }) => {
      const extents = dims.map((extent, axis) =>
        axis === 0 ? rows : typeof extent === 'number' ? extent : 0,
      );
      return [name, float32(new Float32Array(), extents)] as const;
    }),
  );
}

/** Embeddings count as the layers get them: multiplied by a matrix (OPT) or a number (mBART) before anything is added to them. */
function widened(graph: Graph, tensor: string, width: number): { tensor: string; width: number } {
  const readers = graph.consumers(tensor).filter(({ opType }) => opType !== 'Shape');
  const [product] = readers;
  const dims = graph.initializers.get(product?.inputs[1] ?? '')?.dims;
  const isScaled =
    product?.opType === 'Mul' && product.inputs.some((input) => graph.scalar(input) !== undefined);
  if (readers.length === 1 && isScaled) return { tensor: product.outputs[0] ?? tensor, width };
  const isProjection = readers.length === 1 && product?.opType === 'MatMul' && dims?.length === 2;
  if (!isProjection || dims[0] !== width) return { tensor, width };
  return { tensor: product.outputs[0] ?? tensor, width: dims[1] ?? width };
}

/** The first output if it has the vocabulary's width, and something computes it from the hidden state. */
function vocabularyLogits(graph: Graph, hidden: string, vocabulary: number): string | undefined {
  const [output] = graph.outputs.values();
  const width = output?.dims?.[2];
  const isHead = output?.dims?.length === 3 && (typeof width !== 'number' || width === vocabulary);
  return isHead && output.name !== hidden && graph.consumers(hidden).length > 0 ? output.name : undefined;
}

function checkInputs(graph: Graph): void {
  const known: readonly string[] = [INPUT.ids, INPUT.mask, INPUT.types, INPUT.positions, INPUT.decoderIds];
  const fail = (problem: string, remedy: string): never => {
    throw new ModelError({ packageName: PACKAGE_NAME, subject: graph.source, problem, remedy });
  };
  if (!graph.inputs.has(INPUT.mask))
    fail(
      `the model has no input ${INPUT.mask}, so examples of different lengths cannot share a batch`,
      'Export it with an attention mask',
    );
  const foreign = [...graph.inputs.keys()].filter((name) => !known.includes(name) && !name.startsWith(CACHE));
  if (foreign.length > 0)
    fail(
      `it takes inputs that are not known: ${foreign.join(', ')}`,
      `Export it with ${known.join(', ')} alone`,
    );
}
