import { expect, it } from '@jest/globals';
import { prepareGraph } from '../differentiate.js';
import { OnnxAutodiffError } from '../errors.js';
import { writeModel } from '../codec/write-model.js';
import type { Emitter } from '../graph/emitter.js';
import { DataType, type Attribute, type GraphProto } from '../graph/types.js';
import { buildGraph, floatInput, nodeOf } from '../testing/models.js';
import { mutate } from '../testing/mutations.js';
import { functionBytes } from '../testing/wire-models.js';

const MICROSOFT = { domain: 'com.microsoft' };

function branch(opType: string): Attribute {
  const value: GraphProto = {
    name: opType,
    nodes: [nodeOf(opType, ['x'], [`${opType} of x`])],
    initializers: [],
    inputs: [],
    outputs: [{ name: `${opType} of x`, dataType: DataType.float32, dims: undefined }],
  };
  return { kind: 'graph', value };
}

/** A model of calls, branches, constants to fold and operators to decompose; its weights are inputs, so that it is small. */
function sample(): Uint8Array {
  const graph = buildGraph((emit: Emitter) => {
    const x = floatInput(emit, 'x', 'B', 'S', 8);
    const short = (name: string, ...dims: readonly string[]): string =>
      emit.input({ name, dataType: DataType.int32, dims });
    const [mask, lengths, total] = [short('mask', 'B', 'S'), short('lengths', 'B'), short('total')];
    const [w, v] = [floatInput(emit, 'w', 8, 24), floatInput(emit, 'v', 8)];
    const [cache, past] = [floatInput(emit, 'cache', 9, 2), floatInput(emit, 'past', 'B', 2, 'P', 4)];
    const heads = { num_heads: 2 };
    const contrib = (opType: string, inputs: readonly string[], values = {}): string =>
      emit.node(opType, inputs, values, MICROSOFT)[0] ?? '';
    let hidden = contrib('Attention', [x, w, '', mask], { ...heads, unidirectional: 1 });
    hidden = contrib('SkipLayerNormalization', [hidden, x, v, v, v]);
    hidden = contrib('MultiHeadAttention', [hidden, hidden, hidden, '', lengths], heads);
    hidden = contrib(
      'GroupQueryAttention',
      [hidden, hidden, hidden, past, past, lengths, total, cache, cache],
      {
        ...heads,
        kv_num_heads: 2,
        do_rotary: 1,
        local_window_size: 2,
      },
    );
    const positions = emit.op('Range', [emit.int(0), emit.int(6), emit.int(2)]);
    const places = emit.reshape(emit.op('Gather', [positions, emit.ints(1)]), emit.ints(-1));
    hidden = contrib('RotaryEmbedding', [hidden, places, cache, cache]);
    hidden = contrib('BiasGelu', [hidden, v]);
    hidden = emit.op('GroupNormalization', [hidden, v, v], { num_groups: 2 });
    emit.graph.add({ ...nodeOf('Local', [hidden], ['called']), domain: 'local' });
    const condition = emit.op('Not', [emit.op('Equal', [emit.int(1), emit.int(2)])]);
    const branches = new Map([
      ['then_branch', branch('Neg')],
      ['else_branch', branch('Abs')],
    ]);
    emit.graph.add(nodeOf('If', [condition], ['chosen'], branches));
    emit.output('y', emit.add('chosen', 'called'));
  });
  const slope: Attribute = { kind: 'reference', value: 'slope', type: 1 };
  const local = functionBytes({
    name: 'Local',
    domain: 'local',
    inputs: ['a'],
    outputs: ['b'],
    nodes: [nodeOf('LeakyRelu', ['a'], ['b'], new Map([['alpha', slope]]))],
    defaults: new Map([['slope', { kind: 'float', value: 0.2 }]]),
    opsets: new Map([['', 17]]),
  });
  return writeModel({ ...graph.toModel(), functions: [local] });
}

it('mutated models of fused operators, functions and branches are read or refused by name, 2,000 of them', () => {
  const original = sample();
  expect([...prepareGraph(original).nodes].map(({ domain }) => domain)).not.toContain('local');
  const start = performance.now();
  for (let seed = 0; seed < 2000; seed++) {
    try {
      prepareGraph(mutate(original, seed));
    } catch (error) {
      if (!(error instanceof OnnxAutodiffError)) throw new Error(`seed ${seed}`, { cause: error });
    }
  }
  expect(performance.now() - start).toBeLessThan(30_000);
});
