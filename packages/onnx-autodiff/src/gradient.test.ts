import { describe, expect, it } from '@jest/globals';
import { appendLossGradient, differentiate } from './differentiate.js';
import { UnsupportedOperatorError } from './errors.js';
import { Emitter } from './graph/emitter.js';
import { DataType, type Attribute } from './graph/types.js';
import { differentiableOperators, PIECEWISE_CONSTANT } from './rules/index.js';
import { float32, floatsOf, type TensorValue } from './session/tensor-value.js';
import { expectGradient, gradientThrough } from './testing/gradient-cases.js';
import {
  buildGraph,
  buildModel,
  evaluate,
  floatInput,
  integerInput,
  nodeOf,
  tensorOf,
} from './testing/models.js';

const one = float32(Float32Array.of(3), [1]);

/** Gradients of one output with respect to tensors, at inputs of 3 and an upstream of 1. */
async function gradientsOf(
  build: (emit: Emitter) => string,
  withRespectTo: readonly string[],
  feeds: Readonly<Record<string, TensorValue>> = { x: one },
): Promise<Record<string, number[]>> {
  const model = buildModel((emit) => {
    emit.output('y', build(emit));
  });
  const session = await differentiate(model, {
    withRespectTo,
    objective: { kind: 'vector-jacobian', output: 'y' },
  });
  try {
    const { gradients } = await session.run({ ...feeds, upstream: float32(Float32Array.of(1), [1]) });
    return Object.fromEntries(Object.entries(gradients).map(([name, value]) => [name, [...floatsOf(value)]]));
  } finally {
    await session.release();
  }
}

describe('the reverse walk', () => {
  it('adds up what arrives from several readers', async () => {
    await expectGradient(
      gradientThrough({ x: [2, 3] }, (emit, x) => {
        const hidden = emit.op('Tanh', [x]);
        return emit.add(emit.add(emit.mul(hidden, hidden), emit.op('Exp', [hidden])), emit.mul(x, hidden));
      }),
    );
  });

  it('goes through a chain of 300 operators', async () => {
    await expectGradient(
      gradientThrough({ x: [3] }, (emit, x) => {
        let value = x;
        for (let index = 0; index < 300; index++) value = emit.op(index % 2 ? 'Sin' : 'Tanh', [value]);
        return emit.scale(value, 100);
      }),
    );
  });

  it('gives zeros where the output does not depend on a source', async () => {
    const build = (emit: Emitter): string => {
      floatInput(emit, 'z', 1);
      return emit.neg(floatInput(emit, 'x', 1));
    };
    expect(await gradientsOf(build, ['x', 'z'], { x: one, z: one })).toEqual({ x: [-1], z: [0] });
  });

  it('gives zeros through operators that change in steps only', async () => {
    const build = (emit: Emitter): string => {
      const x = floatInput(emit, 'x', 1);
      return emit.op('Floor', [emit.mul(x, x)]);
    };
    expect(await gradientsOf(build, ['x'])).toEqual({ x: [0] });
  });

  it('differentiates the output with respect to itself', async () => {
    expect(await gradientsOf((emit) => emit.neg(floatInput(emit, 'x', 1)), ['y'])).toEqual({ y: [1] });
  });

  it('differentiates with respect to a tensor inside the graph and to the input it is made from', async () => {
    const build = (emit: Emitter): string => {
      const x = floatInput(emit, 'x', 1);
      emit.graph.add(nodeOf('Mul', [x, x], ['h']));
      return emit.add(emit.mul('h', 'h'), x);
    };
    // y = x⁴ + x: dy/dh = 2 x², dy/dx = 4 x³ + 1
    expect(await gradientsOf(build, ['x', 'h'])).toEqual({ x: [109], h: [18] });
  });

  it('differentiates a tensor that no output needs', async () => {
    const graph = buildGraph((emit) => {
      const x = floatInput(emit, 'x', 1);
      emit.output('y', emit.neg(x));
      emit.graph.add(nodeOf('Mul', [x, x], ['square']));
    });
    const { gradients } = await appendLossGradient(graph, {
      withRespectTo: ['x'],
      objective: { kind: 'vector-jacobian', output: 'square' },
    });
    new Emitter(graph).output('gradient', gradients.get('x'));
    const { gradient } = await evaluate(graph, { x: one, upstream: float32(Float32Array.of(1), [1]) });
    expect([...floatsOf(gradient)]).toEqual([6]);
  });

  it('differentiates with respect to a weight', async () => {
    const build = (emit: Emitter): string => {
      emit.graph.initializers.set('w', tensorOf('w', DataType.float32, [1], Float32Array.of(5)));
      return emit.mul(floatInput(emit, 'x', 1), emit.mul('w', 'w'));
    };
    expect(await gradientsOf(build, ['w'])).toEqual({ w: [30] });
  });

  it('runs on any extents, whatever it was probed with', async () => {
    const model = buildModel((emit) => {
      const x = floatInput(emit, 'x', 'batch', 'length', 4);
      emit.output(
        'y',
        emit.op('ReduceSum', [emit.op('Softmax', [x], { axis: 1 }), emit.ints(2)], { keepdims: 0 }),
      );
    });
    const session = await differentiate(model, {
      withRespectTo: ['x'],
      objective: { kind: 'vector-jacobian', output: 'y' },
    });
    for (const [batch, length] of [
      [1, 1],
      [1, 9],
      [3, 2],
      [6, 50],
    ] as const) {
      const { gradients } = await session.run({
        x: float32(new Float32Array(batch * length * 4), [batch, length, 4]),
        upstream: float32(new Float32Array(batch * length).fill(1), [batch, length]),
      });
      expect(gradients.x?.dims).toEqual([batch, length, 4]);
    }
    await session.release();
  });
});

