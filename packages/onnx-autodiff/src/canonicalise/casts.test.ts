import { describe, expect, it } from '@jest/globals';
import type { Emitter } from '../graph/emitter.js';
import { DataType } from '../graph/types.js';
import { buildGraph, floatInput, integerInput } from '../testing/models.js';
import { dropAbsentInputs } from './absent-inputs.js';
import { dropIdleCasts } from './casts.js';

function castsLeft(build: (emit: Emitter) => string): number {
  const graph = buildGraph((emit) => {
    emit.output('y', emit.op('Neg', [build(emit)]));
  });
  dropIdleCasts(graph);
  return graph.sortedNodes().filter(({ opType }) => opType === 'Cast').length;
}
const x = (emit: Emitter): string => floatInput(emit, 'x', 2, 'T');
const toFloat = (emit: Emitter, tensor: string): string => emit.cast(tensor, DataType.float32);

describe('casts to the type that is there', () => {
  it.each<[string, (emit: Emitter) => string]>([
    ['of an input', (emit) => toFloat(emit, x(emit))],
    ['one after another', (emit) => toFloat(emit, toFloat(emit, x(emit)))],
    ['after arithmetic', (emit) => toFloat(emit, emit.op('Softmax', [emit.add(x(emit), emit.float(1))]))],
    ['of a choice', (emit) => toFloat(emit, emit.op('Where', [emit.op('IsNaN', [x(emit)]), 'x', 'x']))],
    ['of a shape', (emit) => emit.cast(emit.shape(x(emit)), DataType.int64)],
  ])('go: %s', (_name, build) => {
    expect(castsLeft(build)).toBe(0);
  });

  it.each<[string, number, (emit: Emitter) => string]>([
    ['integers', 1, (emit) => toFloat(emit, integerInput(emit, 'i', 2))],
    ['to half precision and back', 2, (emit) => toFloat(emit, emit.cast(x(emit), DataType.float16))],
    ['comparisons', 1, (emit) => toFloat(emit, emit.op('Less', [x(emit), 'x']))],
    ['operators of other domains', 1, (emit) => toFloat(emit, emit.fusedMatMul(x(emit), 'x', 0, 1))],
  ])('stay: %s', (_name, count, build) => {
    expect(castsLeft(build)).toBe(count);
  });

  it('stay where they name a graph output', () => {
    const graph = buildGraph((emit) => {
      emit.output(toFloat(emit, x(emit)));
    });
    dropIdleCasts(graph);
    expect(graph.sortedNodes()).toHaveLength(1);
  });
});

it('drops absent inputs at the end, not those between', () => {
  const graph = buildGraph((emit) => {
    const norm = emit.op('LayerNormalization', [x(emit), emit.floats(Float32Array.of(1, 2), [2]), '']);
    emit.output('y', emit.op('Clip', [norm, '', emit.float(1)]));
  });
  dropAbsentInputs(graph);
  expect(graph.sortedNodes().map(({ inputs }) => inputs.length)).toEqual([2, 3, 1]);
});
