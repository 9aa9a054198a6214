import { MalformedModelError, UnsupportedOperatorError } from '../errors.js';
import { byteLength } from '../graph/tensor-data.js';
import type { Attribute, GraphProto, LocalFunction, ModelProto, Node } from '../graph/types.js';
import { bytesInMemory } from './byte-source.js';
import { ModelReader } from './model-reader.js';

/** Calls within calls; exports of whole modules as functions nest a dozen deep. */
const MAXIMUM_DEPTH = 64;
/** Nodes, and bytes of names and constants, that all calls together may become: far more than any export does. */
const MAXIMUM_NODES = 200_000;
const MAXIMUM_BYTES = 2 ** 28;
/** Of a function's name in those of its tensors: every tensor of every call repeats it. */
const PREFIX_CHARACTERS = 64;

/**
 * Puts the nodes of model-local functions in place of their calls (onnx/docs/IR.md, «Functions»), as torch's dynamo exporter
 * writes them: nested, with attributes of the call in the function's nodes.
 * @param source the model's name, for errors.
 * @throws MalformedModelError if a function calls itself, or its calls become too much.
 * @throws UnsupportedOperatorError if a function is written in another operator set than the model.
 */
export function inlineFunctions(model: ModelProto, source: string): ModelProto {
  if (model.functions.length === 0) return model;
  const inliner = new Inliner(model, source);
  const graph = inliner.inGraph(model.graph);
  return { ...model, graph, opsets: inliner.opsets, functions: [] };
}

/** A function and how large one call of it becomes, subgraphs included. */
interface Definition extends LocalFunction {
  readonly key: string;
  readonly size: Size;
}

interface Size {
  readonly nodes: number;
  readonly bytes: number;
}

class Inliner {
  readonly opsets: Map<string, number>;
  readonly #functions = new Map<string, Definition>();
  /** Functions whose nodes are being written, outermost first. */
  readonly #calls: Definition[] = [];
  #callCount = 0;
  #nodes = 0;
  #bytes = 0;

