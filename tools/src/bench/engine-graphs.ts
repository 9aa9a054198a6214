import {
  appendLossGradient,
  DataType,
  Emitter,
  findLastHiddenState,
  findPatchEmbedding,
  findTokenEmbedding,
  float32,
  gatherPromptGradient,
  injectPrompts,
  int64,
  lowerToInt8,
  prepareGraph,
  type Graph,
  type PromptInjection,
  type TensorValue,
} from '@dynaprompt/onnx-autodiff';

/** What is benchmarked. */
export interface Workload {
  readonly model: string;
  readonly batch: number;
  readonly sequence: number;
  readonly prompt: number;
  /** `own`: the model's logits; `pooled`: two classes on the mean of the last hidden state. */
  readonly objective: 'own' | 'pooled';
  /** Arithmetic of large products, forward and backward. */
  readonly compute: 'fp32' | 'int8';
}

/** A model with prompts in front of its content. */
export interface PreparedWorkload {
  readonly width: number;
  readonly isText: boolean;
  /** Rows of content in a vision model, class token included. */
  readonly contentRows: number;
  readonly inputs: readonly { readonly name: string; readonly extents: readonly (number | undefined)[] }[];
  /** Whether labels are one an example or one a token. */
  readonly labelsPerToken: boolean;
}

const LOGITS = 'bench_logits';

/** The graphs of a gradient. */
export interface GradientGraphs {
  /** Outputs `loss` and `gradient` [B, l, d]. */
  readonly graph: Graph;
  /** Its forward part alone: rows that nothing reads after the last layer are left out, as they are in the gradient graph. */
  readonly selectedForward: Graph;
  readonly workload: PreparedWorkload;
}

/** The model as it is, with its prompts, computing the objective's logits alone. */
export function prepareForward(options: Workload): Graph {
  const { graph } = prepare(options);
  if (options.compute === 'int8') lowerToInt8(graph);
  return graph;
}

/** The model with its prompts, computing loss and prompt gradient. */
export async function prepareGradient(options: Workload): Promise<GradientGraphs> {
  const { graph, injection, content } = prepare(options);
  const small = (batch: number, sequence: number, prompt: number): Record<string, TensorValue> =>
    feedsOf({ ...content, labelsPerToken: false }, batch, sequence, prompt).forward;
  const { loss, gradients, shapes } = await appendLossGradient(graph, {
    withRespectTo: [injection.embeddings],
    objective: { kind: 'cross-entropy', output: LOGITS },
    probeInputs: [small(2, 7, 3), small(3, 11, 4)],
    compute: options.compute === 'int8' ? 'int8' : 'float32',
  });
  const selectedForward = graph.clone();
  selectedForward.inputs.delete('labels');
  // The rank that the logits have, whatever the file declares.
  const labelsPerToken = graph.inputs.get('labels')?.dims?.length === 2;
  const emit = new Emitter(graph);
  graph.outputs.clear();
  emit.output('loss', loss);
  const embeddingGradient = gradients.get(injection.embeddings) ?? '';
  emit.output('gradient', gatherPromptGradient(emit, embeddingGradient, '', shapes).gradient);
  return { graph, selectedForward, workload: { ...content, labelsPerToken } };
}

function prepare({ model, objective }: Workload): {
  graph: Graph;
  injection: PromptInjection;
  content: Omit<PreparedWorkload, 'labelsPerToken'>;
} {
  const graph = prepareGraph(model);
  const inputs = [...graph.inputs.values()].map(({ name, dims }) => ({
    name,
    extents: (dims ?? []).map((extent) => (typeof extent === 'number' ? extent : undefined)),
  }));
  const isText = graph.inputs.has('input_ids');
  const place = isText ? { ...findTokenEmbedding(graph), tokens: 0 } : findPatchEmbedding(graph);
  const hidden = findLastHiddenState(graph, place.tensor);
  const [first] = graph.outputs.values();
  const injection = injectPrompts(graph, place.tensor, place.width);
  const emit = new Emitter(graph);
  if (objective === 'own') emit.alias(first?.name ?? '', LOGITS);
  else {
    const values = Float32Array.from({ length: 2 * place.width }, (_, index) => Math.sin(index));
    const weight = emit.floats(values, [place.width, 2]);
    emit.alias(emit.op('MatMul', [emit.reduceMean(hidden, [1], 0), weight]), LOGITS);
  }
  graph.outputs.clear();
  graph.outputs.set(LOGITS, { name: LOGITS, dataType: DataType.float32, dims: undefined });
  const content = { width: place.width, isText, contentRows: place.tokens ?? 0, inputs };
  return { graph, injection, content };
}

/** Inputs of both graphs, and what the gradient's takes besides. */
export function feedsOf(
  { inputs, isText, width, contentRows, labelsPerToken }: PreparedWorkload,
  batch: number,
  sequence: number,
  prompt: number,
): { forward: Record<string, TensorValue>; gradient: Record<string, TensorValue> } {
  const total = (isText ? sequence : contentRows) + prompt;
  const order = isText
    ? indices(total).map((position) => (position < prompt ? position : prompt + position))
    : [prompt, ...indices(prompt), ...indices(contentRows - 1).map((index) => prompt + 1 + index)];
  const own = inputs.map(({ name, extents }): readonly [string, TensorValue] => {
    if (isText)
      return [
        name,
        int64(new Int32Array(batch * total).fill(name === 'token_type_ids' ? 0 : 1), [batch, total]),
      ];
    const dims = [batch, ...extents.slice(1).map((extent) => extent ?? 224)];
    const size = dims.reduce((product, extent) => product * extent, 1);
    return [
      name,
      float32(
        Float32Array.from({ length: size }, (_, index) => Math.sin(index)),
        dims,
      ),
    ];
  });
  const prompts = Float32Array.from({ length: batch * prompt * width }, (_, index) => Math.sin(index) / 10);
  const first = isText ? 0 : 1;
  const labels = labelsPerToken ? [batch, total] : [batch];
  return {
    forward: {
      ...Object.fromEntries(own),
      prompt_embeddings: float32(prompts, [batch, prompt, width]),
      prompt_order: int64(repeat(batch, order), [batch, total]),
    },
    gradient: {
      labels: int64(new Int32Array(labelsPerToken ? batch * total : batch), labels),
      prompt_slots: int64(
        repeat(
          batch,
          indices(prompt).map((index) => first + index),
        ),
        [batch, prompt],
      ),
    },
  };
}

function indices(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index);
}

function repeat(count: number, row: readonly number[]): number[] {
  return Array.from({ length: count }, () => row).flat();
}
