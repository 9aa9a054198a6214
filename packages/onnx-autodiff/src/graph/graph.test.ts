import { describe, expect, it } from '@jest/globals';
import { MalformedModelError } from '../errors.js';
import { buildGraph, floatInput, nodeOf } from '../testing/models.js';
import { Emitter } from './emitter.js';
import { Graph } from './graph.js';
import { toInt64 } from './integers.js';

function chain(): { graph: Graph; emit: Emitter; hidden: string } {
  const graph = buildGraph((emit) => {
    floatInput(emit, 'x', 2);
  });
  const emit = new Emitter(graph);
  const hidden = emit.neg('x');
  emit.output('y', emit.add(hidden, emit.op('Exp', [hidden])));
  return { graph, emit, hidden };
}

describe('a graph', () => {
  it('knows producers and readers', () => {
    const { graph, hidden } = chain();
    expect(graph.producer(hidden)?.opType).toBe('Neg');
    expect(graph.consumers(hidden).map((node) => node.opType)).toEqual(
      expect.arrayContaining(['Exp', 'Add']),
    );
    expect(graph.producer('x')).toBeUndefined();
    expect([graph.has('x'), graph.has('y'), graph.has('z')]).toEqual([true, true, false]);
  });

  it('lets readers read another tensor, save some', () => {
    const { graph, emit, hidden } = chain();
    const doubled = emit.add(hidden, hidden);
    const sum = graph.producer(doubled);
    graph.replaceUses(hidden, doubled, sum ? [sum] : []);
    expect(graph.consumers(hidden)).toEqual([sum]);
    expect(graph.consumers(doubled)).toHaveLength(2);
  });

  it('sorts nodes after what they read, and leaves out what no output needs', () => {
    const { graph, emit, hidden } = chain();
    emit.op('Sin', [hidden]);
    expect(graph.sortedNodes().map((node) => node.opType)).toEqual(['Neg', 'Exp', 'Add', 'Identity']);
    graph.prune();
    expect([...graph.nodes]).toHaveLength(4);
  });

  it('prunes constants that nothing reads, and keeps those that are outputs', () => {
    const { graph, emit } = chain();
    const [unused, output] = [emit.float(1), emit.float(2)];
    emit.output(output);
    graph.prune();
    expect([graph.has(unused), graph.has(output)]).toEqual([false, true]);
  });

  it('is copied independently', () => {
    const { graph } = chain();
    const copy = graph.clone();
    copy.outputs.clear();
    copy.prune();
    expect([...copy.nodes]).toHaveLength(0);
    expect([...graph.nodes]).toHaveLength(4);
  });

  it('gives names that neither tensors nor nodes have, in a copy and after a round trip too', () => {
    const { graph } = chain();
    for (const other of [graph, graph.clone(), Graph.read(graph.serialize())]) {
      const taken = new Set([...other.nodes].flatMap((node) => [node.name, ...node.outputs]));
      for (let count = 0; count < 20; count++) expect(taken).not.toContain(other.fresh('Identity'));
    }
  });

  it('refuses a second producer', () => {
    const { graph } = chain();
    expect(() => graph.add(nodeOf('Neg', ['x'], ['y']))).toThrow(MalformedModelError);
    expect(() => graph.add(nodeOf('Neg', ['y'], ['x']))).toThrow('produced twice');
  });

  it('reads constants of any rank as numbers', () => {
    const { graph, emit } = chain();
    expect(graph.scalar(emit.floats(Float32Array.of(2), [1, 1]))).toBe(2);
    expect(graph.scalar(emit.ints(1, 2))).toBeUndefined();
    expect(graph.constantValues(emit.ints(1, -2))).toEqual([1, -2]);
    expect([graph.scalar('x'), graph.scalar(undefined)]).toEqual([undefined, undefined]);
  });
});

describe('whole numbers', () => {
  it('become the nearest int64', () => {
    expect([2 ** 63, -(2 ** 63), 2 ** 64, -(2 ** 64), 5].map(toInt64)).toEqual([
      2n ** 63n - 1n,
      -(2n ** 63n),
      2n ** 63n - 1n,
      -(2n ** 63n),
      5n,
    ]);
  });
});
