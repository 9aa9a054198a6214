import { describe, expect, it } from '@jest/globals';
import { activeTensors } from '../activity.js';
import { StructureNotFoundError } from '../errors.js';
import type { Graph } from '../graph/graph.js';
import { float32, floatsOf } from '../session/tensor-value.js';
import { buildGraph, evaluate, floatInput, relativeError } from '../testing/models.js';
import { randomFloats } from '../testing/random.js';
import { findRowConvolutions, gateConvolutions } from './convolution-gates.js';

const [LENGTH, WIDTH] = [4, 3];
const rows = randomFloats(1, LENGTH * WIDTH);
const gates = [1, 0.5, 0, 1];

/** Conv over the rows of x [1, T, d] as DeBERTa-v2 has it, and the bias of the gates. */
function graphOf(kernel: readonly number[], gated: boolean): Graph {
  return buildGraph((emit) => {
    const x = floatInput(emit, 'x', 1, LENGTH, WIDTH);
    const bias = floatInput(emit, 'bias', 1, LENGTH);
    const turned = emit.transpose(x, [0, 2, 1]);
    const input = kernel.length === 1 ? turned : emit.unsqueeze(turned, [3]);
    const size = kernel.reduce((product, extent) => product * extent, WIDTH * WIDTH);
    const weight = emit.floats(randomFloats(2, size), [WIDTH, WIDTH, ...kernel]);
    const pads = [...kernel, ...kernel].map((extent) => (extent - 1) / 2);
    emit.output('y', emit.op('Conv', [input, weight], { pads }));
    if (!gated) return;
    gateConvolutions(emit, findRowConvolutions(emit.graph, activeTensors(emit.graph, ['x'])), bias);
  });
}

async function run(graph: Graph, values: Float32Array): Promise<Float32Array> {
  const bias = Float32Array.from(gates, (gate) => (gate === 0 ? -1e30 : Math.log(gate)));
  const feeds = { x: float32(values, [1, LENGTH, WIDTH]), bias: float32(bias, [1, LENGTH]) };
  return floatsOf((await evaluate(graph, feeds)).y);
}

describe('convolutions over the sequence', () => {
  it('read rows times their gates', async () => {
    const scaled = rows.map((value, index) => value * (gates[Math.floor(index / WIDTH)] ?? 0));
    const [actual, expected] = [await run(graphOf([3], true), rows), await run(graphOf([3], false), scaled)];
    expect(relativeError(actual, expected)).toBeLessThan(1e-6);
  });

  it('of single rows stay as they are', () => {
    expect(graphOf([1], true).consumers('bias')).toEqual([]);
    expect(graphOf([1, 1], true).consumers('bias')).toEqual([]);
  });

  it('over several axes are refused', () => {
    expect(() => graphOf([3, 3], true)).toThrow(StructureNotFoundError);
    expect(() => graphOf([3, 3], true)).toThrow('several axes');
  });
});
