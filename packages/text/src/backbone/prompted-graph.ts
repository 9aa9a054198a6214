import {
  addKeyBias,
  appendLossGradient,
  DataType,
  Emitter,
  gatherDeepPromptGradient,
  gatherPromptGradient,
  injectDeepPrompts,
  injectPrompts,
  int64,
  lowerToInt8,
  openSession,
  type ArithmeticOptions,
  type Graph,
  type ProbeInputs,
  type Session,
  type SessionOptions,
  type TensorValue,
} from '@dynaprompt/onnx-autodiff';
import {
  appendHead,
  declareOutputs,
  headTensors,
  probeFeeds,
  probeFloats,
  rowsPerExample,
} from './head-graph.js';
import type { Head } from './head.js';
import { gradientOutput, INPUT, OUTPUT } from './names.js';
import { layersOf, type TextModel } from './text-model.js';
import { repeatKeyBias } from './repeat-rows.js';
import { readTrainableModel, type TrainableModel } from './trainable-graph.js';

/** How graphs are computed. */
export type ComputeOptions = SessionOptions & Pick<ArithmeticOptions, 'compute'>;

/** What a training graph computes besides loss, logits and the gradients of prompts and head. */
export interface TrainingVariant {
  readonly position: boolean;
  readonly gates: boolean;
  /** D, layers behind the first that take prompts of their own. */
  readonly deep: number;
}

/** A model with room for prompts and a head, of which sessions are opened as they are needed. */
export interface PromptedModel {
  readonly width: number;
  readonly vocabulary: number;
  /** Parameters of the frozen model. */
  readonly parameters: number;
  /** Layers that can take prompts, the first one included. */
  readonly layers: number;
  /** Inputs of the model itself, e.g. `input_ids`. */
  readonly modelInputs: ReadonlySet<string>;
  /** Outputs `pooled` and `class_logits`, or `answer_scores` of the same values; no loss. */
  openInference(deep: number, options: ComputeOptions): Promise<Session>;
  openTraining(variant: TrainingVariant, options: ComputeOptions): Promise<Session>;
  /** Output `embeddings` [B, T, d] of `input_ids`; the lookup alone. */
  openEmbedding(): Promise<Session>;
  /** The same model without room for prompts, its weights as inputs. */
  trainable(): TrainableModel;
}

/** A graph with prompts and head. */
interface Prompted {
  readonly graph: Graph;
  /** [B, T, d] prompts and tokens as the model reads them; the source of the gradient. */
  readonly embeddings: string;
  /** [B, T, d] the same with the token types added: what a token brings along wherever it goes. */
  readonly carried: string;
  /** D inputs of layers behind the first [B, T, d], prompts of their own in place. */
  readonly deep: readonly string[];
}

/** Output that holds the logits of an inference session, [B, classes] or the same values in one row. */
export function logitsOutput(head: Head): string {
  return head.kind === 'scored' ? OUTPUT.answers : OUTPUT.logits;
}

/**
 * Makes room for prompts and head in a model.
 * @throws ModelError if it has no language head for a verbaliser.
 */
export function readPromptedModel(model: TextModel, head: Head): PromptedModel {
  const { graph: original, width, vocabulary } = model;
  const modelInputs = new Set(original.inputs.keys());
  const layers = layersOf(model);
  const build = (deep: number): Prompted => insertPromptsAndHead(model, head, layers.slice(1, deep + 1));
  // What a model lacks is said when it is opened, not at the first batch.
  build(0);
  return {
    width,
    vocabulary,
    parameters: countParameters(original),
    layers: layers.length,
    modelInputs,
    openInference(deep, { compute, ...options }) {
      const { graph } = build(deep);
      declareOutputs(graph, [OUTPUT.pooled, logitsOutput(head)]);
      if (compute === 'int8') lowerToInt8(graph);
      return openSession(graph, options);
    },
    async openTraining(variant, { compute = 'float32', ...options }) {
      const prompted = build(variant.deep);
      const repeats = model.kind === 'seq2seq' && head.kind === 'scored';
      await appendTraining(prompted, head, variant, repeats, {
        probeInputs: probeInputs(model, head, variant.deep),
        compute,
        ...(options.isolated === undefined ? {} : { isolated: options.isolated }),
      });
      return openSession(prompted.graph, options);
    },
    openEmbedding() {
      const graph = original.clone();
      graph.outputs.clear();
      new Emitter(graph).output('embeddings', model.embeddings);
      for (const name of modelInputs) if (name !== INPUT.ids) graph.inputs.delete(name);
      graph.prune();
      return openSession(graph, { prepack: false });
    },
    trainable: () => readTrainableModel({ ...model, graph: original.clone() }, head),
  };
}

