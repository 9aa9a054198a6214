import { InvalidInputError, UnsupportedOperatorError } from '../errors.js';
import { readsOf, type Graph } from '../graph/graph.js';
import { DataType, type GraphProto, type Node } from '../graph/types.js';
import type { TensorValue } from '../session/tensor-value.js';

/** What an input is fixed to: a truth value, or a tensor, such as an empty cache. */
export type ConstantInput = boolean | TensorValue;

/**
 * Makes an input of a graph a constant. Merged decoders (`decoder_model_merged.onnx`) choose a branch by `use_cache_branch`.
 * @throws InvalidInputError if the graph has no such input, or one of another type.
 */
export function fixInput(graph: Graph, input: string, value: ConstantInput): void {
  const info = graph.inputs.get(input);
  const fail = (problem: string): InvalidInputError =>
    new InvalidInputError({
      subject: `${graph.source}, input ${input}`,
      problem,
      remedy: `Its inputs are ${[...graph.inputs.keys()].join(', ')}`,
    });
  if (!info) throw fail('the graph has no such input');
  const dims = info.dims?.map((extent) => (typeof extent === 'number' ? extent : 1)) ?? [];
  const tensor: TensorValue =
    typeof value === 'boolean' ? { type: 'bool', dims, data: Uint8Array.of(value ? 1 : 0) } : value;
  const dataType = DataType[tensor.type];
  if (dataType !== info.dataType) throw fail(`its elements are not ${tensor.type}`);
  const { buffer, byteOffset, byteLength } = tensor.data;
  const bytes = new Uint8Array(buffer, byteOffset, byteLength).slice();
  graph.inputs.delete(input);
  graph.initializers.set(input, { name: input, dataType, dims: tensor.dims, data: { kind: 'bytes', bytes } });
}

/**
 * Puts the branch that is taken in the place of every `If` whose condition is a constant. Inputs that only the other branch
 * read are dropped.
 * @returns how many there were.
 * @throws UnsupportedOperatorError if a branch is missing, or names clash.
 */
export function takeConstantBranches(graph: Graph): number {
  const unread = new Set([...graph.inputs.keys()].filter((name) => graph.consumers(name).length === 0));
  let count = 0;
  for (const node of [...graph.nodes]) {
    const condition = node.opType === 'If' && node.domain === '' ? graph.scalar(node.inputs[0]) : undefined;
    if (condition === undefined) continue;
    takeBranch(graph, node, condition !== 0);
    count++;
  }
  if (count === 0) return 0;
  graph.prune();
  for (const name of [...graph.inputs.keys()])
    if (!unread.has(name) && !graph.outputs.has(name) && graph.consumers(name).length === 0)
      graph.inputs.delete(name);
  return count;
}

/** Replaces an `If` by the nodes of one of its branches. */
function takeBranch(graph: Graph, node: Node, value: boolean): void {
  const attribute = node.attributes.get(value ? 'then_branch' : 'else_branch');
  if (attribute?.kind !== 'graph') throw unsupported(graph, node, 'a branch is missing');
  const branch = attribute.value;
  graph.remove(node);
  const names = newNames(graph, node, branch);
  const rename = (name: string): string => names.get(name) ?? name;
  for (const tensor of branch.initializers) {
    const name = rename(tensor.name);
    graph.initializers.set(name, { ...tensor, name });
  }
  for (const { opType, domain, attributes, inputs, outputs } of branch.nodes)
    graph.add({ opType, domain, attributes, inputs: inputs.map(rename), outputs: outputs.map(rename) });
  node.outputs.forEach((output, index) => {
    const inner = rename(branch.outputs[index]?.name ?? '');
    if (output === '' || output === inner) return;
    graph.add({ opType: 'Identity', domain: '', inputs: [inner], outputs: [output], attributes: new Map() });
  });
}

/** Names for a branch's tensors: its results get those of the node's outputs, others a fresh one where theirs is taken. */
function newNames(graph: Graph, node: Node, branch: GraphProto): ReadonlyMap<string, string> {
  const produced = new Set(branch.nodes.flatMap(({ outputs }) => outputs));
  const names = new Map<string, string>();
  branch.outputs.forEach(({ name }, index) => {
    const output = node.outputs[index] ?? '';
    if (output !== '' && produced.has(name) && !names.has(name)) names.set(name, output);
  });
  const taken = new Set(names.values());
  const own = [...produced, ...branch.initializers.map(({ name }) => name)];
  for (const name of own) {
    if (name === '' || names.has(name) || (!graph.has(name) && !taken.has(name))) continue;
    names.set(name, graph.fresh(name));
  }
  const isRead = (inner: Node): boolean =>
    readsOf(inner).some((name) => names.has(name) && !inner.inputs.includes(name));
  const nested = branch.nodes.find(isRead);
  if (nested) throw unsupported(graph, nested, 'a branch within a branch reads a tensor whose name is taken');
  return names;
}

function unsupported(graph: Graph, node: Node, problem: string): UnsupportedOperatorError {
  return new UnsupportedOperatorError({
    subject: `${graph.source}, node ${node.name} (${node.opType})`,
    problem,
    remedy: 'Export the model without control flow (decoder_model.onnx instead of the merged one)',
  });
}
