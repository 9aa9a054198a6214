import type { PromptPlacement } from '@dynaprompt/backbone';
import {
  addSlotPositions,
  appendPositionScores,
  int64,
  widenPositionBiases,
  type Graph,
  type SlotPositions,
} from '@dynaprompt/onnx-autodiff';
import { placeless } from '../common/placeless.js';
import type { AdapterNameModel } from './model.js';

/** Input of the graph, int64 [B]: active rows of each example's prompt. */
export const ACTIVE = 'active_prompts';

/** Positions were added before prompts come in: each prompt receives that of the slot it stands in. */
export function placementOf({ patches, rows, file }: AdapterNameModel): PromptPlacement {
  const slotsOf = new WeakMap<Graph, SlotPositions>();
  const hasPositions = patches.positions !== undefined;
  return {
    inject(graph, injection) {
      widenPositionBiases(graph, injection);
      if (hasPositions) slotsOf.set(graph, addSlotPositions(graph, injection, patches));
    },
    scores(emit, injection, gradient) {
      const slots = slotsOf.get(emit.graph);
      if (!slots) throw placeless(file);
      const sources = emit.concat([injection.prompts, injection.content], 1);
      const made = appendPositionScores(emit, { ...injection, sources }, slots, gradient);
      return { scores: made.scores, slotScores: made.promptSlotScores };
    },
    probe: (batch): ReturnType<NonNullable<PromptPlacement['probe']>> =>
      hasPositions ? { [ACTIVE]: int64(new Int32Array(batch).fill(1), [batch]) } : {},
    probeLength: (prompt) => rows + prompt,
  };
}
