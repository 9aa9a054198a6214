import { inlineFunctions } from '../codec/local-functions.js';
import { readModel } from '../codec/read-model.js';
import { writeModel } from '../codec/write-model.js';
import { MalformedModelError } from '../errors.js';
import { elementCount, tensorValues } from './tensor-data.js';
import type { Attribute, ModelProto, Node, Tensor, ValueInfo } from './types.js';

interface MutableNode extends Node {
  inputs: readonly string[];
  outputs: readonly string[];
}

/**
 * A model's main graph with its indexes (who makes a tensor, who reads it), changed in place. Tensors are names; every
 * tensor has one producer: a node, an initialiser or a graph input.
 */
export class Graph {
  /** Model file, or `model in memory`; shown in errors. */
  readonly source: string;
  readonly initializers = new Map<string, Tensor>();
  readonly inputs = new Map<string, ValueInfo>();
  readonly outputs = new Map<string, ValueInfo>();
  readonly opsets: Map<string, number>;
  readonly #model: ModelProto;
  readonly #nodes = new Set<MutableNode>();
  readonly #producers = new Map<string, MutableNode>();
  readonly #consumers = new Map<string, Set<MutableNode>>();
  /** Names of nodes, removed ones too: onnxruntime refuses a graph with one name twice. */
  readonly #nodeNames = new Set<string>();
  #freshCount = 0;

  constructor(model: ModelProto, source: string) {
    this.source = source;
    this.#model = model;
    this.opsets = new Map(model.opsets);
    for (const tensor of model.graph.initializers) this.initializers.set(tensor.name, tensor);
    // Before IR version 4 every initialiser is listed as an input too; it is no input to feed.
    for (const input of model.graph.inputs)
      if (!this.initializers.has(input.name)) this.inputs.set(input.name, input);
    for (const output of model.graph.outputs) this.outputs.set(output.name, output);
    for (const node of model.graph.nodes) this.#insert({ ...node });
  }

  /**
   * Reads a model file (weights stay on disk) or a model in memory; functions that it defines are put in place of their calls.
   * @throws MalformedModelError naming the file and what is wrong with it; a cycle in the graph counts.
   */
  static read(model: string | Uint8Array): Graph {
    const source = typeof model === 'string' ? model : 'model in memory';
    const graph = new Graph(inlineFunctions(readModel(model), source), source);
    graph.sortedNodes();
    return graph;
  }

  /** Version of the standard operator set. */
  get opset(): number {
    return this.opsets.get('') ?? 1;
  }

  get nodes(): Iterable<Node> {
    return this.#nodes;
  }

  /** Node that makes a tensor; undefined for inputs and constants. */
  producer(tensor: string): Node | undefined {
    return this.#producers.get(tensor);
  }

