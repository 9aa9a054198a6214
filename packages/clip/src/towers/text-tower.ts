import { ModelError } from '@dynaprompt/core';
import {
  findLastHiddenState,
  findLayers,
  findTokenEmbedding,
  StructureNotFoundError,
  prepareGraph,
  type Graph,
} from '@dynaprompt/onnx-autodiff';
import type { ClipConfig } from '../folder/clip-config.js';
import { PACKAGE_NAME } from '../package-name.js';
import { TEXT_INPUT } from './names.js';
import { readTower } from './single-tower.js';
import { tellPositions } from './text-positions.js';

/** Where prompts go into a text tower. Tensors are names in the graph. */
export interface TextTower {
  readonly file: string;
  /** Prepared for surgery; it takes ids and positions, some a mask and token types. */
  readonly graph: Graph;
  /** [R, T, d] token embeddings. */
  readonly embeddings: string;
  /** d */
  readonly width: number;
  readonly vocabulary: number;
  /** Inputs of the layers that can take prompts. */
  readonly layers: readonly string[];
  /** [R, D] */
  readonly output: string;
  /** Most tokens, prompt included. */
  readonly maximumTokens: number;
  readonly isCausal: boolean;
  readonly fillsUp: boolean;
}

/**
 * Reads the text tower of an ONNX file.
 * @param prepared the file's graph where it was read already; changed.
 * @throws ModelError if the model needs inputs that are not known, or adds no positions to its tokens.
 * @throws StructureNotFoundError of onnx-autodiff if it has no token embeddings.
 */
export function readTextTower(
  file: string,
  config: ClipConfig,
  prepared: Graph = prepareGraph(file),
): TextTower {
  const { graph, output } = readTower(prepared, ['text_embeds', 'pooler_output']);
  checkInputs(graph);
  const { tensor: embeddings, width, vocabulary } = findTokenEmbedding(graph, TEXT_INPUT.ids);
  const positions = tellPositions(graph, embeddings);
  if (positions === undefined) {
    throw new ModelError({
      packageName: PACKAGE_NAME,
      subject: file,
      problem: 'no position embeddings are added to its tokens',
      remedy: 'Use a text tower with learned positions, as those of CLIP, SigLIP and Chinese-CLIP',
    });
  }
  return {
    file,
    graph,
    embeddings,
    width,
    vocabulary,
    layers: layersOf(graph, embeddings),
    output,
    maximumTokens: Math.min(config.maximumTokens, positions),
    isCausal: config.isCausal,
    fillsUp: config.fillsUp,
  };
}

/** The embeddings alone where the layers cannot be told apart: prompts are shallow. */
function layersOf(graph: Graph, embeddings: string): readonly string[] {
  try {
    return findLayers(graph, embeddings, findLastHiddenState(graph, embeddings));
  } catch (failure) {
    if (failure instanceof StructureNotFoundError) return [embeddings];
    throw failure;
  }
}

function checkInputs(graph: Graph): void {
  const known: readonly string[] = Object.values(TEXT_INPUT);
  const foreign = [...graph.inputs.keys()].filter((name) => !known.includes(name));
  if (foreign.length === 0) return;
  throw new ModelError({
    packageName: PACKAGE_NAME,
    subject: graph.source,
    problem: `its text tower takes inputs that are not known: ${foreign.join(', ')}`,
    remedy: `Export it with ${known.join(', ')} alone`,
  });
}
