import { renameNode } from '../codec/local-functions.js';
import { InvalidInputError } from '../errors.js';
import { elementCount } from '../graph/tensor-data.js';
import { Graph } from '../graph/graph.js';
import {
  DataType,
  type Attribute,
  type GraphProto,
  type ModelProto,
  type Node,
  type Tensor,
  type ValueInfo,
} from '../graph/types.js';
import { checkFeeds, openSession, type Session, type SessionOptions } from './session.js';
import { ELEMENT_TYPES, type TensorValue } from './tensor-value.js';

/** A graph as a branch of the common one. */
interface Part {
  readonly name: string;
  readonly model: ModelProto;
  /** Of what belongs to this graph alone. */
  readonly prefix: string;
  /** Common names of the weights, by their names in this graph. */
  readonly weights: ReadonlyMap<string, string>;
}

/**
 * Loads several graphs of one model, such as one for training and one for inference, as the branches of one graph: onnxruntime
 * then maps, or repacks, what they have of the model's file once for all of them, and they use the same working memory one after
 * the other. A run computes the graph of its own session alone. BERT-base for training and inference takes 1.01 times the memory
 * of training alone; in two sessions 1.28 times, or 1.37 with `prepack: false`, where pages that are mapped twice count twice.
 * @returns a session for each graph, under its name; the memory is free when all are released.
 * @throws InvalidInputError if there is no graph, or operator sets differ.
 * @throws RuntimeFailureError if onnxruntime refuses one of the graphs.
 * @throws ProviderUnavailableError if a provider does not work and `providerFallback` is `error`.
 */
export async function openSharedSessions<Name extends string>(
  graphs: Readonly<Record<Name, Graph>>,
  options: SessionOptions = {},
): Promise<Readonly<Record<Name, Session>>> {
  const entries = Object.entries<Graph>(graphs);
  const [source = ''] = entries.map(([, graph]) => graph.source);
  const weights = new Map<string, Tensor>();
  const parts = entries.map(([name, graph], index) => partOf(name, graph, `${index}/`, weights));
  const common = await openSession(new Graph(joined(parts, weights, source), source), options);
  const open = new Set(entries.map(([name]) => name));
  const sessions = parts.map((part, index): readonly [string, Session] => {
    const { inputs, outputs } = part.model.graph;
    const own = new Map(inputs.map((input) => [input.name, input]));
    const idle = idleFeeds(parts, index);
    const session: Session = {
      inputs: own,
      outputs: outputs.map(({ name }) => name),
      provider: common.provider,
      async run(feeds) {
        checkFeeds(source, own, feeds);
        const given = Object.entries(feeds).map(([name, value]) => [inputName(part, name), value] as const);
        const results = await common.run({ ...idle, ...Object.fromEntries(given) });
        const mine = outputs.flatMap(({ name }) => {
          const value = results[outputName(part, name)];
          return value ? [[name, value] as const] : [];
        });
        return Object.fromEntries(mine);
      },
      async release() {
        if (open.delete(part.name) && open.size === 0) await common.release();
      },
    };
    return [part.name, session];
  });
  return Object.fromEntries(sessions) as Record<Name, Session>;
}

/** Registers the weights in `weights`, under one name for each place in a file. */
function partOf(name: string, graph: Graph, prefix: string, weights: Map<string, Tensor>): Part {
  const model = graph.toModel();
  const names = new Map<string, string>();
  for (const tensor of model.graph.initializers) {
    const { data, dims, dataType } = tensor;
    if (data.kind !== 'file') continue;
    const shared = `weight ${data.file} ${data.offset} ${dataType} [${dims.join()}]`;
    weights.set(shared, { ...tensor, name: shared });
    names.set(tensor.name, shared);
  }
  return { name, model, prefix, weights: names };
}

function joined(parts: readonly Part[], weights: ReadonlyMap<string, Tensor>, source: string): ModelProto {
  const [first] = parts;
  if (!first) {
    throw new InvalidInputError({
      subject: 'argument graphs',
      problem: 'it holds no graph',
      remedy: 'Give one or more graphs of a model',
    });
  }
  const opsets = new Map<string, number>();
  for (const [domain, version] of parts.flatMap(({ model }) => [...model.opsets])) {
    if ((opsets.get(domain) ?? version) !== version) {
      throw new InvalidInputError({
        subject: source,
        problem: `the graphs are in operator sets ${opsets.get(domain) ?? ''} and ${version} of ${domain || 'ai.onnx'}`,
        remedy: 'Make all of them from one prepared model',
      });
    }
    opsets.set(domain, version);
  }
  const inputs = parts.flatMap((part) =>
    part.model.graph.inputs.map((input) => ({ ...input, name: inputName(part, input.name) })),
  );
  const choices = parts.map((part) => ({ name: choice(part), dataType: DataType.bool, dims: [] }));
  const irVersion = Math.max(...parts.map(({ model }) => model.irVersion));
  const graph = {
    name: 'shared',
    nodes: parts.map(optional),
    initializers: [...weights.values()],
    inputs: [...inputs, ...choices],
    outputs: parts.flatMap(outputsOf),
  };
  return { ...first.model, irVersion, opsets, graph };
}

