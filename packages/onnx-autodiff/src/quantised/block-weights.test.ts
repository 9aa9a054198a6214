import { describe, expect, it } from '@jest/globals';
import type { AttributeValue, Emitter } from '../graph/emitter.js';
import { DataType } from '../graph/types.js';
import { float32 } from '../session/tensor-value.js';
import { relativeError } from '../testing/models.js';
import { randomFloats } from '../testing/random.js';
import { addConstant, vectorJacobian, type VectorJacobian } from '../testing/vector-jacobian.js';

const [ROWS, INNER, OUTER] = [3, 32, 6];
const x = float32(randomFloats(1, 2 * ROWS * INNER), [2, ROWS, INNER]);
const dims = [2, ROWS, OUTER];
type Build = (emit: Emitter) => string;
const run = (build: Build): Promise<VectorJacobian> => vectorJacobian(build, { x }, dims);

describe('weights in blocks', () => {
  const bytes = (count: number): Uint8Array => Uint8Array.from(randomFloats(7, count, 0, 256));
  const nBits =
    (
      bits: number,
      blockSize: number,
      zeroPoints: boolean,
      extra: Record<string, AttributeValue> = {},
    ): Build =>
    (emit) => {
      const blocks = Math.ceil(INNER / blockSize);
      const weight = [OUTER, blocks, (blockSize * bits) / 8];
      const inputs = [
        'x',
        addConstant(emit, DataType.uint8, weight, bytes(OUTER * blocks * ((blockSize * bits) / 8))),
        emit.floats(randomFloats(8, OUTER * blocks), [OUTER * blocks]),
      ];
      if (zeroPoints) {
        const count = OUTER * (bits === 4 ? Math.ceil(blocks / 2) : blocks);
        inputs.push(addConstant(emit, DataType.uint8, [count], bytes(count)));
      }
      const attributes = { K: INNER, N: OUTER, bits, block_size: blockSize, ...extra };
      return emit.node('MatMulNBits', inputs, attributes, { domain: 'com.microsoft' })[0] ?? '';
    };
  const bitsandbytes =
    (quantType: number, blockSize: number): Build =>
    (emit) => {
      const inputs = [
        'x',
        addConstant(emit, DataType.uint8, [(OUTER * INNER) / 2], bytes((OUTER * INNER) / 2)),
        emit.floats(randomFloats(8, (OUTER * INNER) / blockSize, 0.1, 1), [(OUTER * INNER) / blockSize]),
      ];
      const attributes = { K: INNER, N: OUTER, quant_type: quantType, block_size: blockSize };
      return emit.node('MatMulBnb4', inputs, attributes, { domain: 'com.microsoft' })[0] ?? '';
    };

  // The product is linear in x, so that its own kernel gives every gradient: Σ y(e) · upstream for unit vectors e.
  it.each<[string, Build]>([
    ['4 bits', nBits(4, 16, false)],
    ['4 bits with zero points', nBits(4, 16, true)],
    ['4 bits with an odd number of blocks', nBits(4, 32, true)],
    ['4 bits in a block longer than a row', nBits(4, 64, true)],
    ['8 bits', nBits(8, 16, false)],
    ['8 bits with zero points', nBits(8, 16, true)],
    ['fp4', bitsandbytes(0, 16)],
    ['nf4', bitsandbytes(1, 32)],
  ])('of %s have the gradient of their product', async (_name, build) => {
    const size = INNER * INNER;
    const units = float32(
      Float32Array.from({ length: size }, (_, index) => (index % (INNER + 1) === 0 ? 1 : 0)),
      [1, INNER, INNER],
    );
    const { y: weight } = await vectorJacobian(build, { x: units }, [1, INNER, OUTER]);
    const expected = await run((emit) => emit.op('MatMul', ['x', emit.floats(weight, [INNER, OUTER])]));
    const actual = await run(build);
    expect(relativeError(actual.gradients.x ?? [], expected.gradients.x ?? [])).toBeLessThan(1e-5);
    expect(relativeError(actual.y, expected.y)).toBeLessThan(1e-5);
  });

  it.each<[string, Build, string]>([
    ['a device', nBits(4, 16, false, { weight_prepacked: 1 }), 'weights packed for one device'],
    ['2 bits', nBits(2, 16, false), 'weights of 2 bits'],
    [
      'groups',
      (emit) => {
        const groups = addConstant(emit, DataType.int32, [INNER], new Int32Array(INNER));
        nBits(4, 16, false)(emit);
        const [weight = '', scale = ''] = [...emit.graph.initializers.keys()].slice(-2);
        const attributes = { K: INNER, N: OUTER, bits: 4, block_size: 16 };
        return (
          emit.node('MatMulNBits', ['x', weight, scale, '', groups], attributes, {
            domain: 'com.microsoft',
          })[0] ?? ''
        );
      },
      'groups by g_idx',
    ],
  ])('for %s are refused', async (_name, build, message) => {
    await expect(run(build)).rejects.toThrow(message);
  });
});

describe('a bias of blocks', () => {
  it('has the gradient of a sum', async () => {
    const feeds = { x, c: float32(randomFloats(9, OUTER), [OUTER]) };
    const weight = (emit: Emitter): readonly string[] => [
      addConstant(emit, DataType.uint8, [OUTER, 1, INNER], new Uint8Array(OUTER * INNER).fill(130)),
      emit.floats(randomFloats(8, OUTER), [OUTER]),
    ];
    const attributes = { K: INNER, N: OUTER, bits: 8, block_size: INNER };
    const build: Build = (emit) =>
      emit.node('MatMulNBits', ['x', ...weight(emit), '', '', 'c'], attributes, {
        domain: 'com.microsoft',
      })[0] ?? '';
    const actual = await vectorJacobian(build, feeds, dims);
    const expected = await vectorJacobian(
      (emit) =>
        emit.add(
          emit.node('MatMulNBits', ['x', ...weight(emit)], attributes, { domain: 'com.microsoft' })[0] ?? '',
          'c',
        ),
      feeds,
      dims,
    );
    expect(actual).toEqual(expected);
  });
});
