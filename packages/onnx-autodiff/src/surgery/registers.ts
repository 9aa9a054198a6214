import { intAttribute } from '../graph/emitter.js';
import type { Graph } from '../graph/graph.js';
import type { Tensor } from '../graph/types.js';

/** Rows that a model puts between its class token and its patches after it has added positions (DINOv2 with registers). */
export interface Registers {
  /** Tensor [B, tokens + count, width] with the registers in place. */
  readonly tensor: string;
  readonly count: number;
}

/**
 * Finds registers: all that reads the embeddings are two slices, and constant rows [1, count, width] are put between the two.
 * @param constantsOf constants that a tensor is computed from; undefined where it depends on an input other than the image.
 */
export function findRegisters(
  graph: Graph,
  embeddings: string,
  constantsOf: (tensor: string) => readonly Tensor[] | undefined,
): Registers | undefined {
  const readers = graph.consumers(embeddings).filter(({ opType }) => opType !== 'Shape');
  const parts = readers.map(({ outputs: [output = ''] }) => output);
  if (parts.length !== 2 || readers.some(({ opType }) => opType !== 'Slice')) return undefined;
  const [joined, other] = parts.flatMap((part) => graph.consumers(part));
  if (!joined || joined !== other || joined.opType !== 'Concat' || intAttribute(joined, 'axis', 0) !== 1)
    return undefined;
  const between = joined.inputs.slice(1, -1);
  if (between.some((input) => parts.includes(input))) return undefined;
  const counts = between.map((input) => constantsOf(input)?.find(({ dims }) => dims.length === 3)?.dims[1]);
  const count = counts.reduce<number>((sum, rows) => sum + (rows ?? 0), 0);
  return count === 0 ? undefined : { tensor: joined.outputs[0] ?? '', count };
}
