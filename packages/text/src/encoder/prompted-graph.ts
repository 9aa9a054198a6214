import {
  addKeyBias,
  appendLossGradient,
  DataType,
  Emitter,
  findLastHiddenState,
  findTokenEmbedding,
  float32,
  gatherPromptGradient,
  injectPrompts,
  int64,
  openSession,
  prepareGraph,
  type Graph,
  type Node,
  type ProbeInputs,
  type Session,
  type SessionOptions,
  type TensorValue,
} from '@dynaprompt/onnx-autodiff';
import { ModelError } from '@dynaprompt/core';
import { PACKAGE_NAME } from '../package-name.js';
import type { Head } from './head.js';

/** Inputs of the graphs that this file builds; T is the prompted length, l the prompt's. */
export const INPUT = {
  /** int64 [B, T] */
  ids: 'input_ids',
  /** int64 [B, T] */
  mask: 'attention_mask',
  /** int64 [B, T], where the model has it */
  types: 'token_type_ids',
  /** float32 [B, l, d] */
  prompts: 'prompt_embeddings',
  /** int64 [B, T] row of [prompts; tokens] at each position */
  order: 'prompt_order',
  /** int64 [B, l] position of each prompt row */
  slots: 'prompt_slots',
  /** float32 [B, T] log-gate added to the attention scores of each key */
  keyBias: 'key_bias',
  /** float32 [B, T] weights of the pooled hidden state, e.g. 1/n at the own tokens */
  pooling: 'pooling_weights',
  /** int64 [B] */
  labels: 'labels',
} as const;

/** Outputs of the graphs. */
export const OUTPUT = {
  pooled: 'pooled',
  logits: 'class_logits',
  loss: 'loss',
  /** [B, l, d] */
  prompts: 'prompt_gradient',
  /** [B, T, T] ⟨dL/dE_t, E_u⟩ */
  scores: 'position_scores',
  /** [B, T] */
  keyBias: 'key_bias_gradient',
} as const;

/** What a training graph computes besides loss, logits and the gradients of prompts and head. */
export interface TrainingVariant {
  readonly position: boolean;
  readonly gates: boolean;
}

/** A model file with room for prompts and a head, of which sessions are opened as they are needed. */
export interface PromptedModel {
  readonly width: number;
  readonly vocabulary: number;
  /** Parameters of the frozen model. */
  readonly parameters: number;
  /** Inputs of the model itself, e.g. `input_ids`. */
  readonly modelInputs: ReadonlySet<string>;
  /** Outputs `pooled` and `class_logits`; no loss. */
  openInference(options: SessionOptions): Promise<Session>;
  openTraining(variant: TrainingVariant, options: SessionOptions): Promise<Session>;
  /** Output `embeddings` [B, T, d] of `input_ids`; the lookup alone. */
  openEmbedding(): Promise<Session>;
}

interface Prompted {
  readonly graph: Graph;
  /** [B, T, d] prompts and tokens as the model reads them; the source of the gradient. */
  readonly embeddings: string;
  /** [B, T, d] the same with the token types added: what a token brings along wherever it goes. */
  readonly carried: string;
  readonly width: number;
}

/**
 * Reads an encoder's ONNX file and finds the places for prompts and head in it.
 * @throws MalformedModelError or StructureNotFoundError of onnx-autodiff.
 * @throws ModelError if the model takes no attention mask, or has no masked-language head for a verbaliser.
 */
