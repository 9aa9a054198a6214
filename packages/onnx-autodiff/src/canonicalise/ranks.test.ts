import { expect, it } from '@jest/globals';
import type { Emitter } from '../graph/emitter.js';
import { DataType } from '../graph/types.js';
import { buildGraph, floatInput, integerInput } from '../testing/models.js';
import { knownRanks } from './ranks.js';

const MICROSOFT = { domain: 'com.microsoft' };
/** Some of the extents of x [B, S, 4]. */
const part = (emit: Emitter, start: number, end: number): string =>
  emit.op('Slice', [emit.shape('x'), emit.ints(start), emit.ints(end), emit.ints(0)]);

it.each<[string, (emit: Emitter) => string, number | undefined]>([
  [
    'leading extents and more',
    (emit) => emit.reshape('x', emit.concat([part(emit, 0, -1), emit.ints(2, -1)], 0)),
    4,
  ],
  [
    'extents that are picked',
    (emit) => emit.reshape('x', emit.concat([emit.extents('x', 0, 1), emit.ints(-1)], 0)),
    3,
  ],
  [
    'extents that are computed',
    (emit) => emit.reshape('x', emit.div(emit.extents('x', 0, 1), emit.ints(1))),
    2,
  ],
  ['part of a shape', (emit) => emit.reshape('x', emit.op('Shape', ['x'], { start: 1 })), undefined],
  ['an expansion', (emit) => emit.op('Expand', ['x', emit.ints(1, 1, 1, 1)]), 4],
  [
    'a quantised product',
    (emit) => {
      const [quantised = '', , zero = ''] = emit.node('DynamicQuantizeLinear', ['x'], {}, { outputs: 3 });
      return emit.op('MatMulInteger', [quantised, emit.cast(emit.ints(1), DataType.int8), zero]);
    },
    3,
  ],
  ['attention', (emit) => emit.node('Attention', ['x', 'w', 'w'], { num_heads: 2 }, MICROSOFT)[0] ?? '', 3],
  [
    'a present',
    (emit) =>
      emit.node('Attention', ['x', 'w', 'w'], { num_heads: 2 }, { ...MICROSOFT, outputs: 2 })[1] ?? '',
    5,
  ],
  ['an unknown operator', (emit) => emit.node('Unknown', ['x'], {}, MICROSOFT)[0] ?? '', undefined],
])('the rank of %s is known as far as the graph says it', (_name, build, rank) => {
  let tensor = '';
  const graph = buildGraph((emit) => {
    floatInput(emit, 'x', 'B', 'S', 4);
    integerInput(emit, 'w', 4);
    tensor = build(emit);
    emit.output('y', tensor);
  });
  expect(knownRanks(graph).get(tensor)).toBe(rank);
});
