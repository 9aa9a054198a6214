import { OUTPUT } from '@dynaprompt/backbone';
import { candidatesOf, ModelError, type ParameterSet } from '@dynaprompt/core';
import {
  DataType,
  Emitter,
  fuseLayerNormalization,
  Graph,
  injectDeepPrompts,
  injectPrompts,
  normalise,
} from '@dynaprompt/onnx-autodiff';
import {
  checkExportable,
  copyComputation,
  emitDynamicPrompt,
  supplyInput,
  type TunedPrompt,
} from '@dynaprompt/onnx-export';
import { appendHead, projected } from '../backbone/head-graph.js';
import { isTrained, type Head } from '../backbone/head.js';
import { INPUT } from '../backbone/names.js';
import { describeTextModel, layersOf, type TextModel } from '../backbone/text-model.js';
import { PACKAGE_NAME } from '../package-name.js';
import type { Tokenizer } from '../tokenization/tokenizer.js';
import {
  emitPlainSequence,
  emitTemplatedSequence,
  type GivenInputs,
  type OwnSequence,
} from './own-sequence.js';
import { emitPromptedInputs, meanOver } from './prompted-inputs.js';

/** Outputs of an exported model. */
export const EXPORTED = {
  /** Float32 [B, classes] */
  logits: 'logits',
  /** Int64 [B] chosen candidate. */
  position: 'prompt_position',
  /** Int64 [B] active tokens. */
  length: 'prompt_length',
} as const;

/** Everything that goes into an exported encoder. */
export interface TunedModel {
  /** The original ONNX file. */
  readonly file: string;
  /** Width of its hidden states, of config.json. */
  readonly hiddenWidth: number;
  readonly head: Head;
  /** Values of the head's tensors. */
  readonly headParameters: ParameterSet;
  readonly prompt: TunedPrompt;
  readonly tokenizer: Tokenizer;
  /** Give the chosen positions and lengths out too. */
  readonly reportChoices: boolean;
}

/**
 * Writes a tuned encoder as one graph with the inputs of the original and class logits as output: prompt-free pass for the
 * features where they are needed, choices, assembly, prompted pass, head. Both passes read the same weights, in the original's
 * file. Operators are standard ones as far as the original's are.
 * @throws ModelError if the model's inputs are not those of an encoder, or its tokeniser frames pairs otherwise than texts.
 * @throws ConfigurationError, DataError if the prompt cannot be exported.
 */
export function buildTunedGraph(model: TunedModel): Graph {
  const { file, head, prompt } = model;
  checkExportable(prompt);
  const graph = Graph.read(file);
  normalise(graph);
  // Other fused operators are no standard ones, and onnxruntime fuses them by itself at load.
  fuseLayerNormalization(graph);
  graph.prune();
  checkModel(graph, model);
  const { hiddenWidth } = model;
  const source = describeTextModel({ kind: 'encoder', graph, files: [file], hiddenWidth });
  const { embeddings, hidden, width } = source;
  checkWidth(graph, prompt, width);
  const inputs = [...graph.inputs.keys()];
  const layers = deepLayers(source, prompt);

  const own = new Map(inputs.map((name) => [name, graph.fresh(name)]));
  const ownHidden = prompt.needsFeatures ? copyComputation(graph, hidden, own) : undefined;
  const injection = injectPrompts(graph, embeddings, width);
  if (layers.length > 0) injectDeepPrompts(graph, injection, layers, width);
  appendHead(graph, source, head);
  const prompted = new Map(inputs.map((name) => [name, graph.fresh(name)]));
  for (const [name, replacement] of prompted) graph.replaceUses(name, replacement);

  const emit = new Emitter(graph);
  const sequence = emitOwnSequence(emit, model, inputs);
  const features = ownHidden === undefined ? undefined : emitFeatures(emit, source, ownHidden, sequence);
  const emitted = emitDynamicPrompt(emit, prompt, emit.extents(INPUT.ids, 0), features);
  const arranged = emitPromptedInputs(emit, sequence, emitted, {
    mode: prompt.configuration.position.mode,
    candidates: candidatesOf(prompt.configuration),
    before: model.tokenizer.single.before.length,
    after: model.tokenizer.single.after.length,
    padId: model.tokenizer.padId,
    head,
  });

  const ownInputs: Readonly<Record<string, string | undefined>> = {
    [INPUT.ids]: sequence.ids,
    [INPUT.mask]: sequence.mask,
    [INPUT.types]: sequence.types,
  };
  for (const name of inputs) {
    graph.replaceUses(own.get(name) ?? '', ownInputs[name] ?? '');
    graph.replaceUses(prompted.get(name) ?? '', arranged[name] ?? '');
  }
  for (const name of [INPUT.prompts, INPUT.order, INPUT.pooling]) {
    supplyInput(graph, name, arranged[name] ?? '');
  }
  if (emitted.deep !== undefined) supplyInput(graph, INPUT.deep, emitted.deep);
  for (const [name, { shape, values }] of model.headParameters) {
    supplyInput(graph, name, emit.floats(values.slice(), shape));
  }
  declareOutputs(emit, model, emitted.choice, emitted.active);
  graph.prune();
  return graph;
}

