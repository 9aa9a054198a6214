import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from '@jest/globals';
import { appendLossGradient, prepareGraph } from '../differentiate.js';
import { InvalidInputError } from '../errors.js';
import { Emitter } from '../graph/emitter.js';
import type { Graph } from '../graph/graph.js';
import { DataType } from '../graph/types.js';
import { lowerToInt8 } from '../lower/int8.js';
import { findTokenEmbedding } from '../surgery/prompts.js';
import { inFolder } from '../testing/files.js';
import { buildGraph, buildModel, distance, floatInput, integerInput } from '../testing/models.js';
import { randomFloats } from '../testing/random.js';
import { openSession } from './session.js';
import { openSharedSessions } from './shared-sessions.js';
import { float32, floatsOf, int64, type TensorValue } from './tensor-value.js';

const bert = fileURLToPath(new URL('../../fixtures/bert-opset14/model.onnx', import.meta.url));
const tokens = int64(
  Array.from({ length: 10 }, (_, index) => index + 3),
  [2, 5],
);
const ones = int64(new Int32Array(10).fill(1), [2, 5]);

/** BERT with the gradient of its token embeddings. */
async function training(compute: 'float32' | 'int8'): Promise<Graph> {
  const graph = prepareGraph(bert);
  const { tensor } = findTokenEmbedding(graph);
  const { loss, gradients } = await appendLossGradient(graph, {
    withRespectTo: [tensor],
    objective: { kind: 'cross-entropy', output: 'logits' },
    compute,
    int8: { minimumExtent: 16 },
  });
  const emit = new Emitter(graph);
  emit.output('loss', loss);
  emit.output('gradient', gradients.get(tensor));
  return graph;
}

