import { DataType, Emitter, openSession, type Graph, type SessionOptions } from '@dynaprompt/onnx-autodiff';
import { floatsOf, int64 } from '@dynaprompt/onnx-autodiff';
import { INPUT } from '../backbone/names.js';
import { emptyCache } from '../backbone/text-model.js';

/** A tensor that holds the positions of a row's tokens: `offset` + t along one axis, the same in every row. */
export interface PositionTensor {
  readonly rank: number;
  /** Axis of the tokens. */
  readonly axis: number;
  /** Position of the first token. */
  readonly offset: number;
}

/** Rows and tokens of the runs that tensors are read in: what agrees with both is no coincidence. */
const PROBES: readonly (readonly [rows: number, tokens: number])[] = [
  [2, 5],
  [3, 7],
];

/**
 * Computes tensors for tokens that are all attended, and tells which of them hold positions. They depend on shapes, and on the
 * mask at most, so hardly any weight is loaded.
 */
export async function findPositionTensors(
  graph: Graph,
  candidates: ReadonlySet<string>,
  options: Pick<SessionOptions, 'isolated'>,
): Promise<ReadonlyMap<string, PositionTensor>> {
  const names = [...candidates];
  const probe = graph.clone();
  probe.outputs.clear();
  const emit = new Emitter(probe);
  const outputs = names.map((name) => emit.cast(name, DataType.float32));
  for (const output of outputs) emit.output(output, output);
  probe.prune();
  const session = await openSession(probe, {
    threads: 1,
    optimization: 'disabled',
    prepack: false,
    ...options,
  });
  const found: (readonly (PositionTensor | undefined)[])[] = [];
  try {
    for (const [rows, tokens] of PROBES) {
      const ones = int64(new Int32Array(rows * tokens).fill(1), [rows, tokens]);
      const feeds = { ...emptyCache(graph, rows), [INPUT.ids]: ones, [INPUT.mask]: ones };
      const own = Object.entries(feeds).filter(([name]) => session.inputs.has(name));
      const results = await session.run(Object.fromEntries(own));
      found.push(
        outputs.map((output) => {
          const result = results[output];
          return result && positionsIn(floatsOf(result), result.dims, rows, tokens);
        }),
      );
    }
  } finally {
    await session.release();
  }
  const [first = [], second = []] = found;
  return new Map(
    names.flatMap((name, index) => {
      const [one, other] = [first[index], second[index]];
      const isAlike = one?.rank === other?.rank && one?.axis === other?.axis && one?.offset === other?.offset;
      return one && isAlike ? [[name, one] as const] : [];
    }),
  );
}

/** Reads values as positions of `tokens` tokens in one row, or in each of `rows` leading ones. */
function positionsIn(
  values: Float32Array,
  dims: readonly number[],
  rows: number,
  tokens: number,
): PositionTensor | undefined {
  const axis = dims.indexOf(tokens);
  const isRow = dims.every((extent, at) => at === axis || extent === 1 || (at === 0 && extent === rows));
  const offset = values[0] ?? NaN;
  if (axis < 0 || !isRow || !values.every((value, index) => value === offset + (index % tokens)))
    return undefined;
  return { rank: dims.length, axis, offset };
}
