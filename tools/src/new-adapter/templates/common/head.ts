import {
  appendLinearHead,
  floatInput,
  LINEAR_HEAD_TENSORS,
  OUTPUT,
  probeFloats,
  type HeadGraph,
} from '@dynaprompt/backbone';
import { Emitter } from '@dynaprompt/onnx-autodiff';
import { probeInputs } from '../tokens/inputs.js';
import type { AdapterNameModel } from '../sequence/model.js';

/** Input of the graph, float32 [B, T]: the share of each row in what the head reads. */
export const ROW_WEIGHTS = 'row_weights';

/** A linear head on a weighted mean of the last hidden state's rows. */
export function headOf(model: AdapterNameModel, classes: number): HeadGraph {
  const { width, hidden } = model;
  return {
    tensors: LINEAR_HEAD_TENSORS,
    append(graph) {
      const emit = new Emitter(graph);
      const weights = floatInput(emit, ROW_WEIGHTS, 'batch_size', 'prompted_length');
      const mean = emit.op('MatMul', [emit.unsqueeze(weights, [1]), hidden]); // [B, 1, T] · [B, T, d]
      emit.alias(emit.squeeze(mean, [1]), OUTPUT.pooled);
      emit.alias(appendLinearHead(emit, classes, width), OUTPUT.logits);
      graph.outputs.clear();
    },
    probe: (batch, total) => ({
      ...probeInputs({ model, batch, total }),
      [ROW_WEIGHTS]: probeFloats(batch, total),
      'head.weight': probeFloats(classes, width),
      'head.bias': probeFloats(classes),
    }),
  };
}
