import { gradientOutput, joinGraphs, nameOfSecond, OUTPUT, PROMPT_INPUT } from '@dynaprompt/backbone';
import type { GradientRequest } from '@dynaprompt/core';
import {
  appendLossGradient,
  appendPositionScores,
  DataType,
  Emitter,
  gatherDeepPromptGradient,
  gatherPromptGradient,
  type Graph,
  type LossGradientRequest,
  type LossGradient,
  type PromptInjection,
  type SlotPositions,
} from '@dynaprompt/onnx-autodiff';
import type { PromptedTower } from './prompted-tower.js';
import { appendScores, type ScoreHead, type Side } from './scores.js';
import { differentiateSource, isOfSource } from './vision-source.js';

/** Ends the names of the inputs and outputs of an image tower that stands beside a text tower. */
export const VISION_SUFFIX = '.vision';

/** What a training graph is made of. */
export interface StepParts {
  /** Towers that are run; what is absent is fed, or not read. */
  readonly text: PromptedTower | undefined;
  readonly vision: PromptedTower | undefined;
  /** Where the embeddings of a tower that is not run come from. */
  readonly others: { readonly text: Side; readonly vision: Side };
  readonly head: ScoreHead;
  /** Trained tensors of the head. */
  readonly headTensors: readonly string[];
  readonly position: GradientRequest['position'];
}

/** A tower within the common graph. */
interface Placed {
  readonly tower: PromptedTower;
  readonly suffix: string;
  readonly output: string;
  readonly injection: PromptInjection;
  readonly deep: readonly string[];
  readonly slots: SlotPositions | undefined;
}

/**
 * One graph of the towers with prompts: loss, logits, and the gradients of prompts, positions, gates and head, all from one run.
 * The loss is the softmax cross-entropy over the logits of an image, for SigLIP too, as CoOp (Zhou et al. 2022) has it.
 */
export async function stepGraph(
  { text, vision, others, head, headTensors, position }: StepParts,
  options: Pick<LossGradientRequest, 'probeInputs' | 'compute' | 'isolated'>,
): Promise<Graph> {
  const placed =
    text && vision ? join(text, vision) : [text ?? vision].flatMap((one) => (one ? [inPlace(one)] : []));
  const graph = (text ?? vision)?.graph;
  if (!graph) throw new TypeError('a step needs a tower with prompts');
  const side = (tower: PromptedTower | undefined, other: Side): Side => {
    const found = placed.find((one) => one.tower === tower);
    return found ? { tensor: found.output } : other;
  };
  appendScores(new Emitter(graph), head, side(vision, others.vision), side(text, others.text));
  graph.outputs.clear();
  graph.outputs.set(OUTPUT.logits, { name: OUTPUT.logits, dataType: DataType.float32, dims: undefined });
  graph.prune();
  const made = headTensors.filter((name) => graph.inputs.has(name));
  const byAutodiff = made.filter((name) => !isOfSource(name));
  const gradient = await appendLossGradient(graph, {
    withRespectTo: [
      ...placed.flatMap(({ tower, injection, deep, suffix }) => [
        injection.embeddings,
        ...deep,
        ...(tower.gates ? [`${PROMPT_INPUT.keyBias}${suffix}`] : []),
      ]),
      ...byAutodiff,
    ],
    objective: { kind: 'cross-entropy', output: OUTPUT.logits },
    ...options,
  });
  const emit = new Emitter(graph);
  // First what reads the gradients of all rows: without it, those of the prompts' rows alone are computed.
  if (position) for (const one of placed) emitScores(emit, one, gradient);
  for (const one of placed) emitGradients(emit, one, gradient);
  emit.output(OUTPUT.loss, gradient.loss);
  for (const name of byAutodiff) emit.output(gradientOutput(name), gradient.gradients.get(name));
  return graph;
}

function inPlace(tower: PromptedTower): Placed {
  const { output, injection, deep, slots } = tower;
  return { tower, suffix: '', output, injection, deep, slots };
}

/** Puts the image tower beside the text tower, whose graph is changed. */
function join(text: PromptedTower, vision: PromptedTower): readonly [Placed, Placed] {
  const ofBatch = [...vision.graph.inputs.values()].filter(({ name }) => !isOfSource(name));
  const names = new Map(ofBatch.map(({ name }) => [name, `${name}${VISION_SUFFIX}`]));
  joinGraphs(text.graph, vision.graph, Object.fromEntries(names));
  // Its extents are its own.
  for (const { name, dims, dataType } of ofBatch) {
    const own = names.get(name) ?? name;
    const extents = dims?.map((extent) =>
      typeof extent === 'string' ? `${extent}${VISION_SUFFIX}` : extent,
    );
    text.graph.inputs.set(own, { name: own, dataType, dims: extents });
  }
  const isInput = (name: string): boolean => vision.graph.inputs.has(name);
  const rename = (name: string): string => (isInput(name) ? (names.get(name) ?? name) : nameOfSecond(name));
  const { injection, slots } = vision;
  const placed: Placed = {
    tower: vision,
    suffix: VISION_SUFFIX,
    output: rename(vision.output),
    injection: {
      prompts: rename(injection.prompts),
      order: rename(injection.order),
      embeddings: rename(injection.embeddings),
      sources: rename(injection.sources),
      content: rename(injection.content),
    },
    deep: vision.deep.map(rename),
    slots: slots && { active: rename(slots.active), table: rename(slots.table), special: slots.special },
  };
  return [inPlace(text), placed];
}

function emitScores(emit: Emitter, { injection, slots, suffix }: Placed, { gradients }: LossGradient): void {
  const gradient = gradients.get(injection.embeddings) ?? '';
  if (!slots) {
    emit.output(`${OUTPUT.scores}${suffix}`, emit.fusedMatMul(gradient, injection.embeddings, 0, 1));
    return;
  }
  // The rows without their places: nothing in the forward pass reads them.
  const sources = emit.concat([injection.prompts, injection.content], 1);
  const { scores, promptSlotScores } = appendPositionScores(emit, { ...injection, sources }, slots, gradient);
  emit.output(`${OUTPUT.scores}${suffix}`, scores);
  emit.output(`${OUTPUT.slotScores}${suffix}`, promptSlotScores);
}

function emitGradients(
  emit: Emitter,
  { tower, injection, deep, suffix }: Placed,
  { gradients, shapes }: LossGradient,
): void {
  const of = (tensor: string): string => gradients.get(tensor) ?? '';
  const { gradient, slots } = gatherPromptGradient(emit, of(injection.embeddings), suffix, shapes);
  const placed = {
    prompts: gradient,
    deep: deep.length > 0 ? gatherDeepPromptGradient(emit, deep.map(of), slots) : undefined,
  };
  const source = tower.source ?? { kind: 'plan' };
  const back = differentiateSource(emit, source, placed, (input) => `${input}${suffix}`);
  emit.output(`${OUTPUT.prompts}${suffix}`, back.prompts);
  if (back.deep !== undefined) emit.output(`${OUTPUT.deep}${suffix}`, back.deep);
  if (tower.gates) emit.output(`${OUTPUT.keyBias}${suffix}`, of(`${PROMPT_INPUT.keyBias}${suffix}`));
  for (const [name, tensor] of back.head) emit.output(gradientOutput(name), tensor);
}
