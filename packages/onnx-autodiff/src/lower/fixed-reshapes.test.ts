import { describe, expect, it } from '@jest/globals';
import { gradientShapes } from '../gradient.js';
import type { Graph } from '../graph/graph.js';
import { float32 } from '../session/tensor-value.js';
import { buildGraph, evaluate, floatInput } from '../testing/models.js';
import { randomFloats } from '../testing/random.js';
import { fixReshapes } from './fixed-reshapes.js';

/** x [batch, length, 6], reshaped to what the extents of x and numbers make up. */
function reshaping(...target: readonly (number | 'batch' | 'length' | 'batch·length')[]): Graph {
  return buildGraph((emit) => {
    const x = floatInput(emit, 'x', 'batch', 'length', 6);
    const batch = emit.extents(x, 0);
    const length = emit.extents(x, 1);
    const named = { batch, length, 'batch·length': emit.mul(batch, length) };
    const shape = emit.concat(
      target.map((extent) => (typeof extent === 'number' ? emit.ints(extent) : named[extent])),
      0,
    );
    emit.output('y', emit.neg(emit.reshape(x, shape)));
  });
}

async function fixed(graph: Graph): Promise<readonly number[] | undefined> {
  const before = await evaluate(graph, { x: float32(randomFloats(1, 3 * 5 * 6), [3, 5, 6]) });
  const count = fixReshapes(graph, await gradientShapes(graph, ['x'], ['y']));
  const after = await evaluate(graph, { x: float32(randomFloats(1, 3 * 5 * 6), [3, 5, 6]) });
  expect(after).toEqual(before);
  const reshape = [...graph.nodes].find(({ opType }) => opType === 'Reshape');
  const target = graph.constantValues(reshape?.inputs[1] ?? '');
  expect(count).toBe(target ? 1 : 0);
  if (target) expect(graph.sortedNodes().map(({ opType }) => opType)).not.toContain('Shape');
  return target;
}

describe('fixed reshapes', () => {
  it('copy leading extents and write static ones', async () => {
    expect(await fixed(reshaping('batch', 'length', 2, 3))).toEqual([0, 0, 2, 3]);
    expect(await fixed(reshaping('batch', 'length', -1))).toEqual([0, 0, 6]);
  });

  it('leave one other extent to be worked out', async () => {
    expect(await fixed(reshaping('batch·length', 6))).toEqual([-1, 6]);
    expect(await fixed(reshaping('batch', 6, 'length'))).toEqual([0, 6, -1]);
  });

  it('stay computed where two extents would have to be worked out', async () => {
    expect(await fixed(reshaping('length', 6, 'batch'))).toBeUndefined();
  });
});
