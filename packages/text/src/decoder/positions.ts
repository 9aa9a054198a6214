import { DataType, Emitter, type Graph, type Node, type SessionOptions } from '@dynaprompt/onnx-autodiff';
import { INPUT } from '../backbone/names.js';
import { findPositionTensors, type PositionTensor } from './position-tensors.js';

/** Operators that count tokens. */
const COUNTS: ReadonlySet<string> = new Set(['Range', 'CumSum']);
/** Lookups of rows by their second input. */
const LOOKUPS: ReadonlySet<string> = new Set(['Gather', 'GatherBlockQuantized']);

/** An input of a node that reads positions. */
interface Reader {
  readonly node: Node;
  readonly index: number;
}

/**
 * Makes the positions of a decoder's tokens its input `position_ids` [B, T], where the export counts them itself: by the shape
 * of its inputs (GPT-2, Llama) or along the attention mask (OPT). Positions are read by a lookup in a constant table (learned
 * embeddings, stored sines) or on the way to a sine; every such reader gets the input in place of what was counted. What else is
 * counted, such as the causal mask, stays.
 * @returns whether the graph takes positions now; otherwise it is as it was.
 */
export async function takePositions(
  graph: Graph,
  options: Pick<SessionOptions, 'isolated'>,
): Promise<boolean> {
  if (graph.inputs.has(INPUT.positions)) return true;
  const roots = [...tableReaders(graph), ...sineReaders(graph)];
  const candidates = new Set(
    roots.flatMap(({ node, index }) => [...ancestors(graph, node.inputs[index] ?? '')]),
  );
  if (candidates.size === 0) return false;
  const positions = await findPositionTensors(graph, candidates, options);
  const readers = new Map<string, Reader>();
  const isComplete = roots.every((root) => collectReaders(graph, root, positions, readers));
  if (!isComplete || readers.size === 0) return false;
  feedPositions(graph, [...readers.values()], positions);
  return true;
}

/** Lookups in constant tables by something that was counted. */
function tableReaders(graph: Graph): Reader[] {
  return [...graph.nodes]
    .filter(({ opType, inputs }) => {
      if (!LOOKUPS.has(opType) || graph.isConstant(inputs[1] ?? '')) return false;
      const isTable = isWithoutInputs(graph, inputs[0] ?? '');
      return isTable && [...ancestors(graph, inputs[1] ?? '')].some((tensor) => isCounted(graph, tensor));
    })
    .map((node) => ({ node, index: 1 }));
}

function sineReaders(graph: Graph): Reader[] {
  return [...graph.nodes]
    .filter(
      ({ opType, inputs }) => (opType === 'Cos' || opType === 'Sin') && !graph.isConstant(inputs[0] ?? ''),
    )
    .map((node) => ({ node, index: 0 }));
}

/**
 * Goes up from an input of a node to the tensors of positions that it depends on.
 * @returns false if it depends on something counted in another way.
 */
function collectReaders(
  graph: Graph,
  { node, index }: Reader,
  positions: ReadonlyMap<string, PositionTensor>,
  readers: Map<string, Reader>,
): boolean {
  const tensor = node.inputs[index] ?? '';
  const found = positions.get(tensor);
  if (found && takesRows(graph, node, found)) {
    readers.set(`${node.name} ${index}`, { node, index });
    return true;
  }
  const producer = graph.producer(tensor);
  if (!producer || producer.opType === 'Shape') return !graph.inputs.has(tensor);
  if (COUNTS.has(producer.opType)) return false;
  return producer.inputs.every((_, at) =>
    collectReaders(graph, { node: producer, index: at }, positions, readers),
  );
}

/** Whether a node can take positions [B, T] for those of one row: with a leading axis, or where what it makes is only added. */
function takesRows(graph: Graph, node: Node, { rank, axis }: PositionTensor): boolean {
  if (axis > 0) return true;
  const [output = ''] = node.outputs;
  return (
    rank === 1 && LOOKUPS.has(node.opType) && graph.consumers(output).every(({ opType }) => opType === 'Add')
  );
}

function feedPositions(
  graph: Graph,
  readers: readonly Reader[],
  positions: ReadonlyMap<string, PositionTensor>,
): void {
  const emit = new Emitter(graph);
  const dims = ['batch_size', 'sequence_length'];
  const given = emit.input({ name: INPUT.positions, dataType: DataType.int64, dims });
  const made = new Map<string, string>();
  for (const { node, index } of readers) {
    const counted = node.inputs[index] ?? '';
    const { rank, axis, offset } = positions.get(counted) ?? { rank: 2, axis: 1, offset: 0 };
    const told = made.get(counted) ?? likePositions(emit, given, counted, { rank, axis, offset });
    made.set(counted, told);
    graph.setInputs(
      node,
      node.inputs.map((input, at) => (at === index ? told : input)),
    );
  }
}

/** Positions [B, T] in the form of the counted tensor, of its element type. */
function likePositions(
  emit: Emitter,
  given: string,
  counted: string,
  { rank, axis, offset }: PositionTensor,
): string {
  const shifted = offset === 0 ? given : emit.add(given, emit.int(offset));
  const others = Array.from({ length: rank }, (_, at) => at).filter((at) => at !== 0 && at !== axis);
  const shaped = others.length === 0 ? shifted : emit.unsqueeze(shifted, others);
  return emit.op('CastLike', [shaped, counted]);
}

/** A tensor and what it is made of, constants and extents aside. */
function ancestors(graph: Graph, tensor: string, known = new Set<string>()): Set<string> {
  const producer = graph.producer(tensor);
  if (!producer || known.has(tensor) || graph.isConstant(tensor)) return known;
  known.add(tensor);
  if (producer.opType !== 'Shape') for (const input of producer.inputs) ancestors(graph, input, known);
  return known;
}

function isCounted(graph: Graph, tensor: string): boolean {
  return COUNTS.has(graph.producer(tensor)?.opType ?? '');
}

/** Whether a tensor is made of constants and extents alone. */
function isWithoutInputs(graph: Graph, tensor: string): boolean {
  if (graph.isConstant(tensor)) return true;
  if (graph.inputs.has(tensor)) return false;
  const producer = graph.producer(tensor);
  if (!producer) return false;
  return (
    producer.opType === 'Shape' ||
    producer.inputs.every((input) => input === '' || isWithoutInputs(graph, input))
  );
}
