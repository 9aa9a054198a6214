import { describe, expect, it } from '@jest/globals';
import { appendGradient, gradientShapes } from '../gradient.js';
import { Emitter } from '../graph/emitter.js';
import type { Graph } from '../graph/graph.js';
import { DataType } from '../graph/types.js';
import { float32, int64, type TensorValue } from '../session/tensor-value.js';
import { buildGraph, distance, evaluate, floatInput } from '../testing/models.js';
import { randomFloats } from '../testing/random.js';
import { fixReshapes } from './fixed-reshapes.js';
import { gatherRowsEarly, selectRowsEarly } from './select-rows.js';

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

/** Self-attention of two heads with a bias of all rows, as exporters write it, of which one row is read: y [B, 2]. */
function attentionEnd({ index = 0 }: Layer): Graph {
  return buildGraph((emit) => {
    const x = floatInput(emit, 'x', 'batch', 'length', WIDTH);
    const matrix = (seed: number, columns: number): string =>
      emit.floats(randomFloats(seed, WIDTH * columns), [WIDTH, columns]);
    const heads = (seed: number): string => {
      const projected = emit.op('MatMul', [x, matrix(seed, WIDTH)]);
      const shape = emit.concat([emit.extents(projected, 0, 1), emit.ints(2, 2)], 0);
      return emit.transpose(emit.reshape(projected, shape), [0, 2, 1, 3]);
    };
    const rows = emit.op('Softmax', [emit.reduceSum(x, [2], 1)], { axis: 1 });
    const bias = emit.unsqueeze(emit.op('MatMul', [rows, emit.transpose(rows, [0, 2, 1])]), [1]);
    const scores = emit.add(emit.fusedMatMul(heads(1), heads(2), 0, 1, 0.7), bias);
    const context = emit.op('MatMul', [emit.op('Softmax', [scores], { axis: -1 }), heads(3)]);
    const merged = emit.transpose(context, [0, 2, 1, 3]);
    const joined = emit.reshape(merged, emit.concat([emit.extents(merged, 0, 1), emit.ints(WIDTH)], 0));
    const row = emit.op('Gather', [emit.add(joined, x), emit.int(index)], { axis: 1 });
    emit.output('y', emit.op('MatMul', [row, matrix(6, 2)]));
  });
}

/** Output and gradient of x, with the row selected early or late. */
async function run(
  layer: Layer,
  early: boolean,
  build: (layer: Layer) => Graph = encoderEnd,
): Promise<{ moved: number; results: Record<string, TensorValue> }> {
  const graph = build(layer);
  const shapes = await gradientShapes(graph, ['x'], ['y']);
  if (early) fixReshapes(graph, shapes);
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

  it.each([0, 3, -1])('goes on through attention to the query of row %d', async (index) => {
    const early = await run({ index }, true, attentionEnd);
    const late = await run({ index }, false, attentionEnd);
    // The sum, both reshapes and transposes, both products and softmax, the bias, the query's projection.
    expect(early.moved).toBe(10);
    expect(distance(early.results.y, late.results.y)).toBeLessThan(1e-6);
    expect(distance(early.results.gradient, late.results.gradient)).toBeLessThan(1e-6);
  });

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

/** Rows of the gradient of x through a first layer: a normalisation, two projections and what mixes rows. */
async function firstLayer({ early = false, alsoRead = false }): Promise<{
  moved: number;
  results: Record<string, TensorValue>;
}> {
  const graph = buildGraph((emit) => {
    const x = floatInput(emit, 'x', 'batch', 'length', WIDTH);
    const vector = (seed: number): string => emit.floats(randomFloats(seed, WIDTH, 0.5, 1.5), [WIDTH]);
    const matrix = (seed: number): string => emit.floats(randomFloats(seed, WIDTH * WIDTH), [WIDTH, WIDTH]);
    const normalised = emit.op('LayerNormalization', [x, vector(1), vector(2)], { axis: -1 });
    const [left, right] = [3, 4].map((seed) => emit.op('MatMul', [normalised, matrix(seed)]));
    const mixed = emit.op('Softmax', [left ?? ''], { axis: 1 });
    emit.output('y', emit.add(emit.mul(mixed, right ?? ''), normalised));
  });
  const shapes = await gradientShapes(graph, ['x'], ['y']);
  const emit = new Emitter(graph);
  const dims = ['batch', 'length', WIDTH];
  const upstream = emit.input({ name: 'upstream', dataType: DataType.float32, dims });
  const gradients = appendGradient(graph, [{ tensor: 'y', gradient: upstream }], ['x'], shapes);
  const gradient = gradients.get('x') ?? '';
  const slots = emit.input({ name: 'slots', dataType: DataType.int64, dims: ['batch', 'prompt'] });
  const rows = emit.op('GatherND', [gradient, emit.unsqueeze(slots, [-1])], { batch_dims: 1 });
  if (alsoRead) emit.output('all', gradient);
  const moved = early ? gatherRowsEarly(graph, shapes, rows) : 0;
  emit.output('rows', rows);
  const results = await evaluate(graph, {
    x: float32(randomFloats(7, 3 * 5 * WIDTH), [3, 5, WIDTH]),
    upstream: float32(randomFloats(8, 3 * 5 * WIDTH), [3, 5, WIDTH]),
    slots: int64([0, 1, 4, 2, 3, 3], [3, 2]),
  });
  return { moved, results };
}

describe('gathering rows of a gradient early', () => {
  it('computes the gradients of the wanted rows alone, down to the products of the projections', async () => {
    const [early, late] = [await firstLayer({ early: true }), await firstLayer({})];
    // Eight elementwise operators and two means of the normalisation, two products, two sums of what arrives.
    expect(early.moved).toBeGreaterThanOrEqual(12);
    expect(early.results.rows?.dims).toEqual([3, 2, WIDTH]);
    expect(distance(early.results.rows, late.results.rows)).toBeLessThan(1e-6);
  });

  it('leaves a gradient alone that is read as a whole too', async () => {
    const both = await firstLayer({ early: true, alsoRead: true });
    expect(both.moved).toBe(0);
    expect(both.results.all?.dims).toEqual([3, 5, WIDTH]);
  });
});