/** Inputs of the layers behind the first that have prompts of their own. */
function deepLayers(source: TextModel, { layers }: TunedPrompt): readonly string[] {
  if (layers === 1) return [];
  const found = layersOf(source);
  if (found.length >= layers) return found.slice(1, layers);
  throw new ModelError({
    packageName: PACKAGE_NAME,
    subject: source.graph.source,
    problem: `it has ${found.length} layers, the prompt is for ${layers}`,
    remedy: 'Export with the backbone of the training',
  });
}

function emitOwnSequence(emit: Emitter, model: TunedModel, inputs: readonly string[]): OwnSequence {
  const { head, tokenizer } = model;
  const given: GivenInputs = {
    ids: INPUT.ids,
    mask: INPUT.mask,
    types: inputs.includes(INPUT.types) ? INPUT.types : undefined,
  };
  return head.kind === 'verbalizer'
    ? emitTemplatedSequence(emit, given, head.template, tokenizer)
    : emitPlainSequence(emit, given, tokenizer.single);
}

/** Mean of the last hidden state over the own tokens, [B, d]. */
function emitFeatures(emit: Emitter, source: TextModel, hidden: string, own: OwnSequence): string {
  const weights = meanOver(emit, own.mask, own);
  const mean = emit.squeeze(emit.op('MatMul', [emit.unsqueeze(weights, [1]), hidden]), [1]);
  return projected(emit, source, mean);
}

function declareOutputs(emit: Emitter, model: TunedModel, choice: string, active: string): void {
  const { graph } = emit;
  graph.outputs.clear();
  declare(EXPORTED.logits, OUTPUT.logits, DataType.float32, [model.head.classes]);
  if (!model.reportChoices) return;
  declare(EXPORTED.position, emit.squeeze(choice, [1]), DataType.int64, []);
  declare(EXPORTED.length, emit.squeeze(active, [1]), DataType.int64, []);

  function declare(name: string, tensor: string, dataType: number, rest: readonly number[]): void {
    freeName(graph, name);
    emit.alias(tensor, name);
    graph.outputs.set(name, { name, dataType, dims: ['batch_size', ...rest] });
  }
}

/** Takes a name from the tensor that has it: the original's head is called `logits` too. */
function freeName(graph: Graph, name: string): void {
  const producer = graph.producer(name);
  if (producer === undefined) return;
  const other = graph.fresh(name);
  graph.setOutputs(
    producer,
    producer.outputs.map((output) => (output === name ? other : output)),
  );
  graph.replaceUses(name, other);
}

function checkWidth({ source: subject }: Graph, prompt: TunedPrompt, width: number): void {
  if (prompt.width === width) return;
  throw new ModelError({
    packageName: PACKAGE_NAME,
    subject,
    problem: `it is ${width} wide, the prompt ${prompt.width}`,
    remedy: 'Export with the backbone of the training',
  });
}

function checkModel(graph: Graph, { tokenizer, head }: TunedModel): void {
  const fail = (problem: string, remedy: string): never => {
    throw new ModelError({ packageName: PACKAGE_NAME, subject: graph.source, problem, remedy });
  };
  const known: readonly string[] = [INPUT.ids, INPUT.mask, INPUT.types];
  const foreign = [...graph.inputs.values()].filter(
    ({ name, dataType }) => !known.includes(name) || dataType !== DataType.int64,
  );
  const names = foreign.map(({ name }) => name).join(', ');
  if (foreign.length > 0)
    fail(`its inputs ${names} are not int64 ${known.join(', ')}`, 'Export an encoder without a cache');
  if (!graph.inputs.has(INPUT.mask))
    fail(`it has no input ${INPUT.mask}`, 'Export it with an attention mask');
  const { single, pair } = tokenizer;
  const isAlike = single.before.join() === pair.before.join() && single.after.join() === pair.after.join();
  if (!isAlike && isTrained(head))
    fail('its tokeniser frames a pair otherwise than a text', 'Use a tokeniser that frames both alike');
}