describe('what has no gradient', () => {
  const failure = async (build: (emit: Emitter) => string, source = 'x'): Promise<string> => {
    try {
      await gradientsOf(build, [source]);
    } catch (error) {
      expect(error).toBeInstanceOf(UnsupportedOperatorError);
      return error instanceof Error ? error.message : '';
    }
    throw new Error('it has a gradient');
  };

  it('names operator, node, model and what is supported', async () => {
    const message = await failure((emit) => {
      emit.graph.add({ ...nodeOf('Det', [floatInput(emit, 'x', 2, 2)], ['d']), name: '/layer/Det' });
      return emit.unsqueeze('d', [0]);
    });
    expect(message).toContain('model in memory, node /layer/Det (Det)');
    for (const operator of differentiableOperators) expect(message).toContain(operator);
    expect(message).not.toContain('\n');
  });

  it('names operators of other domains with their domain', async () => {
    const microsoft = { domain: 'com.microsoft' };
    const message = await failure(
      (emit) => emit.node('Rfft', [floatInput(emit, 'x', 1)], {}, microsoft)[0] ?? '',
    );
    expect(message).toContain('(com.microsoft.Rfft)');
  });

  it('accepts such an operator off the path', async () => {
    const build = (emit: Emitter): string => {
      const z = floatInput(emit, 'z', 2, 2);
      return emit.mul(floatInput(emit, 'x', 1), emit.op('Det', [z]));
    };
    const z = float32(Float32Array.of(1, 0, 0, 1), [2, 2]);
    expect(await gradientsOf(build, ['x'], { x: one, z })).toEqual({ x: [1] });
  });

  it('refuses branches that read an active tensor from outside', async () => {
    const message = await failure((emit) => {
      const x = floatInput(emit, 'x', 1);
      const hidden = emit.mul(x, x);
      emit.input({ name: 'c', dataType: DataType.bool, dims: [] });
      const branch = (name: string, opType: string): Attribute => ({
        kind: 'graph',
        value: {
          name,
          nodes: [nodeOf(opType, [hidden], [name])],
          initializers: [],
          inputs: [],
          outputs: [{ name, dataType: DataType.float32, dims: undefined }],
        },
      });
      const attributes = new Map([
        ['then_branch', branch('then', 'Neg')],
        ['else_branch', branch('else', 'Abs')],
      ]);
      emit.graph.add(nodeOf('If', ['c'], ['chosen'], attributes));
      return 'chosen';
    });
    expect(message).toContain('(If): no gradient: its condition is not known before the model runs');
  });

  it('refuses integer sources, bounds of Clip and second outputs', async () => {
    const table = (emit: Emitter): string => emit.floats(Float32Array.of(1, 2), [2]);
    expect(await failure((emit) => emit.op('Gather', [table(emit), integerInput(emit, 'x', 1)]))).toContain(
      '(Gather)',
    );
    expect(
      await failure((emit) => emit.op('Clip', [emit.float(1), emit.squeeze(floatInput(emit, 'x', 1), [0])])),
    ).toContain('none for input 1');
    expect(
      await failure((emit) => {
        const gamma = emit.floats(Float32Array.of(1, 1), [2]);
        const [y = '', mean = ''] = emit.node(
          'LayerNormalization',
          [floatInput(emit, 'x', 1, 2), gamma],
          {},
          { outputs: 3 },
        );
        return emit.add(y, mean);
      }),
    ).toContain('an output of it other than the first');
  });
});

describe('the rule table', () => {
  it('is sorted, holds every operator once, and none that ends a gradient', () => {
    expect([...differentiableOperators].sort()).toEqual(differentiableOperators);
    expect(new Set(differentiableOperators).size).toBe(differentiableOperators.length);
    expect(differentiableOperators.filter((operator) => PIECEWISE_CONSTANT.has(operator))).toEqual([]);
  });
});
