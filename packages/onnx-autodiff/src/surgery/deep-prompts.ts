import { Emitter } from '../graph/emitter.js';
import type { Graph } from '../graph/graph.js';
import { DataType } from '../graph/types.js';
import { divert, placeRows, pickRows, type PromptInjection } from './prompts.js';

/** What an injection of deep prompts adds. */
export interface DeepPromptInjection {
  /** Graph input, float32 [B, D, l, d]. */
  readonly prompts: string;
  /** D inputs of layers [B, T, d], prompts in place; differentiate with respect to these. */
  readonly embeddings: readonly string[];
}

/**
 * Gives layers prompts of their own (VPT-deep, Jia et al. 2022, section 3.2; P-tuning v2, Liu et al. 2022): at the input of
 * each, the rows that hold a row of the prompt are replaced by the same row of that layer's prompt. Which rows those are is what
 * the first injection's `order` says; rows of the prompt that it does not place have no effect.
 * @param layers inputs of the layers, [B, T, width] each (see {@link findLayers}), in the order of the prompts.
 * @param suffix that of the first injection.
 * @throws StructureNotFoundError if no node makes one of the tensors.
 */
export function injectDeepPrompts(
  graph: Graph,
  { order }: PromptInjection,
  layers: readonly string[],
  width: number,
  suffix = '',
): DeepPromptInjection {
  const emit = new Emitter(graph);
  const prompts = emit.input({
    name: `deep_prompt_embeddings${suffix}`,
    dataType: DataType.float32,
    dims: [`batch_size${suffix}`, layers.length, `prompt_length${suffix}`, width],
  });
  const slots = emit.extents(prompts, 2);
  const isPrompt = emit.op('Less', [order, slots]);
  // Positions without a prompt row read a row of zeros behind them, so that a prompt of no rows at all can be read from too.
  const places = emit.op('Where', [isPrompt, order, slots]);
  const mask = emit.unsqueeze(isPrompt, [-1]);
  const batch = emit.extents(prompts, 0);
  const nothing = emit.op('Expand', [emit.float(0), emit.concat([batch, emit.ints(1, width)], 0)]);
  for (const [index, layer] of layers.entries()) {
    const content = divert(graph, layer);
    const rows = emit.op('Gather', [prompts, emit.int(index)], { axis: 1 });
    const placed = graph.fresh('deep_prompt');
    placeRows(emit, emit.concat([rows, nothing], 1), places, placed);
    // Not one gather from both: its gradient would have to be scattered.
    graph.add({
      opType: 'Where',
      domain: '',
      inputs: [mask, placed, content],
      outputs: [layer],
      attributes: new Map(),
    });
  }
  return { prompts, embeddings: layers };
}

/**
 * Picks the prompts' rows out of the gradients of `injection.embeddings`: dL/dprompts [B, D, l, d].
 * @param slots graph input, int64 [B, l]: the position at which each prompt row stands (see `gatherPromptGradient`).
 */
export function gatherDeepPromptGradient(emit: Emitter, gradients: readonly string[], slots: string): string {
  const rows = gradients.map((gradient) => emit.unsqueeze(pickRows(emit, gradient, slots), [1]));
  return emit.concat(rows, 1);
}