function countParameters(graph: Graph): number {
  return [...graph.initializers.values()]
    .filter(({ dataType, dims }) => dataType === DataType.float32 && dims.length > 0)
    .reduce((sum, { dims }) => sum + dims.reduce((product, extent) => product * extent, 1), 0);
}

/**
 * Puts room for prompts, pooling and head into a copy of a model's graph, whose own outputs are dropped.
 * @param layers inputs of the layers behind the first that take prompts of their own.
 */
function insertPromptsAndHead(model: TextModel, head: Head, layers: readonly string[]): Prompted {
  const graph = model.graph.clone();
  const injection = injectPrompts(graph, model.embeddings, model.width);
  const { embeddings } = injection;
  const deep = layers.length === 0 ? [] : injectDeepPrompts(graph, injection, layers, model.width).embeddings;
  const carried = withTokenTypes(graph, embeddings);
  appendHead(graph, model, head);
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

/** @param repeats the decoder reads every encoded example once for each answer. */
async function appendTraining(
  { graph, embeddings, carried, deep }: Prompted,
  head: Head,
  variant: TrainingVariant,
  repeats: boolean,
  options: Pick<Parameters<typeof appendLossGradient>[1], 'probeInputs' | 'compute' | 'isolated'>,
): Promise<void> {
  // The logits have to be an output for the graph to count what leads to them.
  declareOutputs(graph, [OUTPUT.logits]);
  if (variant.gates) addKeyBias(graph, embeddings);
  if (variant.gates && repeats) repeatKeyBias(new Emitter(graph), head.classes);
  const withRespectTo = [
    embeddings,
    ...deep,
    ...(variant.gates ? [INPUT.keyBias] : []),
    ...headTensors(head),
  ];
  const { loss, gradients, shapes } = await appendLossGradient(graph, {
    withRespectTo,
    objective: { kind: 'cross-entropy', output: OUTPUT.logits },
    ...options,
  });
  const emit = new Emitter(graph);
  const gradientOf = (tensor: string): string => gradients.get(tensor) ?? '';
  // First what reads the gradient of all rows: without it, that of the prompts' rows alone is computed.
  if (variant.position) emit.output(OUTPUT.scores, emit.fusedMatMul(gradientOf(embeddings), carried, 0, 1));
  const { gradient, slots } = gatherPromptGradient(emit, gradientOf(embeddings), '', shapes);
  emit.output(OUTPUT.loss, loss);
  emit.output(OUTPUT.prompts, gradient);
  if (deep.length > 0) emit.output(OUTPUT.deep, gatherDeepPromptGradient(emit, deep.map(gradientOf), slots));
  if (variant.gates) emit.output(OUTPUT.keyBias, gradientOf(INPUT.keyBias));
  for (const tensor of headTensors(head)) emit.output(gradientOutput(tensor), gradientOf(tensor));
}

function probeInputs(model: TextModel, head: Head, deep: number): ProbeInputs {
  const make = (batch: number, prompt: number, total: number): Record<string, TensorValue> => {
    const rows = batch * rowsPerExample(model, head);
    return {
      ...probeFeeds(model, head, batch, total),
      [INPUT.prompts]: probeFloats(rows, prompt, model.width),
      [INPUT.deep]: probeFloats(rows, deep, prompt, model.width),
      [INPUT.order]: int64(new Int32Array(rows * total).fill(1), [rows, total]),
      [INPUT.keyBias]: probeFloats(rows, total),
    };
  };
  return [make(2, 3, 7), make(3, 4, 11)];
}
