import { ModelError } from '@dynaprompt/core';
import {
  findLastHiddenState,
  findLayers,
  findPatchEmbedding,
  prepareGraph,
  StructureNotFoundError,
  type Graph,
  type PatchEmbedding,
} from '@dynaprompt/onnx-autodiff';
import type { Size } from '../images/preprocessor-config.js';
import { PACKAGE_NAME } from '../package-name.js';
import { INPUT } from './names.js';
import { constantBehind, CONVERSIONS } from './stored-values.js';

/** Where prompts go into a vision model, and where heads read. Tensors are names in the graph. */
export interface VisionModel {
  /** ONNX file that it was read from. */
  readonly file: string;
  /** Prepared for surgery; `pixel_values` is its only input. */
  readonly graph: Graph;
  readonly patches: PatchEmbedding;
  /** d */
  readonly width: number;
  /** Inputs of the layers that can take prompts, [B, T, d]. */
  readonly layers: readonly string[];
  /** [B, T, d] last hidden state. */
  readonly hidden: string;
  /** Patches of a picture: rows × columns. */
  readonly content: number;
  readonly rows: number;
  readonly columns: number;
  /** Side of a patch in pixels. */
  readonly patchSize: number;
}

/** Outputs of an image tower in a file that holds a text tower too. */
const TOWER_OUTPUTS: readonly string[] = ['image_embeds'];

/**
 * Reads an ONNX file for surgery; of two towers it takes the one for images.
 * @param size of the pictures that it will get.
 * @param graph the file's graph where it was prepared already; changed.
 * @throws MalformedModelError and StructureNotFoundError of onnx-autodiff.
 * @throws ModelError if the model needs other inputs, or pictures of another size.
 */
export function readVisionModel(file: string, size: Size, graph: Graph = prepareGraph(file)): VisionModel {
  keepImageTower(graph);
  const patches = findPatchEmbedding(graph, INPUT.pixels);
  const { width, special, tensor } = patches;
  const patch = patchExtents(graph);
  const [rows, columns] = [Math.floor(size.height / patch.height), Math.floor(size.width / patch.width)];
  const content = rows * columns;
  checkSize(graph, size, patches.tokens, special + content);
  const hidden = findLastHiddenState(graph, tensor);
  const layers = layersOf(graph, tensor, hidden);
  return { file, graph, patches, width, layers, hidden, content, rows, columns, patchSize: patch.height };
}

function keepImageTower(graph: Graph): void {
  const own = TOWER_OUTPUTS.filter((name) => graph.outputs.has(name));
  if (graph.inputs.size > 1 && own.length > 0) {
    for (const name of [...graph.outputs.keys()]) if (!own.includes(name)) graph.outputs.delete(name);
    graph.prune();
    for (const name of [...graph.inputs.keys()])
      if (graph.consumers(name).length === 0) graph.inputs.delete(name);
  }
  const foreign = [...graph.inputs.keys()].filter((name) => name !== INPUT.pixels);
  if (foreign.length === 0 && graph.inputs.has(INPUT.pixels)) return;
  throw new ModelError({
    packageName: PACKAGE_NAME,
    subject: graph.source,
    problem:
      foreign.length > 0
        ? `it takes inputs that are not known: ${foreign.join(', ')}`
        : `it has no input ${INPUT.pixels}`,
    remedy: `Export the model, or its image tower, with ${INPUT.pixels} alone`,
  });
}

/** In float or, as `quantize_dynamic` writes it, in integers. */
const CONVOLUTIONS: ReadonlySet<string> = new Set(['Conv', 'ConvInteger']);

/** Extents of the kernel that cuts a picture into patches. */
function patchExtents(graph: Graph): Size {
  const tensors: string[] = [INPUT.pixels];
  for (const tensor of tensors) {
    for (const { opType, inputs, outputs } of graph.consumers(tensor)) {
      const [, , height, width] = constantBehind(graph, inputs[1] ?? '')?.dims ?? [];
      if (CONVOLUTIONS.has(opType) && height !== undefined && width !== undefined) return { height, width };
      if (CONVERSIONS.has(opType)) tensors.push(outputs[0] ?? '');
    }
  }
  throw new StructureNotFoundError({
    subject: graph.source,
    problem: `no convolution cuts ${INPUT.pixels} into patches`,
    remedy: 'Use the ONNX export of a vision transformer, such as those that transformers.js runs',
  });
}

/** @param rows of class token and patches that a picture of this size makes. */
function checkSize(graph: Graph, { height, width }: Size, tokens: number | undefined, rows: number): void {
  const [, , modelHeight = height, modelWidth = width] = graph.inputs.get(INPUT.pixels)?.dims ?? [];
  const fits = (extent: number, declared: unknown): boolean =>
    typeof declared !== 'number' || declared === extent;
  if (fits(height, modelHeight) && fits(width, modelWidth) && (tokens ?? rows) === rows) return;
  throw new ModelError({
    packageName: PACKAGE_NAME,
    subject: graph.source,
    problem: `preprocessor_config.json makes pictures of ${height} × ${width}, the model takes ${
      typeof modelHeight === 'number'
        ? `${modelHeight} × ${String(modelWidth)}`
        : `${tokens ?? '?'} rows, not ${rows}`
    }`,
    remedy: 'Take all files from one revision of one repository',
  });
}

/** The embeddings alone where the layers cannot be told apart: prompts are shallow. */
function layersOf(graph: Graph, embeddings: string, hidden: string): readonly string[] {
  try {
    return findLayers(graph, embeddings, hidden);
  } catch (failure) {
    if (failure instanceof StructureNotFoundError) return [embeddings];
    throw failure;
  }
}
