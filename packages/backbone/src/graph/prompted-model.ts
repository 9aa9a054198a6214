import {
  addKeyBias,
  appendLossGradient,
  Emitter,
  gatherDeepPromptGradient,
  gatherPromptGradient,
  injectDeepPrompts,
  injectPrompts,
  int64,
  lowerToInt8,
  type ArithmeticOptions,
  type Graph,
  type Objective,
  type ProbeInputs,
  type PromptInjection,
  type SessionOptions,
  type TensorValue,
} from '@dynaprompt/onnx-autodiff';
import { gradientOutput, OUTPUT, PROMPT_INPUT } from './names.js';
import { objectiveOf } from './objective.js';
import { declareOutputs, probeFloats } from './outputs.js';
import { countParameters, refuseReducedPrecision } from './stored-weights.js';
import { readTrainableModel, type TrainableModel } from './trainable-model.js';

/** How graphs are computed. */
export type ComputeOptions = SessionOptions & Pick<ArithmeticOptions, 'compute'>;

/** What a graph depends on besides its variant. */
export type GraphOptions = Pick<ComputeOptions, 'compute' | 'isolated'>;

/** What a graph computes besides logits. */
export interface PromptVariant {
  /** D, layers behind the first that take prompts of their own. */
  readonly deep: number;
  /** Attention takes {@link PROMPT_INPUT}.keyBias. */
  readonly gates: boolean;
}

/** What a training graph computes besides loss, logits and the gradients of prompts and head. */
export interface TrainingVariant extends PromptVariant {
  readonly position: boolean;
}

/** Where prompts enter a model; see {@link PromptableModel}. */
export interface PromptEntry {
  /** Own inputs alone. */
  readonly graph: Graph;
  /** [B, rows, d] tensor that prompts are put between. */
  readonly embeddings: string;
  /** d */
  readonly width: number;
  /** Inputs of the layers that can take prompts, `embeddings` first; see `findLayers` of onnx-autodiff. */
  readonly layers: readonly string[];
}

/** The head that is put behind a model. */
export interface HeadGraph {
  /** Trained tensors, inputs of the graph. */
  readonly tensors: readonly string[];
  /** Output of inference that holds the logits [B, classes], or the same values in one row; default {@link OUTPUT}.logits. */
  readonly logits?: string;
  /** What is minimised, on a tensor that `append` makes; default: the cross-entropy of {@link OUTPUT}.logits. */
  readonly objective?: Objective;
  /** Makes tensors {@link OUTPUT}.pooled and .logits out of what the model computes; the graph's own outputs are dropped. */
  append(graph: Graph): void;
  /** Small values for the inputs of model and head, for finding shapes: `batch` examples of `total` tokens, prompt included. */
  probe(batch: number, total: number): Readonly<Record<string, TensorValue>>;
  /** Rows of the model's batch that an example of {@link HeadGraph.probe} takes; default 1. */
  readonly rowsPerExample?: number;
  /** Is called when {@link PROMPT_INPUT}.keyBias is in the graph. */
  adaptKeyBias?(graph: Graph): void;
}

/** Graph inputs and scores that a family has of its own for prompts; the default suits models that add positions afterwards. */
export interface PromptPlacement {
  /** Completes an injection. */
  inject?(graph: Graph, injection: PromptInjection): void;
  /**
   * Tensor [B, T, d] of what a token brings along wherever it goes, prompts in place; its products with dL/dE are the position
   * scores. Default: the embeddings themselves.
   */
  carried?(graph: Graph, embeddings: string): string;
  /** Makes position scores in another way: tensors for {@link OUTPUT}.scores and .slotScores. */
  scores?(
    emit: Emitter,
    injection: PromptInjection,
    gradient: string,
  ): { readonly scores: string; readonly slotScores: string };
  /** Values of the inputs that it adds, for finding shapes. */
  probe?(rows: number): Readonly<Record<string, TensorValue>>;
  /** Attention takes {@link PROMPT_INPUT}.gatedRows beside the log-gates; see `addKeyBias` of onnx-autodiff. Default false. */
  readonly gatesByRow?: boolean;
  /** Length of the prompted sequence for probes of `prompt` tokens; default: any. */
  probeLength?(prompt: number): number;
}

/** Everything that graphs with prompts are made of. */
export interface PromptableModel extends PromptEntry {
  readonly head: HeadGraph;
  readonly placement?: PromptPlacement;
}

/** A model with room for prompts and a head, of which graphs are made as they are needed. */
export interface PromptedModel {
  readonly width: number;
  /** Parameters of the frozen model. */
  readonly parameters: number;
  /** Layers that can take prompts, the first one included. */
  readonly layers: number;
  /** Output of inference that holds the logits. */
  readonly logits: string;
  /** Inputs of the model itself, e.g. `input_ids`. */
  readonly modelInputs: ReadonlySet<string>;
  /** Outputs {@link OUTPUT}.pooled and the logits; no loss. */
  inferenceGraph(variant: PromptVariant, options: GraphOptions): Graph;
  /** Outputs loss, class logits, and the gradients of prompts, head and what the variant asks for. */
  trainingGraph(variant: TrainingVariant, options: GraphOptions): Promise<Graph>;
  /**
   * The same model without room for prompts, its weights as inputs.
   * @throws ConfigurationError if they are stored in reduced precision.
   */
  trainable(): TrainableModel;
}

