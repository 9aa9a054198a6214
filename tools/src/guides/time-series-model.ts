import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stream, type RandomStream } from '@dynaprompt/core';
import { DataType, Emitter, Graph } from '@dynaprompt/onnx-autodiff';

/** Extents of a small transformer for time series. */
const [CHANNELS, WIDTH, HEADS, LAYERS, INNER, POSITIONS] = [2, 16, 4, 2, 32, 64] as const;

/** What a file may differ in. */
export interface TimeSeriesOptions {
  /** The input `attention_mask` [B, T]; default true. */
  readonly hasMask?: boolean;
  /** Positions are added to the rows; default true. */
  readonly hasPositions?: boolean;
  /** Steps of every example; default: any number up to 64. */
  readonly steps?: number;
}

/**
 * Writes a backbone folder of a family that no adapter takes: a transformer that reads `values` [B, T, 2] step by step, pre-norm, with
 * learned positions. Its weights are drawn from a seed.
 */
export function writeTimeSeriesModel(folder: string, seed: number, options: TimeSeriesOptions = {}): void {
  mkdirSync(join(folder, 'onnx'), { recursive: true });
  writeFileSync(join(folder, 'onnx/model.onnx'), timeSeriesModel(seed, options));
  const config = { model_type: 'pulse', max_position_embeddings: POSITIONS };
  writeFileSync(join(folder, 'config.json'), `${JSON.stringify(config, undefined, 2)}\n`);
}

function timeSeriesModel(
  seed: number,
  { hasMask = true, hasPositions = true, steps }: TimeSeriesOptions,
): Uint8Array {
  const main = { name: 'pulse', nodes: [], initializers: [], inputs: [], outputs: [] };
  const graph = new Graph(
    { irVersion: 8, producer: 'dynaprompt', opsets: new Map([['', 17]]), graph: main, functions: [] },
    'time series model',
  );
  const emit = new Emitter(graph);
  const random = stream(seed, 'time series model');
  const length = steps ?? 'sequence_length';
  const values = emit.input({
    name: 'values',
    dataType: DataType.float32,
    dims: ['batch_size', length, CHANNELS],
  });
  const bias = hasMask ? maskBias(emit, length) : undefined;
  let rows = linear(emit, random, values, CHANNELS, WIDTH);
  if (hasPositions) rows = emit.add(rows, positionsOf(emit, random, values, steps));
  for (let layer = 0; layer < LAYERS; layer++) {
    rows = emit.add(rows, attention(emit, random, normalised(emit, rows), bias));
    const inner = gelu(emit, linear(emit, random, normalised(emit, rows), WIDTH, INNER));
    rows = emit.add(rows, linear(emit, random, inner, INNER, WIDTH));
  }
  emit.output('last_hidden_state', normalised(emit, rows));
  return graph.serialize();
}

/** [B, 1, 1, T] 0 for steps that are attended, −10⁹ for others. */
function maskBias(emit: Emitter, length: number | string): string {
  const mask = emit.input({ name: 'attention_mask', dataType: DataType.int64, dims: ['batch_size', length] });
  const isOff = emit.sub(emit.float(1), emit.cast(emit.unsqueeze(mask, [1, 2]), DataType.float32));
  return emit.scale(isOff, -1e9);
}

/** [1, T, d] the first T rows of a table. */
function positionsOf(emit: Emitter, random: RandomStream, values: string, steps: number | undefined): string {
  const table = drawn(emit, random, [1, steps ?? POSITIONS, WIDTH], 1);
  if (steps !== undefined) return table;
  return emit.op('Slice', [table, emit.ints(0), emit.extents(values, 1), emit.ints(1)]);
}

/** softmax(q kᵀ / √(d / H) + bias) v, projected, [B, T, d]. */
function attention(emit: Emitter, random: RandomStream, rows: string, bias: string | undefined): string {
  const heads = (order: readonly number[]): string => {
    const projected = emit.reshape(
      linear(emit, random, rows, WIDTH, WIDTH),
      emit.ints(0, 0, HEADS, WIDTH / HEADS),
    );
    return emit.transpose(projected, order);
  };
  const [queries, keys, values] = [heads([0, 2, 1, 3]), heads([0, 2, 3, 1]), heads([0, 2, 1, 3])];
  const scores = emit.scale(emit.op('MatMul', [queries, keys]), (WIDTH / HEADS) ** -0.5); // [B, H, T, T]
  const weights = emit.op('Softmax', [bias === undefined ? scores : emit.add(scores, bias)], { axis: -1 });
  const mixed = emit.transpose(emit.op('MatMul', [weights, values]), [0, 2, 1, 3]);
  return linear(emit, random, emit.reshape(mixed, emit.ints(0, 0, WIDTH)), WIDTH, WIDTH);
}

function normalised(emit: Emitter, rows: string): string {
  const [scale, shift] = [new Float32Array(WIDTH).fill(1), new Float32Array(WIDTH)];
  const inputs = [rows, emit.floats(scale, [WIDTH]), emit.floats(shift, [WIDTH])];
  return emit.op('LayerNormalization', inputs, { axis: -1, epsilon: { float: 1e-5 } });
}

/** x (1 + erf(x / √2)) / 2 */
function gelu(emit: Emitter, rows: string): string {
  const share = emit.add(emit.op('Erf', [emit.scale(rows, Math.SQRT1_2)]), emit.float(1));
  return emit.scale(emit.mul(rows, share), 0.5);
}

/** x W + b, weights from N(0, 1 / from). */
function linear(emit: Emitter, random: RandomStream, rows: string, from: number, to: number): string {
  const product = emit.op('MatMul', [rows, drawn(emit, random, [from, to], from ** -0.5)]);
  return emit.add(product, drawn(emit, random, [to], 0.1));
}

function drawn(emit: Emitter, random: RandomStream, dims: readonly number[], deviation: number): string {
  const size = dims.reduce((product, extent) => product * extent, 1);
  return emit.floats(
    new Float32Array(size).map(() => deviation * random.normal()),
    dims,
  );
}