  /** Nodes that read a tensor, subgraphs of control-flow nodes included. */
  consumers(tensor: string): readonly Node[] {
    return [...(this.#consumers.get(tensor) ?? [])];
  }

  /** A name no tensor or node of this graph has. */
  fresh(hint: string): string {
    let name: string;
    do name = `dynaprompt.${hint}.${this.#freshCount++}`;
    while (this.has(name) || this.#nodeNames.has(name));
    return name;
  }

  /** Adds a node; its outputs have to be new to the graph. */
  add(node: Omit<Node, 'name'> & { readonly name?: string }): Node {
    const complete: MutableNode = { ...node, name: node.name ?? this.fresh(node.opType) };
    if (node.domain !== '' && !this.opsets.has(node.domain)) this.opsets.set(node.domain, 1);
    this.#insert(complete);
    return complete;
  }

  /** Takes a node out; what read its outputs has to be given something else to read. */
  remove(node: Node): void {
    const mutable = node as MutableNode;
    this.#nodes.delete(mutable);
    this.#unlinkInputs(mutable);
    for (const output of node.outputs)
      if (this.#producers.get(output) === node) this.#producers.delete(output);
  }

  /** Lets a node read other tensors. */
  setInputs(node: Node, inputs: readonly string[]): void {
    const mutable = node as MutableNode;
    this.#unlinkInputs(mutable);
    mutable.inputs = inputs;
    this.#linkInputs(mutable);
  }

  /** Lets a node make tensors of other names. */
  setOutputs(node: Node, outputs: readonly string[]): void {
    const mutable = node as MutableNode;
    for (const output of node.outputs)
      if (this.#producers.get(output) === node) this.#producers.delete(output);
    mutable.outputs = outputs;
    for (const output of outputs) if (output !== '') this.#producers.set(output, mutable);
  }

  /** Lets every reader of `from` read `to`, save the nodes in `except`. A graph output keeps its name. */
  replaceUses(from: string, to: string, except: readonly Node[] = []): void {
    for (const node of this.consumers(from)) {
      if (!except.includes(node)) {
        this.setInputs(
          node,
          node.inputs.map((input) => (input === from ? to : input)),
        );
      }
    }
  }

  /** Whether the graph has a tensor of this name. */
  has(tensor: string): boolean {
    return this.#producers.has(tensor) || this.initializers.has(tensor) || this.inputs.has(tensor);
  }

  /** Whether a tensor is an initialiser. */
  isConstant(tensor: string): boolean {
    return this.initializers.has(tensor);
  }

  /** Values of a constant, undefined if the tensor is no constant. */
  constantValues(tensor: string): readonly number[] | undefined {
    const constant = this.initializers.get(tensor);
    return constant && Array.from(tensorValues(constant));
  }

  /** Value of a constant of one element, whatever its rank. */
  scalar(tensor: string | undefined): number | undefined {
    const constant = tensor === undefined ? undefined : this.initializers.get(tensor);
    if (!constant || elementCount(constant.dims) !== 1) return undefined;
    return tensorValues(constant)[0];
  }

  /** Nodes that tensors, the graph's outputs by default, need, each after what it reads. */
  sortedNodes(targets: Iterable<string> = this.outputs.keys()): readonly Node[] {
    const order: Node[] = [];
    const state = new Map<Node, 'open' | 'done'>();
    const stack: { node: MutableNode; next: number; reads: readonly string[] }[] = [];
    const push = (tensor: string): void => {
      const node = this.#producers.get(tensor);
      const seen = node && state.get(node);
      if (!node || seen === 'done') return;
      if (seen === 'open') {
        throw new MalformedModelError({
          subject: `${this.source}, node ${node.name} (${node.opType})`,
          problem: 'the graph has a cycle through it',
          remedy: 'Export the model again',
        });
      }
      state.set(node, 'open');
      stack.push({ node, next: 0, reads: readsOf(node) });
    };
    for (const target of targets) {
      push(target);
      for (let top = stack.at(-1); top; top = stack.at(-1)) {
        const tensor = top.reads[top.next++];
        if (tensor !== undefined) push(tensor);
        else {
          state.set(top.node, 'done');
          order.push(top.node);
          stack.pop();
        }
      }
    }
    return order;
  }

  /** Drops nodes and initialisers that no output needs. */
  prune(): void {
    const live = new Set(this.sortedNodes());
    for (const node of [...this.#nodes]) if (!live.has(node)) this.remove(node);
    for (const name of [...this.initializers.keys()]) {
      if (!this.#consumers.get(name)?.size && !this.outputs.has(name)) this.initializers.delete(name);
    }
  }

  /** An independent copy that shares the tensors' bytes; nodes that no output needs are copied too. */
  clone(): Graph {
    const model = this.toModel();
    const parts = { nodes: [...this.#nodes], initializers: [...this.initializers.values()] };
    return new Graph({ ...model, graph: { ...model.graph, ...parts } }, this.source);
  }

  /** The model with the nodes that its outputs need, in an order in which they can run. */
  toModel(): ModelProto {
    const nodes = this.sortedNodes().map((node) => ({ ...node }));
    const used = new Set(nodes.flatMap(readsOf));
    for (const output of this.outputs.keys()) used.add(output);
    return {
      ...this.#model,
      irVersion: Math.max(this.#model.irVersion, 8),
      opsets: new Map(this.opsets),
      graph: {
        name: this.#model.graph.name || 'main',
        nodes,
        initializers: [...this.initializers.values()].filter((tensor) => used.has(tensor.name)),
        inputs: [...this.inputs.values()],
        outputs: [...this.outputs.values()],
      },
    };
  }

  /** The graph as an ONNX file's bytes; weights in files stay there (see `writeModel`). */
  serialize(): Uint8Array {
    return writeModel(this.toModel());
  }

  #insert(node: MutableNode): void {
    this.#nodes.add(node);
    this.#nodeNames.add(node.name);
    this.#linkInputs(node);
    for (const output of node.outputs) {
      if (output === '') continue;
      if (this.has(output)) {
        throw new MalformedModelError({
          subject: `${this.source}, tensor ${output}`,
          problem: 'it is produced twice',
          remedy: 'Export the model again',
        });
      }
      this.#producers.set(output, node);
    }
  }

  #linkInputs(node: MutableNode): void {
    for (const input of readsOf(node)) {
      const readers = this.#consumers.get(input);
      if (readers) readers.add(node);
      else this.#consumers.set(input, new Set([node]));
    }
  }

  #unlinkInputs(node: MutableNode): void {
    for (const input of readsOf(node)) this.#consumers.get(input)?.delete(node);
  }
}

/** Tensors a node reads: its inputs, and what its subgraphs take from outside. */
export function readsOf(node: Node): readonly string[] {
  let reads: readonly string[] = node.inputs;
  for (const attribute of node.attributes.values()) {
    if (attribute.kind !== 'graph' && attribute.kind !== 'graphs') continue;
    const inner: string[] = [];
    collectOuterReads(attribute, inner);
    reads = [...reads, ...inner];
  }
  // Almost all nodes read a few tensors, each once.
  const isPlain = reads.length <= 4 && reads.every((name, at) => name !== '' && reads.indexOf(name) === at);
  return isPlain ? reads : [...new Set(reads)].filter((name) => name !== '');
}

function collectOuterReads(attribute: Attribute, into: string[]): void {
  const graphs =
    attribute.kind === 'graph' ? [attribute.value] : attribute.kind === 'graphs' ? attribute.value : [];
  for (const graph of graphs) {
    const own = new Set([
      ...graph.initializers.map((tensor) => tensor.name),
      ...graph.inputs.map((input) => input.name),
    ]);
    for (const node of graph.nodes) for (const output of node.outputs) own.add(output);
    const reads = [...graph.nodes.flatMap(readsOf), ...graph.outputs.map((output) => output.name)];
    into.push(...reads.filter((name) => !own.has(name)));
  }
}
