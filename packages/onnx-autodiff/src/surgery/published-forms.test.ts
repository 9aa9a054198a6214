import { describe, expect, it } from '@jest/globals';
import { StructureNotFoundError } from '../errors.js';
import type { Emitter } from '../graph/emitter.js';
import type { Graph } from '../graph/graph.js';
import { DataType } from '../graph/types.js';
import { float32, type TensorValue } from '../session/tensor-value.js';
import {
  buildGraph,
  distance,
  evaluate,
  floatInput,
  integerInput,
  nodeOf,
  tensorOf,
} from '../testing/models.js';
import { randomFloats } from '../testing/random.js';
import { addKeyBias } from './attention.js';
import { findTokenEmbedding, injectPrompts } from './prompts.js';
import { findLastHiddenState, findPatchEmbedding } from './structure.js';

const constant = (emit: Emitter, ...dims: readonly number[]): string =>
  emit.floats(
    randomFloats(
      1,
      dims.reduce((product, extent) => product * extent, 1),
    ),
    dims,
  );

describe('token embeddings', () => {
  it.each<[string, (emit: Emitter, ids: string) => string]>([
    ['flattened ids (GPT-2, T5)', (emit, ids) => emit.reshape(ids, emit.ints(-1, 3))],
    ['ids cast and flattened', (emit, ids) => emit.reshape(emit.cast(ids, DataType.int32), emit.ints(-1, 3))],
  ])('are looked up by %s', (_name, prepare) => {
    let lookup = '';
    const graph = buildGraph((emit) => {
      const ids = prepare(emit, integerInput(emit, 'input_ids', 'B', 3));
      lookup = emit.op('Gather', [constant(emit, 7, 4), ids]);
      emit.output('y', lookup);
    });
    expect(findTokenEmbedding(graph)).toMatchObject({ tensor: lookup, vocabulary: 7, width: 4 });
  });

  it('are not looked up by positions that are counted from ids', () => {
    const graph = buildGraph((emit) => {
      const positions = emit.op('CumSum', [integerInput(emit, 'input_ids', 'B', 3), emit.int(1)]);
      emit.output('y', emit.op('Gather', [constant(emit, 7, 4), positions]));
    });
    expect(() => findTokenEmbedding(graph)).toThrow(StructureNotFoundError);
  });

  it('take prompts beside those of another tensor', () => {
    const graph = buildGraph((emit) => {
      for (const name of ['a', 'b']) {
        emit.output(`y.${name}`, emit.op('Neg', [emit.op('Tanh', [floatInput(emit, name, 'B', 'T', 4)])]));
      }
    });
    const tensors = ['y.a', 'y.b'].map((output) => graph.producer(output)?.inputs[0] ?? '');
    const [first, second] = tensors.map((tensor, index) => injectPrompts(graph, tensor, 4, `.${index}`));
    expect([first?.prompts, second?.order]).toEqual(['prompt_embeddings.0', 'prompt_order.1']);
    expect(() => injectPrompts(graph, 'y.a', 4, '.0')).toThrow('prompt_embeddings.0');
  });
});

