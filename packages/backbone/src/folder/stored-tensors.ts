import { realpathSync } from 'node:fs';
import type { Graph, GraphProto, Node, Tensor } from '@dynaprompt/onnx-autodiff';

/**
 * Files that hold a model's weights, the model itself first, with the offsets at which their tensors begin; those of branches and
 * constants included. Links are followed.
 */
export function storedTensors(graph: Graph, model: string): ReadonlyMap<string, readonly number[]> {
  const files = new Map<string, number[]>([[realpathSync(model), []]]);
  const addTensor = ({ data }: Tensor): void => {
    if (data.kind !== 'file') return;
    const offsets = files.get(data.file) ?? [];
    offsets.push(data.offset);
    files.set(data.file, offsets);
  };
  const addNode = ({ attributes }: Node): void => {
    for (const attribute of attributes.values()) {
      if (attribute.kind === 'tensor') addTensor(attribute.value);
      else if (attribute.kind === 'graph') addBranch(attribute.value);
      else if (attribute.kind === 'graphs') attribute.value.forEach(addBranch);
    }
  };
  const addBranch = ({ initializers, nodes }: GraphProto): void => {
    initializers.forEach(addTensor);
    nodes.forEach(addNode);
  };
  for (const tensor of graph.initializers.values()) addTensor(tensor);
  for (const node of graph.nodes) addNode(node);
  return files;
}
