import { decompose } from '../decompose/index.js';
import type { Graph } from '../graph/graph.js';
import { widenHalfPrecision } from '../quantised/half-precision.js';
import { fuseIntegerProduct } from '../quantised/integer-product.js';
import { dropAbsentInputs } from './absent-inputs.js';
import { fuseAttentionProduct } from './attention-product.js';
import { takeConstantBranches } from './branches.js';
import { dropIdleCasts } from './casts.js';
import { liftConstants } from './constants.js';
import { foldConstants } from './fold-constants.js';
import { fuseGelu, fuseTanhGelu } from './gelu.js';
import { fuseLayerNormalization, fuseRmsNormalization } from './normalization.js';
import { raiseOpset } from './opset.js';

/** How often each pattern was found, for reports. */
export type FusionCounts = Readonly<Record<string, number>>;

/**
 * Brings a graph to the form the rest of the package works on: constants as initialisers, operator set ≥ 17, float32, operators
 * that have a gradient.
 * @param variables constants that a gradient will be taken of.
 */
export function normalise(graph: Graph, variables: readonly string[] = []): void {
  // Raising has to know ranks, and ranks come from constants.
  liftConstants(graph);
  raiseOpset(graph);
  resolveConstants(graph, new Set(variables));
  widenHalfPrecision(graph);
  dropIdleCasts(graph);
  decompose(graph);
}

/** Folds constants and takes the branches that they decide, until nothing is left to take. */
function resolveConstants(graph: Graph, variables: ReadonlySet<string>): void {
  do {
    dropAbsentInputs(graph);
    liftConstants(graph);
    foldConstants(graph, variables);
  } while (takeConstantBranches(graph) > 0);
}

/** Replaces decomposed patterns by operators that have fast kernels and short gradients. Values stay the same to rounding. */
export function fuse(graph: Graph): FusionCounts {
  const counts = {
    layerNormalization: fuseLayerNormalization(graph),
    rmsNormalization: fuseRmsNormalization(graph),
    gelu: fuseGelu(graph),
    tanhGelu: fuseTanhGelu(graph),
    attentionProduct: fuseAttentionProduct(graph),
    integerProduct: fuseIntegerProduct(graph),
  };
  graph.prune();
  return counts;
}
