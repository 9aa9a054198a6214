import { expect, it } from '@jest/globals';
import { ModelError } from '@dynaprompt/core';
import { Emitter, float32, floatsOf, openSession } from '@dynaprompt/onnx-autodiff';
import { copyComputation, supplyInput } from './copy-computation.js';
import { emptyGraph } from './testing/graphs.js';

/** y = exp(x · w) + w, with w = −2. */
function model(): { emit: Emitter; y: string } {
  const emit = new Emitter(emptyGraph());
  emit.input({ name: 'x', dataType: 1, dims: ['n'] });
  const weight = emit.neg(emit.float(2));
  return { emit, y: emit.add(emit.op('Exp', [emit.mul('x', weight)]), weight) };
}

it('runs a model twice, on shared weights', async () => {
  const { emit, y } = model();
  const { graph } = emit;
  emit.input({ name: 'z', dataType: 1, dims: ['n'] });
  const copy = copyComputation(graph, y, new Map([['x', 'z']]));
  emit.output('once', y);
  emit.output('again', copy);
  graph.prune();
  const operators = [...graph.nodes].map(({ opType }) => opType);
  expect(operators.filter((operator) => operator === 'Exp')).toHaveLength(2);
  expect(operators.filter((operator) => operator === 'Neg')).toHaveLength(1);
  const session = await openSession(graph);
  const results = await session.run({
    x: float32(Float32Array.of(0.5), [1]),
    z: float32(Float32Array.of(0.1), [1]),
  });
  await session.release();
  expect(floatsOf(results.once)[0]).toBeCloseTo(Math.exp(-1) - 2, 6);
  expect(floatsOf(results.again)[0]).toBeCloseTo(Math.exp(-0.2) - 2, 6);
});

it('gives back what depends on nothing that is replaced', () => {
  const { emit, y } = model();
  expect(copyComputation(emit.graph, y, new Map([['other', 'z']]))).toBe(y);
});

it('refuses control flow', () => {
  const { emit, y } = model();
  const body = { name: 'body', nodes: [], initializers: [], inputs: [], outputs: [] };
  emit.graph.add({
    opType: 'If',
    domain: '',
    inputs: ['condition'],
    outputs: ['branch'],
    attributes: new Map([['then_branch', { kind: 'graph', value: body }]]),
  });
  const sum = emit.add(y, 'branch');
  expect(() => copyComputation(emit.graph, sum, new Map([['x', 'z']]))).toThrow(ModelError);
});

it('puts a tensor in the place of an input', async () => {
  const { emit, y } = model();
  supplyInput(emit.graph, 'x', emit.floats(Float32Array.of(0.25), [1]));
  emit.output('y', y);
  expect(emit.graph.inputs.size).toBe(0);
  const session = await openSession(emit.graph);
  const results = await session.run({});
  await session.release();
  expect(floatsOf(results.y)[0]).toBeCloseTo(Math.exp(-0.5) - 2, 6);
});
