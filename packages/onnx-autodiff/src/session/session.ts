import { dirname } from 'node:path';
import { InvalidInputError, OnnxAutodiffError, RuntimeFailureError } from '../errors.js';
import type { Graph } from '../graph/graph.js';
import type { ValueInfo } from '../graph/types.js';
import { separateCasts, WIDENING_OPTIMISERS } from '../quantised/stored-weights.js';
import { openOnProvider, type ExecutionProvider, type ProviderOptions } from './execution-providers.js';
import { IsolatedRuntime, type IsolationOptions } from './isolated-session.js';
import { InferenceSession, type RuntimeOptions, RuntimeTensor, type RuntimeValues } from './runtime.js';
import { ELEMENT_TYPES, type TensorValue } from './tensor-value.js';

/** How onnxruntime is to run a graph. */
export interface SessionOptions extends ProviderOptions {
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
  /**
   * Loads and runs the graph in a process of its own: a model that crashes onnxruntime, fills the memory or takes longer than a
   * limit becomes a RuntimeFailureError, and the event loop stays free meanwhile. Costs the start of a process (about 0.1 s) and a
   * copy of all inputs and outputs. Default false.
   */
  readonly isolated?: boolean | IsolationOptions;
}

/** Tensors by name, as onnxruntime takes and returns them. */
export type { RuntimeOptions, RuntimeValues };

/** A graph in onnxruntime, in this process or in another. */
export interface Runtime {
  run(feeds: RuntimeValues): Promise<RuntimeValues>;
  release(): Promise<void>;
}

/** A graph loaded into onnxruntime. */
export interface Session {
  readonly inputs: ReadonlyMap<string, ValueInfo>;
  readonly outputs: readonly string[];
  /** What the graph runs on, single operators that this provider lacks aside. */
  readonly provider: ExecutionProvider;
  /**
   * Runs the graph once.
   * @throws InvalidInputError if an input is missing, unknown, or of another type or shape than declared.
   * @throws RuntimeFailureError if onnxruntime fails.
   */
  run(feeds: Readonly<Record<string, TensorValue>>): Promise<Record<string, TensorValue>>;
  /** Frees what the session holds; no run may follow. */
  release(): Promise<void>;
}

/**
 * Loads a graph. Its weights stay in the model's file, which onnxruntime maps.
 * @throws RuntimeFailureError if onnxruntime refuses the graph.
 * @throws ProviderUnavailableError if a provider does not work and `providerFallback` is `error`.
 */
export async function openSession(source: Graph, options: SessionOptions = {}): Promise<Session> {
  const widensAtUse = options.widenWeights === 'at-use';
  const graph = widensAtUse ? source.clone() : source;
  if (widensAtUse) separateCasts(graph);
  const model = graph.toModel();
  const folder = weightsFolder(graph);
  // Workers would spin for 50 ms after every run, in the way of the next session or of other work (18 → 29 ms for a product).
  const session: Record<string, string> = { force_spinning_stop: '1' };
  if (folder !== undefined) session.model_external_initializers_file_folder_path = folder;
  if (options.prepack === false) session.disable_prepacking = '1';
  const { isolated = false } = options;
  const load = (bytes: Uint8Array, settings: RuntimeOptions): Promise<Runtime> =>
    isolated === false
      ? InferenceSession.create(bytes, settings)
      : IsolatedRuntime.load(bytes, settings, graph.source, isolated === true ? {} : isolated);
  const open = async (provider: ExecutionProvider): Promise<Runtime> => {
    try {
      return await load(graph.serialize(), {
        executionProviders: [provider],
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
      if (cause instanceof OnnxAutodiffError) throw cause;
      throw new RuntimeFailureError({
        subject: graph.source,
        problem: `onnxruntime does not load the graph: ${messageOf(cause)}`,
        remedy: 'Check that the model runs unchanged; if it does, this is a defect worth reporting',
        cause,
      });
    }
  };
  const { provider, opened: runtime } = await openOnProvider(graph.source, options, open);
  const inputs = new Map(model.graph.inputs.map((input) => [input.name, input]));
  const outputs = model.graph.outputs.map((output) => output.name);
  return {
    inputs,
    outputs,
    provider,
    async run(feeds) {
      checkFeeds(graph.source, inputs, feeds);
      let results: RuntimeValues;
      try {
        const tensors = Object.fromEntries(
          Object.entries(feeds).map(([name, value]) => [
            name,
            new RuntimeTensor(value.type, value.data, value.dims),
          ]),
        );
        results = await runtime.run(tensors);
      } catch (cause) {
        if (cause instanceof OnnxAutodiffError) throw cause;
        throw new RuntimeFailureError({
          subject: graph.source,
          problem: `onnxruntime failed while running the graph: ${messageOf(cause)}`,
          remedy: 'Check the shapes of the inputs against each other and the ids against the vocabulary',
          cause,
        });
      }
      return Object.fromEntries(
        outputs.map((name) => [name, valueOf(`${graph.source}, output ${name}`, results[name])]),
      );
    },
    async release() {
      await runtime.release();
    },
  };
}

function valueOf(subject: string, value: RuntimeValues[string] | undefined): TensorValue {
  if (!value || !('data' in value)) {
    throw new RuntimeFailureError({
      subject,
      problem: 'onnxruntime returned no tensor',
      remedy: 'Remove outputs that are sequences, maps or optional from the graph',
    });
  }
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
export function checkFeeds(
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
