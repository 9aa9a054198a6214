import {
  addKeyBias,
  appendLossGradient,
  DataType,
  Emitter,
  findLastHiddenState,
  findLayers,
  findTokenEmbedding,
  gatherDeepPromptGradient,
  gatherPromptGradient,
  injectDeepPrompts,
  injectPrompts,
  int64,
  openSession,
  prepareGraph,
  StructureNotFoundError,
  type Graph,
  type ProbeInputs,
  type Session,
  type SessionOptions,
  type TensorValue,
} from '@dynaprompt/onnx-autodiff';
import { ModelError } from '@dynaprompt/core';
import { PACKAGE_NAME } from '../package-name.js';
import { appendHead, declareOutputs, headTensors, probeFeeds, probeFloats } from './head-graph.js';
import type { Head } from './head.js';
import { gradientOutput, INPUT, OUTPUT } from './names.js';
import { readTrainableModel, type TrainableModel } from './trainable-graph.js';

export { INPUT, OUTPUT };

/** What a training graph computes besides loss, logits and the gradients of prompts and head. */
export interface TrainingVariant {
  readonly position: boolean;
  readonly gates: boolean;
  /** D, layers behind the first that take prompts of their own. */
  readonly deep: number;
}

/** A model file with room for prompts and a head, of which sessions are opened as they are needed. */
export interface PromptedModel {
  readonly width: number;
  readonly vocabulary: number;
  /** Parameters of the frozen model. */
  readonly parameters: number;
  /** Layers that can take prompts, the first one included. */
  readonly layers: number;
  /** Inputs of the model itself, e.g. `input_ids`. */
  readonly modelInputs: ReadonlySet<string>;
  /** Outputs `pooled` and `class_logits`; no loss. */
  openInference(deep: number, options: SessionOptions): Promise<Session>;
  openTraining(variant: TrainingVariant, options: SessionOptions): Promise<Session>;
  /** Output `embeddings` [B, T, d] of `input_ids`; the lookup alone. */
  openEmbedding(): Promise<Session>;
  /** The same model without room for prompts, its weights as inputs. */
  trainable(): TrainableModel;
}

/** A graph with prompts and head. */
export interface Prompted {
  readonly graph: Graph;
  /** [B, T, d] prompts and tokens as the model reads them; the source of the gradient. */
  readonly embeddings: string;
  /** [B, T, d] the same with the token types added: what a token brings along wherever it goes. */
  readonly carried: string;
  /** D inputs of layers behind the first [B, T, d], prompts of their own in place. */
  readonly deep: readonly string[];
}

/**
 * Reads an encoder's ONNX file and finds the places for prompts and head in it.
 * @throws MalformedModelError or StructureNotFoundError of onnx-autodiff.
 * @throws ModelError if the model takes no attention mask, or has no masked-language head for a verbaliser.
 */
export function readPromptedModel(file: string, head: Head): PromptedModel {
  const original = prepareGraph(file);
  const token = findTokenEmbedding(original);
  const { tensor, width, vocabulary } = token;
  const modelInputs = new Set(original.inputs.keys());
  const weights = [...original.initializers.values()].filter(
    ({ dataType, dims }) => dataType === DataType.float32 && dims.length > 0,
  );
  if (!modelInputs.has(INPUT.mask)) {
    throw new ModelError({
      packageName: PACKAGE_NAME,
      subject: file,
      problem: `the model has no input ${INPUT.mask}, so examples of different lengths cannot share a batch`,
      remedy: 'Export it with an attention mask',
    });
  }
  const layers = layersOf(original, tensor);
  const build = (deep: number): Prompted =>
    insertPromptsAndHead(original.clone(), head, layers.slice(1, deep + 1));
  // What a model lacks is said when it is opened, not at the first batch.
  build(0);
  return {
    width,
    vocabulary,
    parameters: weights.reduce(
      (sum, { dims }) => sum + dims.reduce((product, extent) => product * extent, 1),
      0,
    ),
    layers: layers.length,
    modelInputs,
    openInference(deep, options) {
      const { graph } = build(deep);
      declareOutputs(graph, [OUTPUT.pooled, OUTPUT.logits]);
      return openSession(graph, options);
    },
    async openTraining(variant, options) {
      const prompted = build(variant.deep);
      await appendTraining(prompted, head, variant, probeInputs(modelInputs, head, width, variant.deep));
      return openSession(prompted.graph, options);
    },
    openEmbedding() {
      const graph = original.clone();
      graph.outputs.clear();
      new Emitter(graph).output('embeddings', tensor);
      for (const name of modelInputs) if (name !== INPUT.ids) graph.inputs.delete(name);
      graph.prune();
      return openSession(graph, { prepack: false });
    },
    trainable: () => readTrainableModel(original.clone(), token, head),
  };
}

