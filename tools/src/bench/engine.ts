import { statSync } from 'node:fs';
import {
  appendLossGradient,
  Emitter,
  findLastHiddenState,
  findPatchEmbedding,
  findTokenEmbedding,
  float32,
  gatherPromptGradient,
  injectPrompts,
  int64,
  openSession,
  prepareGraph,
  DataType,
  type Graph,
  type PromptInjection,
  type TensorValue,
} from '@dynaprompt/onnx-autodiff';
import { machine, measureInTurn, round } from './measure.js';

export interface EngineOptions {
  readonly model: string;
  readonly batch: number;
  readonly sequence: number;
  readonly prompt: number;
  readonly rounds: number;
  readonly threads?: number;
}

interface Prepared {
  readonly graph: Graph;
  readonly injection: PromptInjection;
  readonly width: number;
  readonly contentRows: number;
  readonly modelInputs: readonly string[];
}

/**
 * Times forward alone and forward + loss + prompt gradient of one model: prompts [B, P, d] in front of the content, a two-class
 * linear loss on the mean of the last hidden state.
 */
export async function benchEngine(options: EngineOptions): Promise<unknown> {
  const started = performance.now();
  const forward = prepare(options);
  forward.graph.outputs.set(LOGITS, { name: LOGITS, dataType: DataType.float32, dims: undefined });
  const gradient = prepare(options);
  gradient.graph.outputs.set(LOGITS, { name: LOGITS, dataType: DataType.float32, dims: undefined });
  const { loss, gradients } = await appendLossGradient(gradient.graph, {
    withRespectTo: [gradient.injection.embeddings],
    objective: { kind: 'cross-entropy', output: LOGITS },
    probeInputs: [feeds(gradient, 2, 7, 3), feeds(gradient, 3, 11, 4)],
  });
  const emit = new Emitter(gradient.graph);
  emit.output('loss', loss);
  emit.output(
    'gradient',
    gatherPromptGradient(emit, gradients.get(gradient.injection.embeddings) ?? '').gradient,
  );
  const built = performance.now();
  const session = options.threads === undefined ? {} : { threads: options.threads };
  const gradientSession = await openSession(gradient.graph, session);
  const ready = performance.now();
  const forwardSession = await openSession(forward.graph, session);

  const { batch, sequence, prompt } = options;
  const inputs = feeds(forward, batch, sequence, prompt);
  const timings = await measureInTurn(
    {
      forward: () => forwardSession.run(inputs),
      forwardBackward: () =>
        gradientSession.run({
          ...inputs,
          labels: int64(new Int32Array(batch), [batch]),
          prompt_slots: int64(repeat(batch, indices(prompt)), [batch, prompt]),
        }),
    },
    options.rounds,
  );
  return {
    benchmark: 'engine',
    model: options.model,
    megabytes: round(statSync(options.model).size / 1e6, 1),
    shape: { batch, sequence, prompt, width: forward.width },
    milliseconds: timings,
    backwardRatio: round(timings.forwardBackward.median / timings.forward.median),
    startMilliseconds: { build: round(built - started), load: round(ready - built) },
    machine: machine(),
  };
}

const LOGITS = 'bench_logits';

function prepare({ model }: EngineOptions): Prepared {
  const graph = prepareGraph(model);
  const modelInputs = [...graph.inputs.keys()];
  const isText = graph.inputs.has('input_ids');
  const place = isText ? { ...findTokenEmbedding(graph), tokens: 0 } : findPatchEmbedding(graph);
  const hidden = findLastHiddenState(graph, place.tensor);
  const injection = injectPrompts(graph, place.tensor, place.width);
  const emit = new Emitter(graph);
  const weight = emit.floats(
    Float32Array.from({ length: 2 * place.width }, (_, index) => Math.sin(index)),
    [place.width, 2],
  );
  emit.alias(emit.op('MatMul', [emit.reduceMean(hidden, [1], 0), weight]), LOGITS);
  graph.outputs.clear();
  return { graph, injection, width: place.width, contentRows: place.tokens ?? 0, modelInputs };
}

function feeds(
  { graph, modelInputs, width, contentRows }: Prepared,
  batch: number,
  sequence: number,
  prompt: number,
): Record<string, TensorValue> {
  const isText = modelInputs.includes('input_ids');
  const total = isText ? sequence + prompt : contentRows + prompt;
  const order = isText
    ? indices(total).map((position) => (position < prompt ? position : prompt + position))
    : [prompt, ...indices(prompt), ...indices(contentRows - 1).map((index) => prompt + 1 + index)];
  const inputs = modelInputs.map((name): readonly [string, TensorValue] => {
    if (isText) return [name, int64(new Int32Array(batch * total).fill(1), [batch, total])];
    const declared = graph.inputs.get(name)?.dims ?? [];
    const dims = [batch, ...declared.slice(1).map((extent) => (typeof extent === 'number' ? extent : 224))];
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
  return {
    ...Object.fromEntries(inputs),
    prompt_embeddings: float32(prompts, [batch, prompt, width]),
    prompt_order: int64(repeat(batch, order), [batch, total]),
  };
}

function indices(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index);
}

function repeat(count: number, row: readonly number[]): number[] {
  return Array.from({ length: count }, () => row).flat();
}
