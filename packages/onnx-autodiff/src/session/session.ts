import { dirname } from 'node:path';
import { InferenceSession, Tensor as RuntimeTensor } from 'onnxruntime-node';
import { InvalidInputError, RuntimeFailureError } from '../errors.js';
import type { Graph } from '../graph/graph.js';
import type { ValueInfo } from '../graph/types.js';
import { separateCasts, WIDENING_OPTIMISERS } from '../quantised/stored-weights.js';
import { ELEMENT_TYPES, type TensorValue } from './tensor-value.js';

/** How onnxruntime is to run a graph. */
export interface SessionOptions {
  /** Threads within an operator; default: as many as onnxruntime finds cores. */
  readonly threads?: number;
  /**
   * Repack constant matrices for the processor at load. `false` lets several sessions on one model share the mapped pages
   * of its file at a few percent of speed. Default true.
   */
  readonly prepack?: boolean;
  /** `all` by default; `disabled` loads fastest, for graphs that run once. */
  readonly optimization?: 'all' | 'disabled';
  /**
   * When weights stored in half precision become float32: `at-load` (default) once, `at-use` in every run for one operator at a
   * time: a third less memory for a tenth more time at batch 8. Nothing else that is constant is then folded at load either.
   */
  readonly widenWeights?: 'at-load' | 'at-use';
}

/** A graph loaded into onnxruntime. */
export interface Session {
  readonly inputs: ReadonlyMap<string, ValueInfo>;
  readonly outputs: readonly string[];
  /**
   * Runs the graph once.
   * @throws InvalidInputError if an input is missing, unknown, or of another type or shape than declared.
   * @throws RuntimeFailureError if onnxruntime fails.
   */
  run(feeds: Readonly<Record<string, TensorValue>>): Promise<Record<string, TensorValue>>;
  release(): Promise<void>;
}

/**
 * Loads a graph. Its weights stay in the model's file, which onnxruntime maps.
 * @throws RuntimeFailureError if onnxruntime refuses the graph.
 */
export async function openSession(source: Graph, options: SessionOptions = {}): Promise<Session> {
  const widensAtUse = options.widenWeights === 'at-use';
  const graph = widensAtUse ? source.clone() : source;
  if (widensAtUse) separateCasts(graph);
  const model = graph.toModel();
  const folder = weightsFolder(graph);
  const session: Record<string, string> = {};
  if (folder !== undefined) session.model_external_initializers_file_folder_path = folder;
  if (options.prepack === false) session.disable_prepacking = '1';
  let runtime: InferenceSession;
  try {
    runtime = await InferenceSession.create(graph.serialize(), {
      ...(options.threads === undefined ? {} : { intraOpNumThreads: options.threads }),
      graphOptimizationLevel: options.optimization ?? 'all',
      // Shapes change from batch to batch: patterns would only hold memory (2077 → 1416 MB on BERT-base).
      enableMemPattern: false,
      logSeverityLevel: 4,
      extra: {
        session,
        ...(widensAtUse
          ? { optimization: { disable_specified_optimizers: WIDENING_OPTIMISERS.join(';') } }
          : {}),
      },
    });
  } catch (cause) {
    throw new RuntimeFailureError({
      subject: graph.source,
      problem: `onnxruntime does not load the graph: ${messageOf(cause)}`,
      remedy: 'Check that the model runs unchanged; if it does, this is a defect worth reporting',
      cause,
    });
  }
  const inputs = new Map(model.graph.inputs.map((input) => [input.name, input]));
  const outputs = model.graph.outputs.map((output) => output.name);
  return {
    inputs,
    outputs,
    async run(feeds) {
      checkFeeds(graph.source, inputs, feeds);
      let results: InferenceSession.OnnxValueMapType;
      try {
        const tensors = Object.fromEntries(
          Object.entries(feeds).map(([name, value]) => [
            name,
            new RuntimeTensor(value.type, value.data, value.dims),
          ]),
        );
        results = await runtime.run(tensors);
      } catch (cause) {
        throw new RuntimeFailureError({
          subject: graph.source,
          problem: `onnxruntime failed while running the graph: ${messageOf(cause)}`,
          remedy: 'Check the shapes of the inputs against each other and the ids against the vocabulary',
          cause,
        });
      }
      return Object.fromEntries(outputs.map((name) => [name, valueOf(name, results[name])]));
    },
    async release() {
      await runtime.release();
    },
  };
}

function valueOf(name: string, value: InferenceSession.OnnxValueMapType[string] | undefined): TensorValue {
  if (!value || !('data' in value)) throw new TypeError(`onnxruntime returned no tensor ${name}`);
  return { type: value.type, dims: value.dims, data: value.data } as TensorValue;
}

function messageOf(cause: unknown): string {
  const [line = ''] = (cause instanceof Error ? cause.message : String(cause)).split('\n');
  return line;
}

/** The one folder the external weights lie in; onnxruntime takes no more than one. */
function weightsFolder(graph: Graph): string | undefined {
  const folders = new Set<string>();
  for (const { data } of graph.initializers.values())
    if (data.kind === 'file') folders.add(dirname(data.file));
  const [folder, another] = folders;
  if (another !== undefined) {
    throw new RuntimeFailureError({
      subject: graph.source,
      problem: `the model's weights lie in several folders (${[...folders].join(', ')})`,
      remedy: 'Put the model and its external data into one folder',
    });
  }
  return folder;
}

/** onnxruntime ignores inputs it does not know and blames wrong types on internals: say it plainly here. */
function checkFeeds(
  source: string,
  inputs: ReadonlyMap<string, ValueInfo>,
  feeds: Readonly<Record<string, TensorValue>>,
): void {
  const fail = (name: string, problem: string): never => {
    throw new InvalidInputError({
      subject: `${source}, input ${name}`,
      problem,
      remedy: `The graph takes ${[...inputs.values()].map(describe).join(', ')}`,
    });
  };
  for (const name of Object.keys(feeds)) if (!inputs.has(name)) fail(name, 'the graph has no such input');
  for (const [name, info] of inputs) {
    const value = feeds[name] ?? fail(name, 'it is missing');
    const expected = (ELEMENT_TYPES as Readonly<Record<number, string>>)[info.dataType];
    if (expected !== undefined && expected !== value.type)
      fail(name, `its elements are ${value.type}, not ${expected}`);
    const { dims } = info;
    const fits =
      dims === undefined ||
      (dims.length === value.dims.length &&
        dims.every((dimension, axis) => typeof dimension !== 'number' || dimension === value.dims[axis]));
    if (!fits) fail(name, `shape [${value.dims.join(', ')}] does not fit`);
    const size = value.dims.reduce((product, extent) => product * extent, 1);
    if (value.data.length !== size)
      fail(name, `${value.data.length} values for shape [${value.dims.join(', ')}]`);
  }
}

function describe(info: ValueInfo): string {
  const type = (ELEMENT_TYPES as Readonly<Record<number, string>>)[info.dataType] ?? `type ${info.dataType}`;
  return `${info.name}: ${type}[${info.dims?.map((dimension) => dimension ?? '?').join(', ') ?? '…'}]`;
}
