import {
  nullThrows,
  positionGradient,
  rowSlots,
  type BackboneStep,
  type GradientRequest,
  type ParameterSet,
  type PromptPlan,
} from '@dynaprompt/core';
import { floatsOf, type TensorValue } from '@dynaprompt/onnx-autodiff';
import { gradientsOf } from './fine-tuning.js';
import { OUTPUT } from './graph/names.js';
import { GATE_FLOOR, type PromptedBatch } from './sequence/arrangement.js';
import { inTableOrder } from './sequence/placement.js';

/** Reads loss, logits and the gradients that were asked for out of the results of a training session. */
export function stepOf(
  results: Readonly<Record<string, TensorValue>>,
  batch: PromptedBatch,
  plan: PromptPlan,
  parameters: ParameterSet,
  request: GradientRequest,
): BackboneStep {
  return {
    loss: nullThrows(floatsOf(results[OUTPUT.loss])[0], 'a session returned an empty loss'),
    logits: floatsOf(results[OUTPUT.logits]),
    plan: {
      prompts: floatsOf(results[OUTPUT.prompts]),
      position: request.position ? choiceGradient(results, batch, plan.batch) : undefined,
      gates:
        request.gates && plan.gates
          ? gateGradient(floatsOf(results[OUTPUT.keyBias]), batch, plan, plan.gates)
          : undefined,
      deep: plan.deep && floatsOf(results[OUTPUT.deep]),
    },
    head: gradientsOf(parameters, results),
  };
}

/** dL/dg of the one-hot position g, [B, C]. */
function choiceGradient(
  results: Readonly<Record<string, TensorValue>>,
  { shape, layouts, tables, places }: PromptedBatch,
  batch: number,
): Float32Array {
  const own = layouts.map(({ before, content, after }) => before + content + after);
  const rows = shape.slots + Math.max(...own);
  const scores = floatsOf(results[OUTPUT.scores]);
  const slotScores = results[OUTPUT.slotScores];
  // Scores of the rows themselves, which are not those of what the model reads where slots give something to prompts.
  if (slotScores) {
    return positionGradient(shape, layouts, {
      scores,
      columnCount: rows,
      promptSlotScores: floatsOf(slotScores),
    });
  }
  return positionGradient(shape, layouts, {
    scores: inTableOrder(scores, shape.total, places),
    columnCount: shape.total,
    columns: rowSlots(tables, batch, rows),
  });
}

/** dL/dγ = (dL/d log γ) / γ, [B, l]. */
function gateGradient(
  keyBiasGradient: Float32Array,
  { shape, slots }: PromptedBatch,
  plan: PromptPlan,
  gates: Float32Array,
): Float32Array {
  return gates.map((gate, index) => {
    const example = Math.floor(index / plan.slots);
    const position = slots[index] ?? 0;
    return (keyBiasGradient[example * shape.total + position] ?? 0) / Math.max(gate, GATE_FLOOR);
  });
}