export function readPromptedModel(file: string, head: Head): PromptedModel {
  const original = prepareGraph(file);
  const { tensor, width, vocabulary } = findTokenEmbedding(original);
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
  const build = (): Prompted => insertPromptsAndHead(original.clone(), head);
  // What a model lacks is said when it is opened, not at the first batch.
  build();
  return {
    width,
    vocabulary,
    parameters: weights.reduce(
      (sum, { dims }) => sum + dims.reduce((product, extent) => product * extent, 1),
      0,
    ),
    modelInputs,
    openInference(options) {
      const { graph } = build();
      declare(graph, [OUTPUT.pooled, OUTPUT.logits]);
      return openSession(graph, options);
    },
    async openTraining(variant, options) {
      const prompted = build();
      await appendTraining(prompted, head, variant, modelInputs);
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
  };
}

function insertPromptsAndHead(graph: Graph, head: Head): Prompted {
  const token = findTokenEmbedding(graph);
  const hidden = findLastHiddenState(graph, token.tensor);
  const { embeddings } = injectPrompts(graph, token.tensor, token.width);
  const carried = withTokenTypes(graph, embeddings);

  const emit = new Emitter(graph);
  const headReaders = graph.consumers(hidden);
  const pooling = emit.input({
    name: INPUT.pooling,
    dataType: DataType.float32,
    dims: ['batch_size', 'prompted_length'],
  });
  // [B, 1, T] · [B, T, d]
  const row = emit.op('MatMul', [emit.unsqueeze(pooling, [1]), hidden]);
  emit.alias(emit.squeeze(row, [1]), OUTPUT.pooled);
  if (head.kind === 'linear') {
    const weight = emit.input({
      name: 'head.weight',
      dataType: DataType.float32,
      dims: [head.classes, token.width],
    });
    const bias = emit.input({ name: 'head.bias', dataType: DataType.float32, dims: [head.classes] });
    emit.alias(emit.op('Gemm', [OUTPUT.pooled, weight, bias], { transB: 1 }), OUTPUT.logits);
  } else {
    // The model's own head on the one pooled row, then the columns of the classes' words.
    const vocabularyLogits = maskedLanguageOutput(graph, headReaders, token.vocabulary);
    for (const reader of headReaders) {
      graph.setInputs(
        reader,
        reader.inputs.map((input) => (input === hidden ? row : input)),
      );
    }
    const selection = emit.floats(wordSelection(head.wordIds, token.vocabulary), [
      token.vocabulary,
      head.classes,
    ]);
    emit.alias(emit.squeeze(emit.op('MatMul', [vocabularyLogits, selection]), [1]), OUTPUT.logits);
  }
  graph.outputs.clear();
  return { graph, embeddings, carried, width: token.width };
}

/** The output that holds a score for every token of the vocabulary, [B, T, vocabulary]. */
function maskedLanguageOutput(graph: Graph, headReaders: readonly Node[], vocabulary: number): string {
  const [output] = graph.outputs.values();
  const width = output?.dims?.[2];
  const isHead = output?.dims?.length === 3 && (typeof width !== 'number' || width === vocabulary);
  if (output && isHead && headReaders.length > 0) return output.name;
  throw new ModelError({
    packageName: PACKAGE_NAME,
    subject: graph.source,
    problem: 'the model has no masked-language head, which a verbaliser reads',
    remedy: 'Use a linear head, or an export for the task fill-mask',
  });
}

/** The sum of token and token-type embeddings if the model forms it directly, else the embeddings themselves. */
function withTokenTypes(graph: Graph, embeddings: string): string {
  const typeLookup = graph.consumers(INPUT.types).find((node) => node.opType === 'Gather');
  const sum = graph
    .consumers(embeddings)
    .find((node) => node.opType === 'Add' && node.inputs.includes(typeLookup?.outputs[0] ?? ''));
  return sum?.outputs[0] ?? embeddings;
}

/** [vocabulary, classes] with a 1 at each class's word. */
function wordSelection(wordIds: readonly number[], vocabulary: number): Float32Array {
  const selection = new Float32Array(vocabulary * wordIds.length);
  wordIds.forEach((id, index) => (selection[id * wordIds.length + index] = 1));
  return selection;
}

async function appendTraining(
  { graph, embeddings, carried, width }: Prompted,
  head: Head,
  variant: TrainingVariant,
  modelInputs: ReadonlySet<string>,
): Promise<void> {
  // The logits have to be an output for the graph to count what leads to them.
  declare(graph, [OUTPUT.logits]);
  if (variant.gates) addKeyBias(graph, embeddings);
  const headTensors = head.kind === 'linear' ? ['head.weight', 'head.bias'] : [];
  const withRespectTo = [embeddings, ...(variant.gates ? [INPUT.keyBias] : []), ...headTensors];
  const { loss, gradients } = await appendLossGradient(graph, {
    withRespectTo,
    objective: { kind: 'cross-entropy', output: OUTPUT.logits },
    probeInputs: probeInputs(modelInputs, head, width),
  });
  const emit = new Emitter(graph);
  const gradientOf = (tensor: string): string => gradients.get(tensor) ?? '';
  const { gradient } = gatherPromptGradient(emit, gradientOf(embeddings));
  emit.output(OUTPUT.loss, loss);
  emit.output(OUTPUT.prompts, gradient);
  if (variant.position) emit.output(OUTPUT.scores, emit.fusedMatMul(gradientOf(embeddings), carried, 0, 1));
  if (variant.gates) emit.output(OUTPUT.keyBias, gradientOf(INPUT.keyBias));
  for (const tensor of headTensors) emit.output(`${tensor}.gradient`, gradientOf(tensor));
}

/** Declares tensors as outputs, and drops inputs that none of them needs. */
function declare(graph: Graph, outputs: readonly string[]): void {
  for (const name of outputs) graph.outputs.set(name, { name, dataType: DataType.float32, dims: undefined });
  graph.prune();
}

function probeInputs(modelInputs: ReadonlySet<string>, head: Head, width: number): ProbeInputs {
  const make = (batch: number, prompt: number, total: number): Record<string, TensorValue> => {
    const tokens = int64(new Int32Array(batch * total).fill(1), [batch, total]);
    const floats = (dims: readonly number[]): TensorValue =>
      float32(new Float32Array(dims.reduce((product, extent) => product * extent, 1)).fill(0.1), dims);
    return {
      ...Object.fromEntries([...modelInputs].map((name) => [name, tokens])),
      [INPUT.prompts]: floats([batch, prompt, width]),
      [INPUT.order]: tokens,
      [INPUT.keyBias]: floats([batch, total]),
      [INPUT.pooling]: floats([batch, total]),
      'head.weight': floats([head.classes, width]),
      'head.bias': floats([head.classes]),
    };
  };
  return [make(2, 3, 7), make(3, 4, 11)];
}
