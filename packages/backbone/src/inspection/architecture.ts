import { DataType, type Graph } from '@dynaprompt/onnx-autodiff';
import type { PromptEntryPlace } from './prompt-entry.js';

/** What a model computes from what. A decoder that was exported without its cache counts as a text model. */
export type Architecture =
  | 'dual encoder'
  | 'encoder-decoder'
  | 'decoder of an encoder-decoder'
  | 'decoder'
  | 'text model'
  | 'vision model'
  | 'sequence model'
  | 'unknown';

/** Told by the inputs and outputs of the graph as it was read. */
export function architectureOf(graph: Graph, entry: PromptEntryPlace | undefined): Architecture {
  const inputs = [...graph.inputs.values()];
  const hasPictures = inputs.some(({ dataType, dims }) => dataType !== DataType.int64 && dims?.length === 4);
  const isCached = [...graph.inputs.keys(), ...graph.outputs.keys()].some((name) =>
    /^(past_key_values|present)\b/.test(name),
  );
  if (graph.inputs.has('encoder_hidden_states')) return 'decoder of an encoder-decoder';
  if (graph.inputs.has('decoder_input_ids')) return 'encoder-decoder';
  if (isCached) return 'decoder';
  if (entry?.kind === 'tokens') return hasPictures ? 'dual encoder' : 'text model';
  if (hasPictures) return 'vision model';
  return entry ? 'sequence model' : 'unknown';
}
