import { findPromptPlaces, type PromptEntryPlace } from '@dynaprompt/backbone';
import { DataType, prepareGraph, type Graph } from '@dynaprompt/onnx-autodiff';
import type { AdapterNameConfig } from './config.js';
import { checkInputs, takesMask } from './declared-inputs.js';

/** Where prompts go into a model, and what its head reads. Tensors are names in the graph. */
export interface AdapterNameModel {
  readonly file: string;
  /** Prepared for surgery; its inputs are those that `hidden` needs. */
  readonly graph: Graph;
  readonly entry: PromptEntryPlace;
  /** [B, rows, d] what prompts are put between. */
  readonly embeddings: string;
  /** d */
  readonly width: number;
  /** Inputs of the layers that can take prompts, [B, T, d]. */
  readonly layers: readonly string[];
  /** [B, T, d] last hidden state. */
  readonly hidden: string;
  /** Rows see those in front of them only. */
  readonly isCausal: boolean;
  /** Where a row stands changes what the model makes of it. */
  readonly hasPositions: boolean;
  readonly padId: number;
  /** It can be told which rows are padding; if not, its weights cannot be trained on examples of several lengths. */
  readonly masksPadding: boolean;
  /** Most rows that it takes, prompt included. */
  readonly maximumTokens: number;
}

/**
 * Reads an ONNX file for surgery.
 * @throws MalformedModelError of onnx-autodiff.
 * @throws ModelError if prompts find no place, or the model takes inputs that the adapter cannot fill.
 */
export function readModel(
  file: string,
  { padId, maximumTokens }: AdapterNameConfig,
): Promise<AdapterNameModel> {
  return Promise.resolve().then(() => {
    const graph = prepareGraph(file);
    const { entry, hidden, layers } = findPromptPlaces(graph);
    keepOnly(graph, hidden);
    checkInputs(graph, entry.input);
    const { tensor: embeddings, width } = entry;
    const masksPadding = takesMask(graph);
    return {
      file,
      graph,
      entry,
      embeddings,
      width,
      layers,
      hidden,
      isCausal: false,
      hasPositions: true,
      padId,
      masksPadding,
      maximumTokens,
    };
  });
}

/** Most rows that a model takes, prompt included. */
export const maximumTokensOf: (model: AdapterNameModel, reserve: number) => number = ({ maximumTokens }) =>
  maximumTokens;

/** Drops what only other outputs need, their inputs included. */
function keepOnly(graph: Graph, hidden: string): void {
  graph.outputs.clear();
  graph.outputs.set(hidden, { name: hidden, dataType: DataType.float32, dims: undefined });
  graph.prune();
  for (const name of [...graph.inputs.keys()])
    if (graph.consumers(name).length === 0) graph.inputs.delete(name);
}
