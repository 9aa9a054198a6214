import { basename } from 'node:path';
import type { Attribute, GraphProto, ModelProto, Node, Tensor, ValueInfo } from '../graph/types.js';
import { WireWriter } from './wire-writer.js';

/**
 * Serialises a model. Tensors that lie in a file become `external_data` entries that point at their place *inside that
 * file* (its base name, an offset, a length), so a graph of hundreds of megabytes is written in a few hundred kilobytes.
 * Field numbers: onnx/onnx.proto3.
 */
export function writeModel(model: ModelProto): Uint8Array {
  const writer = new WireWriter();
  writer.integer(1, model.irVersion);
  writer.string(2, 'dynaprompt');
  writer.message(7, (nested) => {
    writeGraph(nested, model.graph);
  });
  for (const [domain, version] of model.opsets) {
    writer.message(8, (nested) => {
      if (domain !== '') nested.string(1, domain);
      nested.integer(2, version);
    });
  }
  for (const definition of model.functions) writer.bytes(25, definition);
  return writer.finish().slice();
}

function writeGraph(writer: WireWriter, graph: GraphProto): void {
  for (const node of graph.nodes) {
    writer.message(1, (nested) => {
      writeNode(nested, node);
    });
  }
  writer.string(2, graph.name);
  for (const tensor of graph.initializers) {
    writer.message(5, (nested) => {
      writeTensor(nested, tensor);
    });
  }
  for (const [field, values] of [
    [11, graph.inputs],
    [12, graph.outputs],
  ] as const) {
    for (const value of values) {
      writer.message(field, (nested) => {
        writeValueInfo(nested, value);
      });
    }
  }
}

/** Writes a NodeProto. */
export function writeNode(writer: WireWriter, node: Node): void {
  for (const name of node.inputs) writer.string(1, name);
  for (const name of node.outputs) writer.string(2, name);
  writer.string(3, node.name);
  writer.string(4, node.opType);
  for (const [name, attribute] of node.attributes) {
    writer.message(5, (nested) => {
      nested.string(1, name);
      writeAttribute(nested, attribute);
    });
  }
  if (node.domain !== '') writer.string(7, node.domain);
}

const ATTRIBUTE_TYPES = {
  float: 1,
  int: 2,
  string: 3,
  tensor: 4,
  graph: 5,
  floats: 6,
  ints: 7,
  strings: 8,
  graphs: 10,
} as const satisfies Record<Exclude<Attribute['kind'], 'reference'>, number>;

/** Writes an AttributeProto but for its name. */
export function writeAttribute(writer: WireWriter, attribute: Attribute): void {
  switch (attribute.kind) {
    case 'float':
      writer.float(2, attribute.value);
      break;
    case 'int':
      writer.integer(3, attribute.value);
      break;
    case 'string':
      writer.string(4, attribute.value);
      break;
    case 'tensor':
      writer.message(5, (nested) => {
        writeTensor(nested, attribute.value);
      });
      break;
    case 'graph':
      writer.message(6, (nested) => {
        writeGraph(nested, attribute.value);
      });
      break;
    case 'floats':
      writer.floats(7, attribute.value);
      break;
    case 'ints':
      writer.integers(8, attribute.value);
      break;
    case 'strings':
      for (const value of attribute.value) writer.string(9, value);
      break;
    case 'graphs':
      for (const graph of attribute.value) {
        writer.message(11, (nested) => {
          writeGraph(nested, graph);
        });
      }
      break;
    case 'reference':
      writer.string(21, attribute.value);
      break;
  }
  writer.integer(20, attribute.kind === 'reference' ? attribute.type : ATTRIBUTE_TYPES[attribute.kind]);
}

function writeTensor(writer: WireWriter, tensor: Tensor): void {
  writer.integers(1, tensor.dims);
  writer.integer(2, tensor.dataType);
  const { data } = tensor;
  if (data.kind === 'strings') for (const value of data.strings) writer.bytes(6, value);
  writer.string(8, tensor.name);
  if (data.kind === 'bytes') writer.bytes(9, data.bytes);
  if (data.kind === 'file') {
    const place = { location: basename(data.file), offset: String(data.offset), length: String(data.length) };
    for (const [key, value] of Object.entries(place)) {
      writer.message(13, (nested) => {
        nested.string(1, key);
        nested.string(2, value);
      });
    }
    writer.integer(14, 1);
  }
}

function writeValueInfo(writer: WireWriter, value: ValueInfo): void {
  writer.string(1, value.name);
  // Outputs of subgraphs may leave their type to inference.
  if (value.dataType === 0) return;
  writer.message(2, (type) => {
    type.message(1, (tensorType) => {
      tensorType.integer(1, value.dataType);
      if (value.dims === undefined) return;
      const { dims } = value;
      tensorType.message(2, (shape) => {
        for (const dimension of dims) {
          shape.message(1, (nested) => {
            if (typeof dimension === 'number') nested.integer(1, dimension);
            else if (typeof dimension === 'string') nested.string(2, dimension);
          });
        }
      });
    });
  });
}