describe('patch embeddings', () => {
  const patches = (emit: Emitter): string =>
    emit.reshape(floatInput(emit, 'pixel_values', 'B', 3, 'height', 'width'), emit.ints(0, -1, 8));
  const withClass = (emit: Emitter): string => emit.concat([constant(emit, 1, 1, 8), patches(emit)], 1);
  const find = (
    build: (emit: Emitter) => string,
  ): ReturnType<typeof findPatchEmbedding> & { sum: string } => {
    let sum = '';
    const graph = buildGraph((emit) => {
      sum = build(emit);
      emit.output('y', emit.op('Neg', [sum]));
    });
    return { ...findPatchEmbedding(graph), sum };
  };

  it('have positions from a table (CLIP, SigLIP)', () => {
    const found = find((emit) => {
      const places = tensorOf('places', DataType.int64, [1, 6], BigInt64Array.of(0n, 1n, 2n, 3n, 4n, 5n));
      emit.graph.initializers.set('places', places);
      return emit.add(patches(emit), emit.op('Gather', [constant(emit, 6, 8), 'places']));
    });
    expect(found).toMatchObject({ tensor: found.sum, tokens: 6, width: 8 });
  });

  it('have positions from a table of codes', () => {
    const found = find((emit) => {
      emit.graph.initializers.set(
        'places',
        tensorOf('places', DataType.int64, [1, 3], BigInt64Array.of(2n, 0n, 1n)),
      );
      emit.graph.initializers.set('codes', tensorOf('codes', DataType.uint8, [3, 8], new Uint8Array(24)));
      emit.graph.initializers.set('zero', tensorOf('zero', DataType.uint8, [], Uint8Array.of(128)));
      const rows = emit.op('Gather', ['codes', 'places']);
      return emit.add(patches(emit), emit.op('DequantizeLinear', [rows, emit.float(0.5), 'zero']));
    });
    expect(found).toMatchObject({ tensor: found.sum, tokens: 3, width: 8 });
  });

  it('have positions that are resized to the image (DINOv2)', () => {
    const found = find((emit) => {
      const rows = emit.mul(emit.extents('pixel_values', 2), emit.ints(2));
      const resized = emit.op('Expand', [
        constant(emit, 1, 1, 8),
        emit.concat([emit.ints(1), rows, emit.ints(8)], 0),
      ]);
      return emit.add(withClass(emit), emit.concat([constant(emit, 1, 1, 8), resized], 1));
    });
    expect(found).toMatchObject({ tensor: found.sum, tokens: undefined, width: 8 });
  });

  it('stand behind the class token where there are no positions (BEiT)', () => {
    const found = find(withClass);
    expect(found).toMatchObject({ tensor: found.sum, tokens: undefined, width: 8 });
  });

  it('are refused in windows (Swin)', () => {
    const build = (emit: Emitter): string => {
      const sum = emit.add(withClass(emit), constant(emit, 1, 5, 8));
      return emit.transpose(emit.reshape(sum, emit.ints(0, 1, 2, 1, 2, 8)), [0, 1, 3, 2, 4, 5]);
    };
    expect(() => find(build)).toThrow(StructureNotFoundError);
    expect(() => find(build)).toThrow('windows');
  });
});

describe('the last hidden state', () => {
  const residual = (emit: Emitter, x: string): string => emit.add(x, emit.op('Tanh', [x]));
  const find = (build: (emit: Emitter, x: string) => void): { graph: Graph; found: string } => {
    const graph = buildGraph((emit) => {
      build(emit, floatInput(emit, 'x', 'B', 'T', 4));
    });
    return { graph, found: findLastHiddenState(graph, 'x') };
  };

  it('is the output that has its name', () => {
    const { found } = find((emit, x) => {
      emit.output('last_hidden_state', emit.op('Exp', [residual(emit, x)]));
      emit.output('pooled', residual(emit, 'last_hidden_state'));
    });
    expect(found).toBe('last_hidden_state');
  });

  it('is what the head reads where the output is a cast of it', () => {
    let hidden = '';
    const { found } = find((emit, x) => {
      hidden = emit.op('Exp', [residual(emit, x)]);
      const to = new Map([['to', { kind: 'int', value: DataType.float32 }]] as const);
      emit.graph.add(nodeOf('Cast', [hidden], ['last_hidden_state'], to));
      emit.output('last_hidden_state');
      emit.output('pooled', residual(emit, hidden));
    });
    expect(found).toBe(hidden);
  });

  it('is not the mean of two heads (DeiT)', () => {
    let sum = '';
    const { found } = find((emit, x) => {
      sum = residual(emit, x);
      const [a, b] = ['Exp', 'Neg'].map((head) => emit.op(head, [sum]));
      emit.output('logits', emit.scale(emit.add(a ?? '', b ?? ''), 0.5));
    });
    expect(found).toBe(sum);
  });

  it('is normalised behind a cast or a reshape, also of flattened rows (OPT)', () => {
    let normalised = '';
    const { found } = find((emit, x) => {
      const flat = emit.reshape(x, emit.ints(-1, 4));
      const sum = emit.add(flat, emit.op('Tanh', [emit.reshape(x, emit.ints(-1, 4))]));
      const back = emit.cast(emit.reshape(sum, emit.shape(x)), DataType.float32);
      normalised = emit.op('LayerNormalization', [back, constant(emit, 4)]);
      emit.output('logits', emit.op('Exp', [normalised]));
    });
    expect(found).toBe(normalised);
  });
});