  constructor(
    model: ModelProto,
    private readonly source: string,
  ) {
    this.opsets = new Map(model.opsets);
    for (const bytes of model.functions) {
      const reader = new ModelReader(bytesInMemory(bytes, `${source}, a function`), undefined);
      const definition = reader.localFunction();
      const key = functionKey(definition.domain, definition.name);
      if (this.#functions.has(key)) throw this.#malformed(key, 'it is defined twice');
      this.#functions.set(key, { ...definition, key, size: sizeOf(definition.nodes) });
      // No node of the domain is left, and onnxruntime need not know it.
      if (definition.domain !== '') this.opsets.delete(definition.domain);
    }
  }

  inGraph(graph: GraphProto): GraphProto {
    return { ...graph, nodes: graph.nodes.flatMap((node) => this.#inNode(node)) };
  }

  /** A node with calls in its subgraphs, or the nodes of the function that it calls. */
  #inNode(node: Node): readonly Node[] {
    const definition = this.#functions.get(functionKey(node.domain, node.opType));
    if (!definition) return [withSubgraphs(node, (graph) => this.inGraph(graph))];
    this.#check(definition);
    this.#calls.push(definition);
    const nodes = this.#body(node, definition).flatMap((inner) => this.#inNode(inner));
    this.#calls.pop();
    return nodes;
  }

  #check(definition: Definition): void {
    const { key, nodes, opsets, size } = definition;
    if (this.#calls.includes(definition)) throw this.#malformed(key, 'it calls itself');
    if (this.#calls.length >= MAXIMUM_DEPTH)
      throw this.#malformed(key, `it is called more than ${MAXIMUM_DEPTH} calls deep`);
    this.#nodes += size.nodes;
    this.#bytes += size.bytes;
    if (this.#nodes > MAXIMUM_NODES || this.#bytes > MAXIMUM_BYTES) {
      const limit = `${MAXIMUM_NODES} nodes or ${MAXIMUM_BYTES} bytes`;
      throw this.#malformed(key, `calls of functions become more than ${limit}`);
    }
    for (const [domain, version] of opsets) {
      const own = this.opsets.get(domain);
      const isUsed = nodes.some((node) => node.domain === domain && !this.#isCall(node));
      if (!isUsed || own === version) continue;
      if (own === undefined) this.opsets.set(domain, version);
      else {
        throw new UnsupportedOperatorError({
          subject: `${this.source}, function ${key}`,
          problem: `it is written in operator set ${version} of ${domain || 'ai.onnx'}, the model in ${own}`,
          remedy: 'Export the model with one operator set',
        });
      }
    }
  }

  #isCall({ domain, opType }: Node): boolean {
    return this.#functions.has(functionKey(domain, opType));
  }

  /** The function's nodes with the names and attributes of a call. */
  #body(call: Node, definition: Definition): readonly Node[] {
    const prefix = `${definition.name.slice(0, PREFIX_CHARACTERS)}.${this.#callCount++}/`;
    const names = new Map([['', '']]);
    definition.inputs.forEach((input, index) => names.set(input, call.inputs[index] ?? ''));
    const aliases: Node[] = [];
    definition.outputs.forEach((output, index) => {
      const outer = call.outputs[index] ?? '';
      if (outer === '') return;
      const known = names.get(output);
      if (known === undefined) names.set(output, outer);
      else aliases.push(identity(`${prefix}output ${index}`, known, outer));
    });
    const rename = (name: string): string => names.get(name) ?? `${prefix}${name}`;
    const attributeOf = (name: string): Attribute | undefined =>
      call.attributes.get(name) ?? definition.defaults.get(name);
    const nodes = definition.nodes.map((node) => ({
      ...renameNode(resolveReferences(node, attributeOf), rename),
      name: `${prefix}${node.name || (node.outputs[0] ?? '')}`,
    }));
    return [...nodes, ...aliases];
  }

  #malformed(key: string, problem: string): MalformedModelError {
    return new MalformedModelError({
      subject: `${this.source}, function ${key}`,
      problem,
      remedy: 'Export the model again, without functions if the exporter allows it',
    });
  }
}

function functionKey(domain: string, name: string): string {
  return domain === '' ? name : `${domain}.${name}`;
}

/** Nodes, and the bytes of their names and constants, subgraphs included. */
function sizeOf(nodes: readonly Node[]): Size {
  let [count, bytes] = [nodes.length, 0];
  const add = (graph: GraphProto): void => {
    const inner = sizeOf(graph.nodes);
    count += inner.nodes;
    bytes += inner.bytes;
    for (const { dataType, dims } of graph.initializers) bytes += byteLength(dataType, dims) ?? 0;
  };
  for (const { name, opType, domain, inputs, outputs, attributes } of nodes) {
    for (const text of [name, opType, domain, ...inputs, ...outputs]) bytes += text.length;
    for (const { kind, value } of attributes.values()) {
      if (kind === 'graph') add(value);
      else if (kind === 'graphs') value.forEach(add);
      else if (kind === 'tensor') bytes += byteLength(value.dataType, value.dims) ?? 0;
    }
  }
  return { nodes: count, bytes };
}

function identity(name: string, input: string, output: string): Node {
  return { name, opType: 'Identity', domain: '', inputs: [input], outputs: [output], attributes: new Map() };
}

/** A node whose attributes of the function have the values of a call; those the call leaves out are left out. */
function resolveReferences(node: Node, attributeOf: (name: string) => Attribute | undefined): Node {
  const attributes = new Map<string, Attribute>();
  for (const [name, attribute] of node.attributes) {
    const value = attribute.kind === 'reference' ? attributeOf(attribute.value) : attribute;
    if (value) attributes.set(name, value);
  }
  const inSubgraph = (graph: GraphProto): GraphProto => ({
    ...graph,
    nodes: graph.nodes.map((inner) => resolveReferences(inner, attributeOf)),
  });
  return withSubgraphs({ ...node, attributes }, inSubgraph);
}

/** A node with its subgraphs mapped; the node itself where it has none. */
function withSubgraphs(node: Node, map: (graph: GraphProto) => GraphProto): Node {
  const mapped = new Map<string, Attribute>();
  for (const [name, attribute] of node.attributes) {
    if (attribute.kind === 'graph') mapped.set(name, { kind: 'graph', value: map(attribute.value) });
    if (attribute.kind === 'graphs') mapped.set(name, { kind: 'graphs', value: attribute.value.map(map) });
  }
  return mapped.size === 0 ? node : { ...node, attributes: new Map([...node.attributes, ...mapped]) };
}

/** A node with its tensors renamed, in its subgraphs too. */
export function renameNode(node: Node, rename: (name: string) => string): Node {
  const inSubgraph = (graph: GraphProto): GraphProto => ({
    ...graph,
    nodes: graph.nodes.map((inner) => renameNode(inner, rename)),
    initializers: graph.initializers.map((tensor) => ({ ...tensor, name: rename(tensor.name) })),
    inputs: graph.inputs.map((input) => ({ ...input, name: rename(input.name) })),
    outputs: graph.outputs.map((output) => ({ ...output, name: rename(output.name) })),
  });
  return withSubgraphs(
    { ...node, inputs: node.inputs.map(rename), outputs: node.outputs.map(rename) },
    inSubgraph,
  );
}
