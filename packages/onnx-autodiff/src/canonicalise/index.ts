import type { Graph } from '../graph/graph.js';
import { dropAbsentInputs } from './absent-inputs.js';
import { fuseAttentionProduct } from './attention-product.js';
import { dropIdleCasts } from './casts.js';
import { liftConstants } from './constants.js';
import { fuseGelu, fuseTanhGelu } from './gelu.js';
import { fuseLayerNormalization, fuseRmsNormalization } from './normalization.js';
import { raiseOpset } from './opset.js';

/** How often each pattern was found, for reports. */
export type FusionCounts = Readonly<Record<string, number>>;

/** Brings a graph to the form the rest of the package works on: constants as initialisers, operator set ≥ 17. */
export function normalise(graph: Graph): void {
  dropAbsentInputs(graph);
  liftConstants(graph);
  raiseOpset(graph);
  dropIdleCasts(graph);
}

/** Replaces decomposed patterns by operators that have fast kernels and short gradients. Values stay the same to rounding. */
export function fuse(graph: Graph): FusionCounts {
  const counts = {
    layerNormalization: fuseLayerNormalization(graph),
    rmsNormalization: fuseRmsNormalization(graph),
    gelu: fuseGelu(graph),
    tanhGelu: fuseTanhGelu(graph),
    attentionProduct: fuseAttentionProduct(graph),
  };
  graph.prune();
  return counts;
}