/** Name of the input that says whether a run is that of this part. */
function choice({ prefix }: Part): string {
  return `${prefix}chosen`;
}

function inputName({ prefix }: Part, name: string): string {
  return `${prefix}in/${name}`;
}

function outputName({ prefix }: Part, name: string): string {
  return `${prefix}out/${name}`;
}

function outputsOf(part: Part): readonly ValueInfo[] {
  return part.model.graph.outputs.map(({ name, dataType }) => ({
    name: outputName(part, name),
    dataType,
    dims: undefined,
  }));
}

/**
 * A part that is computed where it is chosen. All parts stand at one depth, the only one too: what onnxruntime makes of a graph,
 * and so the last bits of its results, does not depend on which others are loaded with it.
 */
function optional(part: Part): Node {
  const attributes = new Map<string, Attribute>([
    ['then_branch', { kind: 'graph', value: chosenBranch(part) }],
    ['else_branch', { kind: 'graph', value: idleBranch(part) }],
  ]);
  return {
    name: choice(part),
    opType: 'If',
    domain: '',
    inputs: [choice(part)],
    outputs: outputsOf(part).map(({ name }) => name),
    attributes,
  };
}

/** Outputs as a branch declares them: names within a branch differ from those around it. */
function branchOutputs(part: Part, branch: string): readonly ValueInfo[] {
  return outputsOf(part).map((output) => ({ ...output, name: `${output.name} ${branch}` }));
}

/** All that a part computes. */
function chosenBranch(part: Part): GraphProto {
  const { model, name, prefix, weights } = part;
  const inputs = new Set(model.graph.inputs.map((input) => input.name));
  const rename = (tensor: string): string => {
    if (tensor === '') return '';
    return inputs.has(tensor) ? inputName(part, tensor) : (weights.get(tensor) ?? `${prefix}.${tensor}`);
  };
  const outputs = branchOutputs(part, 'chosen');
  const nodes = model.graph.nodes.map((node) => ({ ...renameNode(node, rename), name: prefix + node.name }));
  const results = model.graph.outputs.map((output, index): Node => {
    const target = outputs[index]?.name ?? '';
    return {
      name: target,
      opType: 'Identity',
      domain: '',
      inputs: [rename(output.name)],
      outputs: [target],
      attributes: new Map(),
    };
  });
  const initializers = model.graph.initializers
    .filter((tensor) => tensor.data.kind !== 'file')
    .map((tensor) => ({ ...tensor, name: rename(tensor.name) }));
  return { name, nodes: [...nodes, ...results], initializers, inputs: [], outputs };
}

/** Tensors without elements. */
function idleBranch(part: Part): GraphProto {
  const outputs = branchOutputs(part, 'idle');
  const initializers = outputs.map(({ name, dataType }): Tensor => ({
    name,
    dataType,
    dims: [0],
    data: { kind: 'bytes', bytes: new Uint8Array() },
  }));
  return { name: `without ${part.name}`, nodes: [], initializers, inputs: [], outputs };
}

/** The choice of one part, and inputs as small as their declarations allow for the others. */
function idleFeeds(parts: readonly Part[], chosen: number): Readonly<Record<string, TensorValue>> {
  const feeds = new Map<string, TensorValue>();
  for (const [index, part] of parts.entries()) {
    feeds.set(choice(part), { type: 'bool', dims: [], data: Uint8Array.of(index === chosen ? 1 : 0) });
    if (index !== chosen)
      for (const input of part.model.graph.inputs) feeds.set(inputName(part, input.name), idleValue(input));
  }
  return Object.fromEntries(feeds);
}

function idleValue({ dataType, dims = [0] }: ValueInfo): TensorValue {
  const type = (ELEMENT_TYPES as Readonly<Record<number, TensorValue['type']>>)[dataType] ?? 'float32';
  const extents = dims.map((dimension) => (typeof dimension === 'number' ? dimension : 0));
  return { type, dims: extents, data: new ARRAYS[type](elementCount(extents)) };
}

const ARRAYS = {
  float32: Float32Array,
  float64: Float64Array,
  int64: BigInt64Array,
  int32: Int32Array,
  int8: Int8Array,
  uint8: Uint8Array,
  bool: Uint8Array,
} as const;