describe('key biases', () => {
  const [BATCH, LENGTH, HEADS, SIZE] = [2, 3, 2, 4];
  type Attention = (emit: Emitter, heads: string) => string;

  /** [B, T, h · d] → [B, h, T, d] → attention → [B, h, T, d], or what a variant makes of it. */
  function graphOf(attention: Attention): Graph {
    return buildGraph((emit) => {
      const x = emit.op('Identity', [floatInput(emit, 'x', 'B', 'T', HEADS * SIZE)]);
      emit.alias(x, 'tokens');
      const split = emit.reshape('tokens', emit.ints(0, 0, HEADS, SIZE));
      emit.output('y', attention(emit, emit.transpose(split, [0, 2, 1, 3])));
    });
  }
  const transposed = (emit: Emitter, heads: string): string => emit.transpose(heads, [0, 1, 3, 2]);
  const folded = (emit: Emitter, heads: string): string => emit.reshape(heads, emit.ints(-1, LENGTH, SIZE));
  const plain: Attention = (emit, heads) => {
    const scores = emit.op('MatMul', [heads, transposed(emit, heads)]);
    return emit.op('MatMul', [emit.op('Softmax', [scores]), heads]);
  };

  const run = async (attention: Attention, bias: readonly number[]): Promise<TensorValue | undefined> => {
    const graph = graphOf(attention);
    addKeyBias(graph, 'tokens');
    const dims = [BATCH, LENGTH, HEADS * SIZE];
    const feeds = { x: float32(randomFloats(3, BATCH * LENGTH * HEADS * SIZE), dims) };
    return (await evaluate(graph, { ...feeds, key_bias: float32(Float32Array.from(bias), [BATCH, LENGTH]) }))
      .y;
  };

  it.each<[string, Attention]>([
    [
      'heads folded into the batch (CLIP, OPT)',
      (emit, heads) => {
        const rows = folded(emit, heads);
        const scores = emit.op('MatMul', [rows, emit.transpose(rows, [0, 2, 1])]);
        return emit.reshape(emit.op('MatMul', [emit.op('Softmax', [scores]), rows]), emit.shape(heads));
      },
    ],
    [
      'a mask before heads are folded, and a bound (OPT)',
      (emit, heads) => {
        const rows = folded(emit, heads);
        const scores = emit.op('MatMul', [rows, emit.transpose(rows, [0, 2, 1])]);
        const split = emit.reshape(scores, emit.ints(-1, HEADS, LENGTH, LENGTH));
        const masked = emit.add(split, emit.floats(new Float32Array(LENGTH), [1, 1, 1, LENGTH]));
        const bounded = emit.op('Max', [masked, emit.float(-3e38)]);
        const weights = emit.op('Softmax', [emit.reshape(bounded, emit.ints(-1, LENGTH, LENGTH))]);
        return emit.reshape(emit.op('MatMul', [weights, rows]), emit.shape(heads));
      },
    ],
    [
      'casts and zeroed weights before the values (Llama, DeBERTa)',
      (emit, heads) => {
        const scores = emit.op('MatMul', [heads, transposed(emit, heads)]);
        const weights = emit.cast(emit.op('Softmax', [emit.cast(scores, DataType.float32)]), 1);
        const none = emit.op('Equal', [weights, emit.float(-1)]);
        return emit.op('MatMul', [emit.op('Where', [none, emit.float(0), weights]), heads]);
      },
    ],
  ])('reach %s', async (_name, attention) => {
    const bias = [0.5, -1, 0, 0, -1e9, 2];
    expect(distance(await run(attention, bias), await run(plain, bias))).toBeLessThan(1e-6);
    expect(distance(await run(attention, bias), await run(attention, [0, 0, 0, 0, 0, 0]))).toBeGreaterThan(
      1e-3,
    );
  });

  it("leave a decoder's attention to its own tokens alone (T5)", () => {
    const graph = graphOf((emit, heads) => {
      const attend = (queries: string, keys: string): string => {
        const scores = emit.op('MatMul', [queries, transposed(emit, keys)]);
        return emit.op('MatMul', [emit.op('Softmax', [scores]), keys]);
      };
      const decoder = constant(emit, 1, HEADS, 5, SIZE);
      const crossed = emit.add(decoder, attend(decoder, attend(heads, heads)));
      return attend(crossed, crossed);
    });
    addKeyBias(graph, 'tokens');
    const [column] = graph.consumers('key_bias');
    expect(graph.consumers(column?.outputs[0] ?? '')).toHaveLength(2);
  });
});
