import { existsSync } from 'node:fs';
import { join } from 'node:path';
import {
  appendLossGradient,
  Emitter,
  findPatchEmbedding,
  findTokenEmbedding,
  float32,
  floatsOf,
  gatherPromptGradient,
  injectPrompts,
  int64,
  openSession,
  prepareGraph,
  type ProbeInputs,
  type TensorValue,
} from '@dynaprompt/onnx-autodiff';
import { readSafetensors } from './safetensors.js';

/** How far a case is from its reference. */
export interface GradientCheck {
  readonly case: string;
  readonly loss: number;
  readonly lossError: number;
  /** Largest absolute difference. */
  readonly logitsError: number;
  /** ‖ours − reference‖ / ‖reference‖ */
  readonly gradientError: number;
  readonly passed: boolean;
}

export const LOSS_TOLERANCE = 1e-6;
export const GRADIENT_TOLERANCE = 1e-5;

/**
 * Checks a case folder: `model.onnx` and `case.safetensors` with the model's inputs, `prompt_embeddings` [B, P, d], `labels`,
 * and the reference `logits`, `loss` and `prompt_gradient` [B, P, d]. In text models the first P positions of `input_ids` are
 * placeholders whose embeddings the prompts replace; in vision models the prompts are inserted after the first token.
 */
export async function checkCase(folder: string): Promise<GradientCheck> {
  const [model, reference] = [join(folder, 'model.onnx'), join(folder, 'case.safetensors')];
  for (const file of [model, reference]) {
    if (!existsSync(file))
      throw new Error(`${file}: not found; a case folder holds model.onnx and case.safetensors.`);
  }
  const tensors = readSafetensors(reference);
  const tensor = (name: string): TensorValue => {
    const value = tensors.get(name);
    if (!value) throw new Error(`${reference}: no tensor ${name}; make the case again.`);
    return value;
  };
  const prompts = tensor('prompt_embeddings');
  const [batch = 0, promptLength = 0, width = 0] = prompts.dims;
  const graph = prepareGraph(model);
  const isText = graph.inputs.has('input_ids');
  const target = isText ? findTokenEmbedding(graph).tensor : findPatchEmbedding(graph).tensor;
  const modelInputs = [...graph.inputs.keys()];
  const contentRows = isText ? (tensor('input_ids').dims[1] ?? 0) : findPatchEmbedding(graph).tokens;
  const injection = injectPrompts(graph, target, width);
  const layout = (
    count: number,
    rows: number,
    prompt: number,
  ): { order: TensorValue; slots: TensorValue } => {
    const positions = isText ? textOrder(rows, prompt) : visionOrder(rows, prompt);
    const first = isText ? 0 : 1;
    const slots = Array.from({ length: prompt }, (_, index) => first + index);
    return {
      order: int64(repeat(positions, count), [count, positions.length]),
      slots: int64(repeat(slots, count), [count, prompt]),
    };
  };
  const feeds = Object.fromEntries(modelInputs.map((name) => [name, tensor(name)]));

  const { loss, gradients } = await appendLossGradient(graph, {
    withRespectTo: [injection.embeddings],
    objective: { kind: 'cross-entropy', output: 'logits' },
    probeInputs: probeInputs(modelInputs, feeds, contentRows, width, layout),
  });
  const emit = new Emitter(graph);
  const { gradient } = gatherPromptGradient(emit, gradients.get(injection.embeddings) ?? '');
  emit.output('loss', loss);
  emit.output('prompt_gradient', gradient);
  const session = await openSession(graph);
  const { order, slots } = layout(batch, contentRows, promptLength);
  const extra = {
    prompt_embeddings: prompts,
    prompt_order: order,
    prompt_slots: slots,
    labels: tensor('labels'),
  };
  const results = await session.run({ ...feeds, ...extra });
  await session.release();

  const expectedLoss = floatsOf(tensor('loss'))[0] ?? Number.NaN;
  const actualLoss = floatsOf(results.loss)[0] ?? Number.NaN;
  const lossError = Math.abs(actualLoss - expectedLoss);
  const gradientError = relativeError(floatsOf(results.prompt_gradient), floatsOf(tensor('prompt_gradient')));
  return {
    case: folder,
    loss: actualLoss,
    lossError,
    logitsError: largestDifference(floatsOf(results.logits), floatsOf(tensor('logits'))),
    gradientError,
    passed:
      lossError <= LOSS_TOLERANCE * Math.max(1, Math.abs(expectedLoss)) && gradientError < GRADIENT_TOLERANCE,
  };
}

/** Content of its own length with the prompts over the placeholders at its start. */
function textOrder(rows: number, prompt: number): number[] {
  return Array.from({ length: rows }, (_, position) => (position < prompt ? position : prompt + position));
}

/** First token, prompts, the rest. */
function visionOrder(rows: number, prompt: number): number[] {
  const promptRows = Array.from({ length: prompt }, (_, index) => index);
  const rest = Array.from({ length: rows - 1 }, (_, index) => prompt + 1 + index);
  return [prompt, ...promptRows, ...rest];
}

function repeat(row: readonly number[], count: number): number[] {
  return Array.from({ length: count }, () => row).flat();
}

/** Two small inputs like the case's own: other batch sizes, and other lengths where the model has a sequence. */
function probeInputs(
  names: readonly string[],
  feeds: Readonly<Record<string, TensorValue>>,
  contentRows: number,
  width: number,
  layout: (batch: number, rows: number, prompt: number) => { order: TensorValue; slots: TensorValue },
): ProbeInputs {
  const make = (batch: number, prompt: number, sequence: number): Record<string, TensorValue> => {
    const isText = names.includes('input_ids');
    const inputs = names.map((name) => {
      const dims = isText ? [batch, sequence] : [batch, ...(feeds[name]?.dims.slice(1) ?? [])];
      const size = dims.reduce((product, extent) => product * extent, 1);
      const value = isText
        ? int64(new Int32Array(size).fill(1), dims)
        : float32(new Float32Array(size), dims);
      return [name, value] as const;
    });
    const { order } = layout(batch, isText ? sequence : contentRows, prompt);
    const prompts = float32(new Float32Array(batch * prompt * width).fill(0.5), [batch, prompt, width]);
    return { ...Object.fromEntries(inputs), prompt_embeddings: prompts, prompt_order: order };
  };
  return [make(2, 3, 7), make(3, 4, 11)];
}

export function relativeError(actual: Float32Array, expected: Float32Array): number {
  let difference = 0;
  let norm = 0;
  expected.forEach((value, index) => {
    difference += ((actual[index] ?? Number.NaN) - value) ** 2;
    norm += value ** 2;
  });
  return Math.sqrt(difference / norm);
}

function largestDifference(actual: Float32Array, expected: Float32Array): number {
  return expected.reduce(
    (most, value, index) => Math.max(most, Math.abs((actual[index] ?? Number.NaN) - value)),
    0,
  );
}
