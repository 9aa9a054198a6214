import { ModelError } from '@dynaprompt/core';
import {
  DataType,
  Emitter,
  findLastHiddenState,
  float32,
  int64,
  type Graph,
  type Node,
  type TensorValue,
  type TokenEmbedding,
} from '@dynaprompt/onnx-autodiff';
import { PACKAGE_NAME } from '../package-name.js';
import type { Head } from './head.js';
import { INPUT, OUTPUT } from './names.js';

/** Tensors of a head that are trained. */
export function headTensors(head: Head): readonly string[] {
  return head.kind === 'linear' ? ['head.weight', 'head.bias'] : [];
}

/**
 * Appends pooling and head behind the last hidden state: tensors {@link OUTPUT}.pooled [B, d] and .logits [B, classes]. The
 * graph's own outputs are dropped.
 * @throws ModelError if a verbaliser finds no masked-language head.
 */
export function appendHead(graph: Graph, { tensor, width, vocabulary }: TokenEmbedding, head: Head): void {
  const hidden = findLastHiddenState(graph, tensor);
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
      dims: [head.classes, width],
    });
    const bias = emit.input({ name: 'head.bias', dataType: DataType.float32, dims: [head.classes] });
    emit.alias(emit.op('Gemm', [OUTPUT.pooled, weight, bias], { transB: 1 }), OUTPUT.logits);
  } else {
    // The model's own head on the one pooled row, then the columns of the classes' words.
    const vocabularyLogits = maskedLanguageOutput(graph, headReaders, vocabulary);
    for (const reader of headReaders) {
      graph.setInputs(
        reader,
        reader.inputs.map((input) => (input === hidden ? row : input)),
      );
    }
    const selection = emit.floats(wordSelection(head.wordIds, vocabulary), [vocabulary, head.classes]);
    emit.alias(emit.squeeze(emit.op('MatMul', [vocabularyLogits, selection]), [1]), OUTPUT.logits);
  }
  graph.outputs.clear();
}

/** Declares tensors as outputs, and drops inputs that none of them needs. */
export function declareOutputs(graph: Graph, outputs: readonly string[]): void {
  for (const name of outputs) graph.outputs.set(name, { name, dataType: DataType.float32, dims: undefined });
  graph.prune();
}

/** Small inputs of a model with its head, for finding shapes: `batch` examples of `total` tokens. */
export function probeFeeds(
  modelInputs: ReadonlySet<string>,
  head: Head,
  width: number,
  batch: number,
  total: number,
): Record<string, TensorValue> {
  const tokens = int64(new Int32Array(batch * total).fill(1), [batch, total]);
  return {
    ...Object.fromEntries([...modelInputs].map((name) => [name, tokens])),
    [INPUT.pooling]: probeFloats(batch, total),
    'head.weight': probeFloats(head.classes, width),
    'head.bias': probeFloats(head.classes),
  };
}

/** A float32 tensor of a shape, for finding shapes. */
export function probeFloats(...dims: readonly number[]): TensorValue {
  return float32(new Float32Array(dims.reduce((product, extent) => product * extent, 1)).fill(0.1), dims);
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

/** [vocabulary, classes] with a 1 at each class's word. */
function wordSelection(wordIds: readonly number[], vocabulary: number): Float32Array {
  const selection = new Float32Array(vocabulary * wordIds.length);
  wordIds.forEach((id, index) => (selection[id * wordIds.length + index] = 1));
  return selection;
}