describe('sessions that share a model', () => {
  it.each(['float32', 'int8'] as const)('compute what they compute alone, in %s', async (compute) => {
    const graphs = { training: await training(compute), inference: prepareGraph(bert) };
    if (compute === 'int8') lowerToInt8(graphs.inference, undefined, { minimumExtent: 16 });
    const feeds = Object.fromEntries(
      [...graphs.inference.inputs.keys()].map((name) => [name, name === 'input_ids' ? tokens : ones]),
    );
    const feedsOf = {
      training: { ...feeds, labels: int64([0, 1], [2]) },
      inference: feeds,
    };
    const shared = await openSharedSessions(graphs, { threads: 1 });
    for (const name of ['inference', 'training', 'inference'] as const) {
      const alone = await openSession(graphs[name], { threads: 1 });
      const [expected, actual] = [await alone.run(feedsOf[name]), await shared[name].run(feedsOf[name])];
      await alone.release();
      expect([...shared[name].inputs]).toEqual([...alone.inputs]);
      expect(shared[name].outputs).toEqual(alone.outputs);
      expect(Object.keys(actual)).toEqual(Object.keys(expected));
      for (const [output, value] of Object.entries(expected)) {
        expect(actual[output]?.dims).toEqual(value.dims);
        expect(distance(actual[output], value)).toBeLessThan(1e-5);
      }
    }
    await shared.inference.release();
    await shared.training.release();
  });

  it('compute the same to the last bit, however many are loaded with them', async () => {
    await inFolder(async (folder) => {
      const file = join(folder, 'model.onnx');
      // Wide enough that a product over repacked weights is summed in another order than over plain ones.
      const bytes = buildModel((emit) => {
        const weight = emit.floats(randomFloats(1, 640 * 640), [640, 640]);
        emit.output('y', emit.op('MatMul', [floatInput(emit, 'x', 'n', 640), weight]));
      });
      writeFileSync(file, bytes);
      const feeds = { x: float32(randomFloats(2, 48 * 640), [48, 640]) };
      const results = [];
      for (const count of [1, 2, 3, 4]) {
        const graphs = Array.from({ length: count }, (_, index) => [`${index}`, prepareGraph(file)]);
        const shared = await openSharedSessions(Object.fromEntries(graphs) as Record<string, Graph>);
        for (const session of Object.values(shared)) results.push(await session.run(feeds));
        for (const session of Object.values(shared)) await session.release();
      }
      const { y } = results[0] ?? {};
      expect(results).toHaveLength(10);
      for (const result of results) expect(distance(result.y, y ?? feeds.x)).toBe(0);
    });
  });

  it('may use one name for different things, and inputs and outputs of any type', async () => {
    const doubled = buildGraph((emit) => {
      const x = floatInput(emit, 'x', 'n', 2);
      emit.graph.add({
        opType: 'Add',
        domain: '',
        inputs: [x, x],
        outputs: ['inner'],
        attributes: new Map(),
      });
      emit.output('y', 'inner');
    });
    const counted = buildGraph((emit) => {
      const x = integerInput(emit, 'x', 3);
      emit.graph.add({ opType: 'Neg', domain: '', inputs: [x], outputs: ['inner'], attributes: new Map() });
      emit.output('y', 'inner', DataType.int64);
      emit.output('x', 'x', DataType.int64);
    });
    const negated = buildGraph((emit) => {
      const flag = emit.input({ name: 'flag', dataType: DataType.bool, dims: [] });
      emit.output('y', emit.op('Not', [flag]), DataType.bool);
    });
    const shared = await openSharedSessions({ doubled, counted, negated });
    const flag: TensorValue = { type: 'bool', dims: [], data: Uint8Array.of(0) };
    const x = float32(Float32Array.of(1, 2), [1, 2]);
    expect((await shared.negated.run({ flag })).y).toMatchObject({ type: 'bool', data: Uint8Array.of(1) });
    const whole = int64([4, -5, 6], [3]);
    const { y, x: same } = await shared.counted.run({ x: whole });
    expect([y?.data, same?.data]).toEqual([int64([-4, 5, -6], [3]).data, whole.data]);
    await shared.negated.release();
    await shared.counted.release();
    await shared.counted.release();
    // Open until the last is released.
    expect([...floatsOf((await shared.doubled.run({ x })).y)]).toEqual([2, 4]);
    await shared.doubled.release();
  });

  it("map the model's file once", async () => {
    await inFolder(async (folder) => {
      const file = join(folder, 'model.onnx');
      const bytes = buildModel((emit) => {
        const weight = emit.floats(randomFloats(1, 256 * 256), [256, 256]);
        emit.output('y', emit.op('MatMul', [floatInput(emit, 'x', 'n', 256), weight]));
      });
      writeFileSync(file, bytes);
      const [a, b] = [prepareGraph(file), prepareGraph(file)];
      const x = float32(randomFloats(2, 256), [1, 256]);
      const shared = await openSharedSessions({ a, b }, { prepack: false });
      const joined = mappings(file);
      expect(await shared.a.run({ x })).toEqual(await shared.b.run({ x }));
      await Promise.all([shared.a.release(), shared.b.release()]);
      const apart = [await openSession(a, { prepack: false }), await openSession(b, { prepack: false })];
      const twice = mappings(file);
      for (const session of apart) await session.release();
      expect(joined > 0).toBe(process.platform === 'linux');
      expect(twice).toBe(2 * joined);
    });
  });

  it('check inputs by the names of their own graph', async () => {
    const graph = buildGraph((emit) => {
      emit.output('y', emit.neg(floatInput(emit, 'x', 2)));
    });
    const { only } = await openSharedSessions({ only: graph });
    const failure = only.run({ x: float32(new Float32Array(3), [3]) });
    await expect(failure).rejects.toThrow('input x: shape [3] does not fit. The graph takes x: float32[2]');
    expect(only.provider).toBe('cpu');
    const { y } = await only.run({ x: float32(Float32Array.of(1, 2), [2]) });
    expect([...floatsOf(y)]).toEqual([-1, -2]);
    await only.release();
  });

  it('are refused without a graph, or in different operator sets', async () => {
    await expect(openSharedSessions({})).rejects.toThrow(InvalidInputError);
    const build = (emit: Emitter): void => {
      emit.output('y', emit.neg(floatInput(emit, 'x', 2)));
    };
    const graphs = { a: buildGraph(build, 17), b: buildGraph(build, 18) };
    await expect(openSharedSessions(graphs)).rejects.toThrow('operator sets 17 and 18 of ai.onnx');
  });
});

/** How often the file is mapped into this process; 0 where the system does not tell. */
function mappings(file: string): number {
  if (process.platform !== 'linux') return 0;
  return readFileSync('/proc/self/maps', 'utf8')
    .split('\n')
    .filter((line) => line.endsWith(file)).length;
}
