import { prepareGraph, weightPooledRows, type Graph } from '@dynaprompt/onnx-autodiff';
import { readVisionModel, type PreprocessorConfig, type VisionModel } from '@dynaprompt/vision';
import { embeddingOf, keepOutput } from './single-tower.js';

/** An image tower with the embedding that it ends in. */
export interface VisionTower extends VisionModel {
  /** [B, D] */
  readonly output: string;
  /** Rows in front that its pooling passes over; undefined where it reads single rows only. */
  readonly skipped: number | undefined;
  /** Extents of its pictures. */
  readonly size: PreprocessorConfig['output'];
}

/**
 * Reads the image tower of an ONNX file.
 * @param size of the pictures that it will get.
 * @param graph the file's graph where it was prepared already; changed.
 * @throws ModelError and errors of onnx-autodiff as `openVisionBackbone` of @dynaprompt/vision does.
 */
export function readVisionTower(
  file: string,
  size: PreprocessorConfig['output'],
  graph: Graph = prepareGraph(file),
): VisionTower {
  const output = embeddingOf(graph, ['image_embeds', 'pooler_output']);
  const model = readVisionModel(file, size, graph);
  keepOutput(model.graph, output);
  return { ...model, size, output, skipped: weighRows(model.graph.clone(), model) };
}

/** Lets a head that pools all rows pass over prompts (SigLIP); see `weightPooledRows` of onnx-autodiff. */
export function weighRows(graph: Graph, { hidden }: Pick<VisionModel, 'hidden'>): number | undefined {
  return weightPooledRows(graph, hidden)?.skipped;
}
