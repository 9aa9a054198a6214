import { describe, expect, it } from '@jest/globals';
import { appendGradient, gradientShapes } from '../gradient.js';
import { Emitter } from '../graph/emitter.js';
import type { Graph } from '../graph/graph.js';
import { DataType } from '../graph/types.js';
import { float32, type TensorValue } from '../session/tensor-value.js';
import { buildGraph, distance, evaluate, floatInput } from '../testing/models.js';
import { randomFloats } from '../testing/random.js';
import { selectRowsEarly } from './select-rows.js';

const WIDTH = 4;

interface Layer {
  readonly index?: number;
  /** Adds another reader to the feed-forward part's output. */
  readonly alsoRead?: boolean;
}

/** The end of an encoder: x + f(x), normalised, of which one row is read: y = row · weight, [B, 2]. */
function encoderEnd({ index = 0, alsoRead = false }: Layer): Graph {
  return buildGraph((emit) => {
    const x = floatInput(emit, 'x', 'batch', 'length', WIDTH);
    const matrix = (seed: number, rows: number, columns: number): string =>
      emit.floats(randomFloats(seed, rows * columns), [rows, columns]);
    const vector = (seed: number, size: number): string =>
      emit.floats(randomFloats(seed, size, 0.5, 1.5), [size]);
    // What stands before the last layer mixes rows.
    const mixed = emit.op('Softmax', [x], { axis: 1 });
    const inner = emit.add(emit.op('MatMul', [mixed, matrix(1, WIDTH, 8)]), vector(2, 8));
    const [activated = ''] = emit.node('Gelu', [inner], {}, { domain: 'com.microsoft' });
    const outer = emit.op('MatMul', [activated, matrix(3, 8, WIDTH)]);
    const sum = emit.add(outer, mixed);
    const hidden = emit.op('LayerNormalization', [sum, vector(4, WIDTH), vector(5, WIDTH)], { axis: -1 });
    const row = emit.op('Gather', [hidden, emit.int(index)], { axis: 1 });
    emit.output('y', emit.op('MatMul', [row, matrix(6, WIDTH, 2)]));
    if (alsoRead) emit.output('all', emit.reduceSum(outer, [1, 2], 0));
  });
}

/** Output and gradient of x, with the row selected early or late. */
async function run(
  layer: Layer,
  early: boolean,
): Promise<{ moved: number; results: Record<string, TensorValue> }> {
  const graph = encoderEnd(layer);
  const shapes = await gradientShapes(graph, ['x'], ['y']);
  const moved = early ? selectRowsEarly(graph, shapes) : 0;
  const emit = new Emitter(graph);
  const upstream = emit.input({ name: 'upstream', dataType: DataType.float32, dims: ['batch', 2] });
  const gradients = appendGradient(graph, [{ tensor: 'y', gradient: upstream }], ['x'], shapes);
  emit.output('gradient', gradients.get('x') ?? '');
  const results = await evaluate(graph, {
    x: float32(randomFloats(7, 3 * 5 * WIDTH), [3, 5, WIDTH]),
    upstream: float32(randomFloats(8, 6), [3, 2]),
  });
  return { moved, results };
}

describe('selecting rows early', () => {
  it.each([0, 2, -1, -2])(
    'moves the selection of row %d below the last layer and changes no value',
    async (index) => {
      const [early, late] = [await run({ index }, true), await run({ index }, false)];
      expect(early.moved).toBe(6);
      expect(distance(early.results.y, late.results.y)).toBeLessThan(1e-6);
      expect(distance(early.results.gradient, late.results.gradient)).toBeLessThan(1e-6);
    },
  );

  it('stops where another reader needs every row', async () => {
    const [early, late] = [await run({ alsoRead: true }, true), await run({ alsoRead: true }, false)];
    expect(early.moved).toBe(2);
    expect(distance(early.results.all, late.results.all)).toBeLessThan(1e-6);
    expect(distance(early.results.gradient, late.results.gradient)).toBeLessThan(1e-6);
  });

  it('leaves operators that mix rows alone', async () => {
    const graph = buildGraph((emit) => {
      const x = floatInput(emit, 'x', 'batch', 'length', WIDTH);
      const mixed = emit.op('Softmax', [x], { axis: 1 });
      emit.output('y', emit.op('Gather', [mixed, emit.int(0)], { axis: 1 }));
    });
    expect(selectRowsEarly(graph, await gradientShapes(graph, ['x'], ['y']))).toBe(0);
  });
});
