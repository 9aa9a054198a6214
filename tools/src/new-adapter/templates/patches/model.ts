import { findPromptPlaces, type PromptEntryPlace } from '@dynaprompt/backbone';
import { ModelError } from '@dynaprompt/core';
import {
  DataType,
  Emitter,
  findPatchEmbedding,
  float32,
  openSession,
  prepareGraph,
  type Graph,
  type PatchEmbedding,
} from '@dynaprompt/onnx-autodiff';
import type { AdapterNameConfig } from './config.js';
import { PACKAGE_NAME } from '../common/package-name.js';

/** Where prompts go into a model, and what its head reads. Tensors are names in the graph. */
export interface AdapterNameModel {
  readonly file: string;
  /** Prepared for surgery; the content is its only input. */
  readonly graph: Graph;
  readonly entry: PromptEntryPlace;
  readonly patches: PatchEmbedding;
  /** Extents of an example's input, such as [3, height, width]. */
  readonly extents: readonly number[];
  /** Rows of an example: class token, registers, patches. */
  readonly rows: number;
  /** [B, rows, d] what prompts are put between. */
  readonly embeddings: string;
  /** d */
  readonly width: number;
  /** Inputs of the layers that can take prompts, [B, T, d]. */
  readonly layers: readonly string[];
  /** [B, T, d] last hidden state. */
  readonly hidden: string;
  /** Rows see those in front of them only; never so here. */
  readonly isCausal: boolean;
  /** There is no padding to tell it of. */
  readonly masksPadding: boolean;
}

/**
 * Reads an ONNX file for surgery, and runs it once to count its rows.
 * @throws MalformedModelError of onnx-autodiff.
 * @throws ModelError if prompts find no place, or the model takes further inputs.
 */
export async function readModel(
  file: string,
  { extents: given }: AdapterNameConfig,
): Promise<AdapterNameModel> {
  const graph = prepareGraph(file);
  const { entry, hidden, layers } = findPromptPlaces(graph);
  keepOnly(graph, hidden);
  const foreign = [...graph.inputs.keys()].filter((name) => name !== entry.input);
  if (foreign.length > 0) throw unfit(file, `it takes inputs that are not known: ${foreign.join(', ')}`);
  const patches = findPatchEmbedding(graph, entry.input);
  const declared = graph.inputs.get(entry.input)?.dims?.slice(1) ?? [];
  const extents = declared.map((extent, axis) =>
    typeof extent === 'number' ? extent : (given?.[axis] ?? 0),
  );
  if (extents.length === 0 || extents.includes(0))
    throw unfit(file, `neither it nor config.json says how large ${entry.input} is (image_size)`);
  const rows = await countRows(graph, entry, extents);
  const { tensor: embeddings, width } = entry;
  return {
    file,
    graph,
    entry,
    patches,
    extents,
    rows,
    embeddings,
    width,
    layers,
    hidden,
    isCausal: false,
    masksPadding: true,
  };
}

/** Most rows that a model takes, prompt included. */
export function maximumTokensOf({ rows }: AdapterNameModel, reserve: number): number {
  return rows + reserve;
}

/** Drops what only other outputs need, their inputs included. */
function keepOnly(graph: Graph, hidden: string): void {
  graph.outputs.clear();
  graph.outputs.set(hidden, { name: hidden, dataType: DataType.float32, dims: undefined });
  graph.prune();
  for (const name of [...graph.inputs.keys()])
    if (graph.consumers(name).length === 0) graph.inputs.delete(name);
}

async function countRows(
  original: Graph,
  { input, tensor }: PromptEntryPlace,
  extents: readonly number[],
): Promise<number> {
  const graph = original.clone();
  graph.outputs.clear();
  new Emitter(graph).output('rows', tensor);
  graph.prune();
  const session = await openSession(graph, { threads: 1, prepack: false });
  try {
    const size = extents.reduce((product, extent) => product * extent, 1);
    const { rows } = await session.run({ [input]: float32(new Float32Array(size), [1, ...extents]) });
    return rows?.dims[1] ?? 0;
  } finally {
    await session.release();
  }
}

function unfit(file: string, problem: string): ModelError {
  return new ModelError({
    packageName: PACKAGE_NAME,
    subject: file,
    problem,
    remedy: 'Use the model that this adapter was made for, or one like it',
  });
}
