import { InvalidInputError, RuntimeFailureError } from '../errors.js';
import { Emitter } from '../graph/emitter.js';
import { readsOf, type Graph } from '../graph/graph.js';
import { elementCount } from '../graph/tensor-data.js';
import { DataType, type ValueInfo } from '../graph/types.js';
import { openSession, type SessionOptions } from './session.js';
import { float32, int64, type TensorValue } from './tensor-value.js';

/** Shape of a tensor as far as it is the same for all inputs; null where it varies. */
export type StaticShape = readonly (number | null)[];

/** Shape of a tensor in two runs that differ in every extent that may vary. */
export type ProbedExtents = readonly [readonly number[], readonly number[]];

/** What two runs agree on. */
export function staticShape([first, second]: ProbedExtents): StaticShape {
  return first.map((extent, axis) => (extent === second[axis] ? extent : null));
}

/** Inputs of two runs that differ in every dimension that may vary, small for speed. */
export type ProbeInputs = readonly [
  Readonly<Record<string, TensorValue>>,
  Readonly<Record<string, TensorValue>>,
];

/** Elements of all inputs of a run together: a hostile model may declare more than there is memory. */
const MAXIMUM_ELEMENTS = 2 ** 25;
/** Small primes: two different extents for each symbol, and no extent of one symbol that another has. */
const EXTENTS: readonly (readonly [number, number])[] = [
  [2, 3],
  [7, 11],
  [5, 13],
  [17, 19],
  [23, 29],
  [31, 37],
];

/**
 * Shapes of tensors in two runs of the graph on small inputs. Nothing needs to know how shapes are computed inside the graph.
 * @throws RuntimeFailureError if the graph does not run on the probe inputs.
 */
export async function probeShapes(
  graph: Graph,
  tensors: Iterable<string>,
  inputs: ProbeInputs = defaultProbeInputs(graph),
  { isolated = false }: Pick<SessionOptions, 'isolated'> = {},
): Promise<Map<string, ProbedExtents>> {
  const probe = graph.clone();
  const emitter = new Emitter(probe);
  const names = [...tensors];
  probe.outputs.clear();
  const outputs = names.map((name) => {
    const output = probe.fresh('shape');
    emitter.output(output, emitter.op('Shape', [name]), DataType.int64);
    return output;
  });
  const needed = neededInputs(probe);
  for (const name of [...probe.inputs.keys()]) if (!needed.has(name)) probe.inputs.delete(name);
  const session = await openSession(probe, { optimization: 'disabled', prepack: false, isolated });
  try {
    const shapes: number[][][] = [];
    for (const feeds of inputs) {
      const used = Object.fromEntries(Object.entries(feeds).filter(([name]) => needed.has(name)));
      const results = await session.run(used).catch((error: unknown) => {
        throw error instanceof RuntimeFailureError ? unprobed(error) : error;
      });
      shapes.push(outputs.map((output) => Array.from(results[output]?.data ?? [], Number)));
    }
    const [first = [], second = []] = shapes;
    return new Map(names.map((name, index) => [name, [first[index] ?? [], second[index] ?? []]]));
  } finally {
    await session.release();
  }
}

function unprobed(error: RuntimeFailureError): RuntimeFailureError {
  return new RuntimeFailureError({
    subject: error.subject,
    problem: `shapes could not be found with small inputs: ${error.problem}`,
    remedy: 'Pass `probeInputs` with two small examples of different extents that fit the model',
    cause: error,
  });
}

function neededInputs(graph: Graph): Set<string> {
  const needed = new Set<string>();
  for (const node of graph.sortedNodes())
    for (const input of readsOf(node)) if (graph.inputs.has(input)) needed.add(input);
  return needed;
}

/**
 * Probe inputs from the declared inputs: every symbolic dimension gets two extents, whole numbers are 1, other numbers
 * small and varied.
 * @throws InvalidInputError if an input declares no rank, or they are too large.
 */
export function defaultProbeInputs(graph: Graph): ProbeInputs {
  const symbols = new Map<string, readonly [number, number]>();
  const extentOf = (symbol: string, run: 0 | 1): number => {
    let pair = symbols.get(symbol);
    if (!pair) {
      pair = EXTENTS[symbols.size % EXTENTS.length] ?? [2, 3];
      symbols.set(symbol, pair);
    }
    return pair[run];
  };
  const feedsOf = (run: 0 | 1): Record<string, TensorValue> => {
    let left = MAXIMUM_ELEMENTS;
    return Object.fromEntries(
      [...graph.inputs.values()].map((info) => {
        const { dims } = info;
        if (dims === undefined) throw unprobeable(graph, info, 'it declares no rank');
        const extents = dims.map((dimension, axis) =>
          typeof dimension === 'number' ? dimension : extentOf(dimension ?? `${info.name}.${axis}`, run),
        );
        left -= elementCount(extents);
        if (!(left >= 0))
          throw unprobeable(graph, info, `its declared shape [${extents.join(', ')}] is too large`);
        return [info.name, probeValue(graph, info, extents)];
      }),
    );
  };
  return [feedsOf(0), feedsOf(1)];
}

function probeValue(graph: Graph, info: ValueInfo, dims: readonly number[]): TensorValue {
  const size = elementCount(dims);
  switch (info.dataType) {
    case DataType.float32:
      return float32(
        Float32Array.from({ length: size }, (_, index) => Math.sin(index + 1)),
        dims,
      );
    case DataType.int64:
      return int64(new Int32Array(size).fill(1), dims);
    case DataType.int32:
      return { type: 'int32', dims, data: new Int32Array(size).fill(1) };
    case DataType.bool:
      return { type: 'bool', dims, data: new Uint8Array(size).fill(1) };
    default:
      throw unprobeable(graph, info, `its element type ${info.dataType} has no default`);
  }
}

function unprobeable(graph: Graph, info: ValueInfo, problem: string): InvalidInputError {
  return new InvalidInputError({
    subject: `${graph.source}, input ${info.name}`,
    problem: `shapes cannot be found by themselves: ${problem}`,
    remedy: 'Pass `probeInputs` with two small examples of different extents',
  });
}