/** A graph with prompts and head. */
interface Prompted {
  readonly graph: Graph;
  readonly injection: PromptInjection;
  /** [B, T, d] what a token brings along wherever it goes. */
  readonly carried: string;
  /** D inputs of layers behind the first [B, T, d], prompts of their own in place. */
  readonly deep: readonly string[];
}

/**
 * Makes room for prompts and head in a model, whose graph stays as it is.
 * @throws whatever `head.append` throws, when the model is read and not at the first batch.
 */
export function readPromptedModel(model: PromptableModel): PromptedModel {
  const { graph: original, width, layers, head } = model;
  const build = (deep: number): Prompted => insertPromptsAndHead(model, layers.slice(1, deep + 1));
  // What a model lacks is said when it is opened, not at the first batch.
  build(0);
  const logits = head.logits ?? OUTPUT.logits;
  return {
    width,
    parameters: countParameters(original),
    layers: layers.length,
    logits,
    modelInputs: new Set(original.inputs.keys()),
    inferenceGraph({ deep, gates }, { compute }) {
      const { graph, injection } = build(deep);
      declareOutputs(graph, [OUTPUT.pooled, logits]);
      if (gates) addGates(graph, injection, model);
      if (compute === 'int8') lowerToInt8(graph);
      return graph;
    },
    async trainingGraph(variant, { compute = 'float32', isolated }) {
      const prompted = build(variant.deep);
      await appendTraining(prompted, model, variant, {
        probeInputs: probeInputs(model, variant.deep),
        compute,
        ...(isolated === undefined ? {} : { isolated }),
      });
      return prompted.graph;
    },
    trainable() {
      refuseReducedPrecision(original);
      return readTrainableModel(original.clone(), head, model.placement?.probeLength?.(0));
    },
  };
}

/**
 * Puts room for prompts, pooling and head into a copy of a model's graph, whose own outputs are dropped.
 * @param layers inputs of the layers behind the first that take prompts of their own.
 */
function insertPromptsAndHead(model: PromptableModel, layers: readonly string[]): Prompted {
  const { width, placement } = model;
  const graph = model.graph.clone();
  const injection = injectPrompts(graph, model.embeddings, width);
  const { embeddings } = injection;
  const deep = layers.length === 0 ? [] : injectDeepPrompts(graph, injection, layers, width).embeddings;
  placement?.inject?.(graph, injection);
  const carried = placement?.carried?.(graph, embeddings) ?? embeddings;
  model.head.append(graph);
  return { graph, injection, carried, deep };
}

function addGates(
  graph: Graph,
  { embeddings }: PromptInjection,
  { head, placement }: Pick<PromptableModel, 'head' | 'placement'>,
): void {
  addKeyBias(graph, embeddings, placement?.gatesByRow);
  head.adaptKeyBias?.(graph);
}

async function appendTraining(
  { graph, injection, carried, deep }: Prompted,
  { head, placement }: PromptableModel,
  variant: TrainingVariant,
  options: Pick<Parameters<typeof appendLossGradient>[1], 'probeInputs' | 'compute' | 'isolated'>,
): Promise<void> {
  const { embeddings } = injection;
  // The logits have to be an output for the graph to count what leads to them.
  declareOutputs(graph, [OUTPUT.logits]);
  if (variant.gates) addGates(graph, injection, { head, ...(placement && { placement }) });
  const withRespectTo = [
    embeddings,
    ...deep,
    ...(variant.gates ? [PROMPT_INPUT.keyBias] : []),
    ...head.tensors,
  ];
  const { loss, gradients, shapes } = await appendLossGradient(graph, {
    withRespectTo,
    objective: objectiveOf(head),
    ...options,
  });
  const emit = new Emitter(graph);
  const gradientOf = (tensor: string): string => gradients.get(tensor) ?? '';
  // First what reads the gradient of all rows: without it, that of the prompts' rows alone is computed.
  if (variant.position) {
    const own = placement?.scores?.(emit, injection, gradientOf(embeddings));
    emit.output(OUTPUT.scores, own?.scores ?? emit.fusedMatMul(gradientOf(embeddings), carried, 0, 1));
    if (own) emit.output(OUTPUT.slotScores, own.slotScores);
  }
  const { gradient, slots } = gatherPromptGradient(emit, gradientOf(embeddings), '', shapes);
  emit.output(OUTPUT.loss, loss);
  emit.output(OUTPUT.prompts, gradient);
  if (deep.length > 0) emit.output(OUTPUT.deep, gatherDeepPromptGradient(emit, deep.map(gradientOf), slots));
  if (variant.gates) emit.output(OUTPUT.keyBias, gradientOf(PROMPT_INPUT.keyBias));
  for (const tensor of head.tensors) emit.output(gradientOutput(tensor), gradientOf(tensor));
}

function probeInputs({ head, placement, width }: PromptableModel, deep: number): ProbeInputs {
  const make = (batch: number, prompt: number, length: number): Record<string, TensorValue> => {
    const total = placement?.probeLength?.(prompt) ?? length;
    const rows = batch * (head.rowsPerExample ?? 1);
    return {
      ...head.probe(batch, total),
      ...placement?.probe?.(rows),
      [PROMPT_INPUT.prompts]: probeFloats(rows, prompt, width),
      [PROMPT_INPUT.deep]: probeFloats(rows, deep, prompt, width),
      [PROMPT_INPUT.order]: int64(new Int32Array(rows * total).fill(1), [rows, total]),
      [PROMPT_INPUT.keyBias]: probeFloats(rows, total),
      [PROMPT_INPUT.gatedRows]: probeFloats(rows, total),
    };
  };
  return [make(2, 3, 7), make(3, 4, 11)];
}
