import type { Graph } from '../graph/graph.js';
import { HALF_PRECISION } from './half-precision.js';

/**
 * Optimisers of onnxruntime that would widen stored weights at load (constant folding, and its special case for float16), or
 * join the casts for forward and backward, which would keep every widened weight alive in between.
 */
export const WIDENING_OPTIMISERS = [
  'ConstantFolding',
  'FuseFp16InitializerToFp32NodeTransformer',
  'CommonSubexpressionElimination',
];

/** Gives each reader of a half-precision weight a Cast of its own, so that the float32 copy lives no longer than one operator. */
export function separateCasts(graph: Graph): void {
  for (const cast of [...graph.nodes]) {
    const [stored = ''] = cast.inputs;
    const [widened = ''] = cast.outputs;
    const type = graph.initializers.get(stored)?.dataType;
    if (cast.opType !== 'Cast' || type === undefined || !HALF_PRECISION.has(type)) continue;
    for (const reader of graph.consumers(widened).slice(1)) {
      if (!reader.inputs.includes(widened)) continue;
      const own = graph.fresh('widened');
      graph.add({ ...cast, name: graph.fresh('Cast'), outputs: [own] });
      graph.setInputs(
        reader,
        reader.inputs.map((input) => (input === widened ? own : input)),
      );
    }
  }
}
