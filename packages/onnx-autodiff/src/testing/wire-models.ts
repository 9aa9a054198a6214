import { WireWriter } from '../codec/wire-writer.js';
import { writeAttribute, writeNode } from '../codec/write-model.js';
import { Graph } from '../graph/graph.js';
import type { LocalFunction, Tensor } from '../graph/types.js';

/** The initialiser of a model of {@link modelWithTensor}, as it is read back. */
export function tensorIn(model: string | Uint8Array): Tensor {
  const tensor = Graph.read(model).initializers.get('w');
  if (!tensor) throw new Error('the model has no tensor w');
  return tensor;
}

/** Writes a tensor's element type and shape. */
export const tensorHeader =
  (dataType: number, ...dims: readonly number[]) =>
  (tensor: WireWriter): void => {
    tensor.integers(1, dims);
    tensor.integer(2, dataType);
  };

/** A model whose one node is an Identity of the one initialiser `w`; `write` makes the tensor's other fields. */
export function modelWithTensor(write: (tensor: WireWriter) => void): Uint8Array {
  return modelWithGraph((graph) => {
    graph.message(1, (node) => {
      node.string(1, 'w');
      node.string(2, 'y');
      node.string(4, 'Identity');
    });
    graph.message(5, (tensor) => {
      tensor.string(8, 'w');
      write(tensor);
    });
    graph.message(12, (output) => {
      output.string(1, 'y');
    });
  });
}

/** A model of operator set 17 whose graph message `write` makes. */
export function modelWithGraph(write: (graph: WireWriter) => void): Uint8Array {
  const model = new WireWriter();
  model.integer(1, 8);
  model.message(7, write);
  model.message(8, (opset) => {
    opset.integer(2, 17);
  });
  return model.finish().slice();
}

/** Writes the `external_data` entries of a tensor. */
export function writeExternalData(tensor: WireWriter, entries: Readonly<Record<string, string>>): void {
  for (const [key, value] of Object.entries(entries)) {
    tensor.message(13, (entry) => {
      entry.string(1, key);
      entry.string(2, value);
    });
  }
  tensor.integer(14, 1);
}

/** A model-local function as its model holds it. */
export function functionBytes(definition: LocalFunction): Uint8Array {
  const writer = new WireWriter();
  writer.string(1, definition.name);
  for (const input of definition.inputs) writer.string(4, input);
  for (const output of definition.outputs) writer.string(5, output);
  for (const node of definition.nodes) {
    writer.message(7, (nested) => {
      writeNode(nested, node);
    });
  }
  for (const [domain, version] of definition.opsets) {
    writer.message(9, (opset) => {
      if (domain !== '') opset.string(1, domain);
      opset.integer(2, version);
    });
  }
  writer.string(10, definition.domain);
  for (const [name, attribute] of definition.defaults) {
    writer.message(11, (nested) => {
      nested.string(1, name);
      writeAttribute(nested, attribute);
    });
  }
  return writer.finish().slice();
}
