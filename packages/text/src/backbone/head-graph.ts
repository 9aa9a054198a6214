import {
  appendCandidateHead,
  appendLinearHead,
  appendNumberHead,
  candidateFeeds,
  floatInput,
  LINEAR_HEAD_TENSORS,
  NUMBER_OBJECTIVE,
  OUTPUT,
  probeFloats,
  type HeadGraph,
} from '@dynaprompt/backbone';
import { ModelError, stream } from '@dynaprompt/core';
import { DataType, Emitter, int64, type Graph, type Node, type TensorValue } from '@dynaprompt/onnx-autodiff';
import { PACKAGE_NAME } from '../package-name.js';
import { isTrained, type Head, type TrainedHead } from './head.js';
import { ANSWER_SCORES, INPUT } from './names.js';
import { repeatKeyBias } from './repeat-rows.js';
import { emptyCache, type TextModel } from './text-model.js';

/**
 * A head behind a model.
 * @throws ModelError if a verbaliser finds no language head, when it is appended.
 */
export function headGraph(model: TextModel, head: Head): HeadGraph {
  const repeats = model.kind === 'seq2seq' && head.kind === 'scored';
  return {
    tensors: isTrained(head) ? LINEAR_HEAD_TENSORS : [],
    ...(head.kind === 'regression' ? { objective: NUMBER_OBJECTIVE } : {}),
    logits: head.kind === 'scored' ? ANSWER_SCORES : OUTPUT.logits,
    append(graph) {
      appendHead(graph, model, head);
    },
    probe: (batch, total) => probeFeeds(model, head, batch, total),
    rowsPerExample: probeRows(model, head),
    adaptKeyBias(graph) {
      if (repeats) repeatKeyBias(new Emitter(graph), head.classes);
    },
  };
}

/** Rows of the model's batch for an example of a probe: a decoder reads it once for each answer of several tokens. */
function probeRows({ kind }: Pick<TextModel, 'kind'>, head: Head): number {
  return kind === 'decoder' && head.kind === 'scored' ? head.classes : 1;
}

/** What {@link appendHead} reads of a model. */
export type HeadSource = Pick<
  TextModel,
  'kind' | 'hidden' | 'hiddenWidth' | 'width' | 'vocabulary' | 'vocabularyLogits'
>;

/**
 * Appends pooling and head behind the last hidden state: tensors {@link OUTPUT}.pooled [B, d] and .logits [B, classes], with
 * answers of several tokens {@link ANSWER_SCORES} [R] too. The graph's own outputs are dropped.
 * @throws ModelError if a verbaliser finds no language head.
 */
export function appendHead(graph: Graph, model: HeadSource, head: Head): void {
  const emit = new Emitter(graph);
  const readers = headReaders(graph, model.hidden);
  const pooling = floatInput(emit, INPUT.pooling, 'batch_size', 'prompted_length');
  // [B, 1, T] · [B, T, d]
  const row = emit.op('MatMul', [emit.unsqueeze(pooling, [1]), readers.source]);
  emit.alias(projected(emit, model, emit.squeeze(row, [1])), OUTPUT.pooled);
  emit.alias(appendLogits(emit, model, head, readers, row), OUTPUT.logits);
  graph.outputs.clear();
}

/** @param row pooled row of the hidden state, [B, 1, d]. */
function appendLogits(
  emit: Emitter,
  model: HeadSource,
  head: Head,
  readers: HeadReaders,
  row: string,
): string {
  const { graph } = emit;
  if (isTrained(head)) return appendTrainedHead(emit, head, model.width);
  const { vocabulary, kind } = model;
  const output = languageOutput(graph, model);
  const isOwnDecoder = kind === 'seq2seq';
  if (head.kind === 'verbalizer') {
    if (!isOwnDecoder) readRows(graph, readers, row);
    const logits = isOwnDecoder ? emit.op('Gather', [output, emit.ints(-1)], { axis: 1 }) : output;
    const selection = emit.floats(wordSelection(head.wordIds, vocabulary), [vocabulary, head.classes]);
    return biased(emit, emit.squeeze(emit.op('MatMul', [logits, selection]), [1]), head.biases);
  }
  if (!isOwnDecoder) {
    const rows = floatInput(emit, INPUT.answerRows, 'answers', 'answer_length', 'prompted_length');
    readRows(graph, readers, emit.op('MatMul', [rows, readers.source]));
  }
  const scores = answerScores(emit, output);
  const byClass = head.biases && biased(emit, emit.reshape(scores, emit.ints(-1, head.classes)), head.biases);
  emit.alias(byClass === undefined ? scores : emit.reshape(byClass, emit.ints(-1)), ANSWER_SCORES);
  return emit.reshape(ANSWER_SCORES, emit.ints(-1, head.classes));
}

function appendTrainedHead(emit: Emitter, head: TrainedHead, width: number): string {
  switch (head.kind) {
    case 'linear':
      return appendLinearHead(emit, head.classes, width);
    case 'candidates':
      return appendCandidateHead(emit, width);
    case 'regression':
      return appendNumberHead(emit, width, head.range);
  }
}