/** Inputs of the layers; the embeddings alone where the layers cannot be told apart, so that prompts are shallow. */
function layersOf(graph: Graph, embeddings: string): readonly string[] {
  try {
    return findLayers(graph, embeddings, findLastHiddenState(graph, embeddings));
  } catch (failure) {
    if (failure instanceof StructureNotFoundError) return [embeddings];
    throw failure;
  }
}

/**
 * Puts room for prompts, pooling and head into an encoder's graph, whose own outputs are dropped.
 * @param layers inputs of the layers behind the first that take prompts of their own.
 * @throws StructureNotFoundError of onnx-autodiff.
 * @throws ModelError if a verbaliser finds no masked-language head.
 */
export function insertPromptsAndHead(graph: Graph, head: Head, layers: readonly string[] = []): Prompted {
  const token = findTokenEmbedding(graph);
  const injection = injectPrompts(graph, token.tensor, token.width);
  const { embeddings } = injection;
  const deep = layers.length === 0 ? [] : injectDeepPrompts(graph, injection, layers, token.width).embeddings;
  const carried = withTokenTypes(graph, embeddings);
  appendHead(graph, token, head);
  return { graph, embeddings, carried, deep };
}

/** The sum of token and token-type embeddings if the model forms it directly, else the embeddings themselves. */
function withTokenTypes(graph: Graph, embeddings: string): string {
  const typeLookup = graph.consumers(INPUT.types).find((node) => node.opType === 'Gather');
  const sum = graph
    .consumers(embeddings)
    .find((node) => node.opType === 'Add' && node.inputs.includes(typeLookup?.outputs[0] ?? ''));
  return sum?.outputs[0] ?? embeddings;
}

async function appendTraining(
  { graph, embeddings, carried, deep }: Prompted,
  head: Head,
  variant: TrainingVariant,
  probeInputs: ProbeInputs,
): Promise<void> {
  // The logits have to be an output for the graph to count what leads to them.
  declareOutputs(graph, [OUTPUT.logits]);
  if (variant.gates) addKeyBias(graph, embeddings);
  const withRespectTo = [
    embeddings,
    ...deep,
    ...(variant.gates ? [INPUT.keyBias] : []),
    ...headTensors(head),
  ];
  const { loss, gradients } = await appendLossGradient(graph, {
    withRespectTo,
    objective: { kind: 'cross-entropy', output: OUTPUT.logits },
    probeInputs,
  });
  const emit = new Emitter(graph);
  const gradientOf = (tensor: string): string => gradients.get(tensor) ?? '';
  const { gradient, slots } = gatherPromptGradient(emit, gradientOf(embeddings));
  emit.output(OUTPUT.loss, loss);
  emit.output(OUTPUT.prompts, gradient);
  if (deep.length > 0) emit.output(OUTPUT.deep, gatherDeepPromptGradient(emit, deep.map(gradientOf), slots));
  if (variant.position) emit.output(OUTPUT.scores, emit.fusedMatMul(gradientOf(embeddings), carried, 0, 1));
  if (variant.gates) emit.output(OUTPUT.keyBias, gradientOf(INPUT.keyBias));
  for (const tensor of headTensors(head)) emit.output(gradientOutput(tensor), gradientOf(tensor));
}

function probeInputs(modelInputs: ReadonlySet<string>, head: Head, width: number, deep: number): ProbeInputs {
  const make = (batch: number, prompt: number, total: number): Record<string, TensorValue> => ({
    ...probeFeeds(modelInputs, head, width, batch, total),
    [INPUT.prompts]: probeFloats(batch, prompt, width),
    [INPUT.deep]: probeFloats(batch, deep, prompt, width),
    [INPUT.order]: int64(new Int32Array(batch * total).fill(1), [batch, total]),
    [INPUT.keyBias]: probeFloats(batch, total),
  });
  return [make(2, 3, 7), make(3, 4, 11)];
}
