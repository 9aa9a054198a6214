import type { PromptPlacement } from '@dynaprompt/backbone';
import { ConfigurationError } from '@dynaprompt/core';
import {
  addSlotPositions,
  appendPositionScores,
  int64,
  widenPositionBiases,
  type Graph,
  type SlotPositions,
} from '@dynaprompt/onnx-autodiff';
import { PACKAGE_NAME } from '../package-name.js';
import { INPUT } from './names.js';
import type { VisionModel } from './vision-model.js';

/**
 * Prompts among patches: each receives the position embedding of the slot it stands in; biases of relative positions (BEiT) are 0
 * for them.
 */
export function visionPlacement({ patches, content, file }: VisionModel): PromptPlacement {
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
      // The rows without their places: nothing in the forward pass reads them.
      const sources = emit.concat([injection.prompts, injection.content], 1);
      const { scores, promptSlotScores } = appendPositionScores(
        emit,
        { ...injection, sources },
        slots,
        gradient,
      );
      return { scores, slotScores: promptSlotScores };
    },
    probe: (rows): ReturnType<NonNullable<PromptPlacement['probe']>> =>
      hasPositions ? { [INPUT.active]: int64(new Int32Array(rows).fill(1), [rows]) } : {},
    probeLength: (prompt) => patches.special + content + prompt,
  };
}

function placeless(file: string): ConfigurationError {
  return new ConfigurationError({
    packageName: PACKAGE_NAME,
    subject: `a learned position with ${file}`,
    problem: 'it adds no position embeddings to its patches, so where a prompt stands changes nothing',
    remedy: 'Leave the position fixed, or use ViT, DeiT, DINOv2, CLIP or SigLIP',
  });
}