/** Logits [B, classes] with the biases of a calibration. */
function biased(emit: Emitter, logits: string, biases: readonly number[] | undefined): string {
  return biases ? emit.add(logits, emit.floats(Float32Array.from(biases), [biases.length])) : logits;
}

/** Σ log p of the answers' tokens, [R], of logits [R, S, vocabulary]. */
function answerScores(emit: Emitter, logits: string): string {
  const dims = ['answers', 'answer_length'];
  const tokens = emit.input({ name: INPUT.answerTokens, dataType: DataType.int64, dims });
  const weights = floatInput(emit, INPUT.answerWeights, ...dims);
  const likelihoods = emit.op('LogSoftmax', [logits], { axis: -1 });
  const chosen = emit.op('GatherElements', [likelihoods, emit.unsqueeze(tokens, [-1])], { axis: -1 });
  const sums = emit.reduceSum(emit.mul(emit.squeeze(chosen, [-1]), weights), [1], 0);
  return emit.add(sums, floatInput(emit, INPUT.answerBias, 'answers'));
}

/** Who reads the hidden state for the model's own head. */
interface HeadReaders {
  readonly source: string;
  readonly readers: readonly Node[];
}

/** Exports of decoders give the hidden state its shape once more; that would undo a choice of rows, so it is passed over. */
function headReaders(graph: Graph, hidden: string): HeadReaders {
  const readers = graph.consumers(hidden);
  const [reader, another] = readers.filter(({ opType }) => opType !== 'Shape');
  const repeats = reader?.opType === 'Reshape' || reader?.opType === 'Cast';
  if (!repeats || another || reader.inputs[0] !== hidden) return { source: hidden, readers };
  return headReaders(graph, reader.outputs[0] ?? '');
}

/** Lets the model's own head work on rows [R, S, d] in place of all of them, which costs a fraction. */
function readRows(graph: Graph, { source, readers }: HeadReaders, rows: string): void {
  for (const reader of readers) {
    graph.setInputs(
      reader,
      reader.inputs.map((input) => (input === source ? rows : input)),
    );
  }
}

/**
 * Hidden states of another width than prompts are brought to it by fixed random directions, which keep distances (Johnson and
 * Lindenstrauss 1984): R [hiddenWidth, d] ~ N(0, 1/d).
 */
export function projected(emit: Emitter, { width, hiddenWidth }: HeadSource, rows: string): string {
  if (width === hiddenWidth) return rows;
  const random = stream(0, 'hidden state projection');
  const values = new Float32Array(hiddenWidth * width).map(() => random.normal() / Math.sqrt(width));
  return emit.op('MatMul', [rows, emit.floats(values, [hiddenWidth, width])]);
}

/** Small inputs of a model with its head, for finding shapes: `batch` examples of `total` tokens. */
function probeFeeds(model: TextModel, head: Head, batch: number, total: number): Record<string, TensorValue> {
  const rows = batch * probeRows(model, head);
  const answers = head.kind === 'scored' ? batch * head.classes : batch;
  const ones = (...dims: readonly [number, number]): TensorValue =>
    int64(new Int32Array(dims[0] * dims[1]).fill(1), dims);
  const own = [...model.graph.inputs.keys()].map((name) => [name, ones(rows, total)] as const);
  const outputs = head.kind === 'linear' ? head.classes : 1;
  const linear = {
    'head.weight': probeFloats(outputs, model.width),
    'head.bias': probeFloats(outputs),
  };
  const ofCandidates = candidateFeeds(new Array<number>(batch).fill(1), head.classes);
  const scored = {
    [INPUT.answerRows]: probeFloats(answers, batch, total),
    [INPUT.answerTokens]: ones(answers, batch),
    [INPUT.answerWeights]: probeFloats(answers, batch),
    [INPUT.answerBias]: probeFloats(answers),
  };
  return {
    ...Object.fromEntries(own),
    ...emptyCache(model.graph, rows),
    [INPUT.decoderIds]: ones(answers, batch),
    [INPUT.pooling]: probeFloats(rows, total),
    ...linear,
    ...ofCandidates,
    ...scored,
  };
}

function languageOutput(graph: Graph, { kind, vocabularyLogits }: HeadSource): string {
  if (vocabularyLogits !== undefined) return vocabularyLogits;
  const task = { encoder: 'fill-mask', decoder: 'text-generation', seq2seq: 'text2text-generation' }[kind];
  throw new ModelError({
    packageName: PACKAGE_NAME,
    subject: graph.source,
    problem: `the model has no ${kind === 'encoder' ? 'masked-language' : 'language'} head, which a verbaliser reads`,
    remedy: `Use a linear head, or an export for the task ${task}`,
  });
}

/** [vocabulary, classes] with a 1 at each class's word. */
function wordSelection(wordIds: readonly number[], vocabulary: number): Float32Array {
  const selection = new Float32Array(vocabulary * wordIds.length);
  wordIds.forEach((id, index) => (selection[id * wordIds.length + index] = 1));
  return selection;
}
