import { describe, expect, it } from '@jest/globals';
import { prepareGraph } from '../differentiate.js';
import { StructureNotFoundError } from '../errors.js';
import type { Emitter } from '../graph/emitter.js';
import { DataType } from '../graph/types.js';
import { attentionModel } from '../testing/attention-model.js';
import { buildGraph, floatInput } from '../testing/models.js';
import { randomFloats } from '../testing/random.js';
import { findLastHiddenState, findPatchEmbedding } from './structure.js';

const positions = (emit: Emitter, ...dims: readonly number[]): string =>
  emit.floats(
    randomFloats(
      1,
      dims.reduce((product, extent) => product * extent, 1),
    ),
    dims,
  );

describe('the patch embedding', () => {
  const patches = (emit: Emitter): string =>
    emit.reshape(floatInput(emit, 'pixel_values', 'batch', 3, 4, 4), emit.ints(0, 6, 8));

  it.each([
    ['on the right', (emit: Emitter): string => emit.add(patches(emit), positions(emit, 1, 6, 8))],
    ['on the left', (emit: Emitter): string => emit.add(positions(emit, 1, 6, 8), patches(emit))],
  ])('is the sum with positions %s', (_name, build) => {
    let sum = '';
    const graph = buildGraph((emit) => {
      sum = build(emit);
      emit.output('y', emit.add(sum, sum));
    });
    const found = findPatchEmbedding(graph);
    const table = [...graph.initializers.values()].find(({ dims }) => dims.join() === '1,6,8');
    expect(found).toEqual({ tensor: sum, tokens: 6, width: 8, positions: table?.name, special: 0 });
  });

  it('counts the rows that stand in front of the patches, perhaps in front of a cast', () => {
    const graph = buildGraph((emit) => {
      const rows = [positions(emit, 1, 1, 8), positions(emit, 1, 4, 8), patches(emit)];
      const joined = emit.cast(emit.concat(rows, 1), DataType.float32);
      emit.output('y', emit.add(joined, positions(emit, 1, 11, 8)));
    });
    expect(findPatchEmbedding(graph)).toMatchObject({ tokens: 11, special: 5 });
  });

  describe('with rows put behind the first one after the sum', () => {
    const withRows = (isBehindSum: boolean, count: number): ReturnType<typeof buildGraph> =>
      buildGraph((emit) => {
        const token = positions(emit, 1, 1, 8);
        const sum = emit.add(emit.concat([token, patches(emit)], 1), positions(emit, 1, 7, 8));
        const [one, end] = [emit.ints(1), emit.ints(Number.MAX_SAFE_INTEGER)];
        const first = emit.op('Slice', [sum, emit.ints(0), one, one]);
        const others = emit.op('Slice', [sum, one, end, one]);
        const registers = isBehindSum ? [positions(emit, 1, count, 8)] : [others];
        emit.output('y', emit.concat([first, ...registers, others], 1));
      });

    it.each([1, 4])('is those %i registers too, which have no positions', (count) => {
      const found = findPatchEmbedding(withRows(true, count));
      expect(found.tensor).toContain('Concat');
      expect(found).toMatchObject({ tokens: 7 + count, special: 1 + count, registers: count });
    });

    it('is the sum where the rows are no constants', () => {
      const found = findPatchEmbedding(withRows(false, 0));
      expect(found).toMatchObject({ tokens: 7, special: 1 });
      expect(found.registers).toBeUndefined();
    });
  });

  it.each([
    ['a bias', (emit: Emitter): string => emit.add(patches(emit), positions(emit, 8))],
    ['one position', (emit: Emitter): string => emit.add(patches(emit), positions(emit, 1, 1, 8))],
    [
      'positions of something else',
      (emit: Emitter): string => {
        const x = emit.reshape(floatInput(emit, 'x', 48), emit.ints(1, 6, 8));
        return emit.add(patches(emit), emit.add(x, positions(emit, 1, 6, 8)));
      },
    ],
  ])('is not found with %s', (_name, build) => {
    const graph = buildGraph((emit) => {
      emit.output('y', build(emit));
    });
    expect(() => findPatchEmbedding(graph)).toThrow(StructureNotFoundError);
  });
});

describe('the last hidden state', () => {
  it('is the normalised residual before the head', () => {
    const graph = prepareGraph(attentionModel({ layers: 2 }));
    const found = findLastHiddenState(graph, 'input_ids');
    expect(graph.producer(found)?.opType).toBe('LayerNormalization');
    const [reader] = graph.consumers(found);
    expect(reader?.outputs).toEqual(['hidden']);
  });

  it('is the residual itself without a normalisation', () => {
    let sum = '';
    const graph = buildGraph((emit) => {
      const x = floatInput(emit, 'x', 2, 4);
      sum = emit.add(x, emit.op('Tanh', [x]));
      emit.output('y', emit.add(emit.op('MatMul', [sum, positions(emit, 4, 3)]), positions(emit, 3)));
    });
    expect(findLastHiddenState(graph, 'x')).toBe(sum);
  });

  it('is not a sum behind attention by a query of the head', () => {
    let sum = '';
    const graph = buildGraph((emit) => {
      const x = floatInput(emit, 'x', 1, 6, 4);
      sum = emit.add(x, emit.op('Tanh', [x]));
      const scores = emit.op('MatMul', [positions(emit, 1, 1, 4), emit.transpose(sum, [0, 2, 1])]);
      const pooled = emit.op('MatMul', [emit.op('Softmax', [scores]), sum]);
      emit.output('y', emit.add(pooled, emit.op('Tanh', [pooled])));
    });
    expect(findLastHiddenState(graph, 'x')).toBe(sum);
  });

  it('is not found without a residual', () => {
    const graph = buildGraph((emit) => {
      emit.output('y', emit.add(floatInput(emit, 'x', 2), positions(emit, 2)));
    });
    expect(() => findLastHiddenState(graph, 'x')).toThrow(StructureNotFoundError);
    expect(() => findLastHiddenState(graph, 'x')).toThrow('depends on x');
  });
});
