import { producedBy, soleConsumer } from '../canonicalise/patterns.js';
import { intAttribute } from '../graph/emitter.js';
import type { Graph } from '../graph/graph.js';
import { DataType, type Node, type Tensor } from '../graph/types.js';

/** Rows that are looked up in a constant table [vocabulary, width], stored in any precision. */
export interface Lookup {
  /** Tensor of the rows in float32. */
  readonly rows: string;
  readonly table: Tensor;
  readonly width: number;
}

/**
 * Reads a node as the lookup of rows by `indices`: Gather of a table, of its values (DequantizeLinear, Cast), or of its codes, of
 * which the rows are converted afterwards; or com.microsoft GatherBlockQuantized (docs/ContribOperators.md).
 */
export function lookupOf(graph: Graph, node: Node, indices: string): Lookup | undefined {
  const [source = '', second] = node.inputs;
  const [output = ''] = node.outputs;
  if (second !== indices) return undefined;
  if (node.opType === 'GatherBlockQuantized') {
    const table = tableBehind(graph, source);
    const isPacked = table?.dataType === DataType.uint8;
    const perByte = isPacked ? 8 / intAttribute(node, 'bits', 4) : 1;
    const isByRow = intAttribute(node, 'gather_axis', 0) === 0;
    return table && isByRow ? { rows: output, table, width: (table.dims[1] ?? 0) * perByte } : undefined;
  }
  const table = tableBehind(graph, source);
  if (!table || node.opType !== 'Gather' || intAttribute(node, 'axis', 0) !== 0) return undefined;
  return { rows: convertedRows(graph, output), table, width: table.dims[1] ?? 0 };
}

/** The constant matrix that a tensor is, or is the values of. */
function tableBehind(graph: Graph, tensor: string): Tensor | undefined {
  const conversion = producedBy(graph, tensor, 'DequantizeLinear') ?? producedBy(graph, tensor, 'Cast');
  const table = graph.initializers.get(conversion?.inputs[0] ?? tensor);
  return table?.dims.length === 2 ? table : undefined;
}

function convertedRows(graph: Graph, rows: string): string {
  const conversion = soleConsumer(graph, rows, 'DequantizeLinear') ?? soleConsumer(graph, rows, 'Cast');
  return conversion?.outputs[0] ?? rows;
}
