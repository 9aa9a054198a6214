import { DataType, Emitter, type Graph, type Node } from '@dynaprompt/onnx-autodiff';
import { TEXT_INPUT } from './names.js';

/** Rows that a table has to have to be one of positions, not of token types. */
const LEAST_POSITIONS = 8;

/**
 * Makes the positions of a text's tokens the input `position_ids` [R, T], where the export counts them by the length of the text:
 * a token that is off can then stand where it would stand, without moving those behind it.
 * @returns rows of the table; undefined if none was found, and the graph is as it was.
 */
export function tellPositions(graph: Graph, embeddings: string): number | undefined {
  if (graph.inputs.has(TEXT_INPUT.positions)) return Infinity;
  for (const { sum, tokens } of sumsBehind(graph, embeddings)) {
    const added = sum.inputs.filter((input) => input !== tokens);
    const found = added.map((input) => tableBehind(graph, input)).find((one) => one !== undefined);
    if (!found) continue;
    const emit = new Emitter(graph);
    const dims = ['batch_size', 'sequence_length'];
    const positions = emit.input({ name: TEXT_INPUT.positions, dataType: DataType.int64, dims });
    const table = found.isFlat ? found.table : emit.squeeze(found.table, [0]);
    const rows = emit.op('Gather', [table, positions]);
    graph.setInputs(
      sum,
      sum.inputs.map((input) => (input === found.tensor ? rows : input)),
    );
    return found.count;
  }
  return undefined;
}

/** The sums that token embeddings go through, nearest first, and the operand that comes from them. */
function sumsBehind(graph: Graph, embeddings: string): readonly { sum: Node; tokens: string }[] {
  const sums: { sum: Node; tokens: string }[] = [];
  const tensors = [embeddings];
  for (const tokens of tensors) {
    const sum = graph.consumers(tokens).find(({ opType }) => opType === 'Add');
    // Token types and positions: two sums at most.
    if (!sum || sums.length === 2) break;
    sums.push({ sum, tokens });
    tensors.push(...sum.outputs);
  }
  return sums;
}

interface Table {
  /** What was added. */
  readonly tensor: string;
  readonly table: string;
  /** [positions, d] rather than [1, positions, d]. */
  readonly isFlat: boolean;
  readonly count: number;
}

/** The table [positions, d] or [1, positions, d] that a tensor is looked up in or cut from. */
function tableBehind(graph: Graph, tensor: string): Table | undefined {
  const node = graph.producer(tensor);
  const isLookup = node?.opType === 'Gather' || node?.opType === 'Slice';
  const table = isLookup ? (node.inputs[0] ?? '') : tensor;
  const dims = graph.initializers.get(table)?.dims ?? [];
  const isFlat = dims.length === 2;
  const count = dims.at(-2) ?? 0;
  const isTable = (isFlat || (dims.length === 3 && dims[0] === 1)) && count >= LEAST_POSITIONS;
  const isOfTypes = graph.inputs.has(node?.inputs[1] ?? '');
  return isTable && !isOfTypes ? { tensor, table, isFlat, count } : undefined;
}
