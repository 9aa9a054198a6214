import { describe, expect, it } from '@jest/globals';
import { MalformedModelError } from '../errors.js';
import { tensorValues } from '../graph/tensor-data.js';
import { DataType } from '../graph/types.js';
import { modelWithTensor, tensorHeader, tensorIn } from '../testing/wire-models.js';
import type { WireWriter } from './wire-writer.js';

const largest = 2 ** 63;

describe('typed fields of a tensor', () => {
  const doubles = new Uint8Array(Float64Array.of(0.1, -2).buffer);
  const cases: readonly (readonly [string, (tensor: WireWriter) => void, number, readonly number[]])[] = [
    [
      'float_data',
      (t) => {
        t.floats(4, [0.5, -1]);
      },
      DataType.float32,
      [0.5, -1],
    ],
    [
      'float_data, unpacked',
      (t) => {
        t.float(4, 0.5);
        t.float(4, -1);
      },
      DataType.float32,
      [0.5, -1],
    ],
    [
      'int32_data',
      (t) => {
        t.integers(5, [7, -7]);
      },
      DataType.int32,
      [7, -7],
    ],
    [
      'int32_data, unpacked',
      (t) => {
        t.integer(5, 7);
        t.integer(5, -7);
      },
      DataType.int32,
      [7, -7],
    ],
    [
      'int32_data of float16',
      (t) => {
        t.integers(5, [0x3800, 0xc000]);
      },
      DataType.float16,
      [0.5, -2],
    ],
    [
      'int32_data of bfloat16',
      (t) => {
        t.integers(5, [0x3f00, 0xc000]);
      },
      DataType.bfloat16,
      [0.5, -2],
    ],
    [
      'int32_data of int8',
      (t) => {
        t.integers(5, [-1, 127]);
      },
      DataType.int8,
      [-1, 127],
    ],
    [
      'int32_data of uint8',
      (t) => {
        t.integers(5, [255, 0]);
      },
      DataType.uint8,
      [255, 0],
    ],
    [
      'int32_data of int16',
      (t) => {
        t.integers(5, [-1, 300]);
      },
      DataType.int16,
      [-1, 300],
    ],
    [
      'int32_data of uint16',
      (t) => {
        t.integers(5, [65535, 3]);
      },
      DataType.uint16,
      [65535, 3],
    ],
    [
      'int32_data of bool',
      (t) => {
        t.integers(5, [1, 0]);
      },
      DataType.bool,
      [1, 0],
    ],
    [
      'int64_data',
      (t) => {
        t.integers(7, [largest, -1]);
      },
      DataType.int64,
      [largest, -1],
    ],
    [
      'int64_data, the least',
      (t) => {
        t.integers(7, [-largest, 3]);
      },
      DataType.int64,
      [-largest, 3],
    ],
    [
      'double_data',
      (t) => {
        t.bytes(10, doubles);
      },
      DataType.float64,
      [0.1, -2],
    ],
    [
      'uint64_data',
      (t) => {
        t.integers(11, [2 ** 40, 1]);
      },
      DataType.uint64,
      [2 ** 40, 1],
    ],
    [
      'uint64_data of uint32',
      (t) => {
        t.integers(11, [2 ** 32 - 1, 1]);
      },
      DataType.uint32,
      [2 ** 32 - 1, 1],
    ],
  ];
  it.each(cases)('reads %s', (_name, write, dataType, values) => {
    const tensor = tensorIn(
      modelWithTensor((writer) => {
        tensorHeader(dataType, 2)(writer);
        write(writer);
      }),
    );
    expect([...tensorValues(tensor)]).toEqual(values);
  });

  it('keeps 2^63 − 1 as the end of a slice', () => {
    const bytes = modelWithTensor((writer) => {
      tensorHeader(DataType.int64, 1)(writer);
      writer.integers(7, [largest]);
    });
    const { data } = tensorIn(bytes);
    expect(data.kind === 'bytes' && new BigInt64Array(data.bytes.slice().buffer)[0]).toBe(2n ** 63n - 1n);
  });

  it.each([
    ['subnormal', 0x0001, 2 ** -24],
    ['infinite', 0x7c00, Infinity],
    ['not a number', 0x7e00, Number.NaN],
  ])('reads a float16 that is %s', (_name, bits, value) => {
    const bytes = modelWithTensor((writer) => {
      tensorHeader(DataType.float16, 1)(writer);
      writer.bytes(9, new Uint8Array(Uint16Array.of(bits).buffer));
    });
    expect(tensorValues(tensorIn(bytes))[0]).toBe(value);
  });

  it.each([
    ['fewer bytes than its shape', DataType.float32, [3]],
    ['a huge shape', DataType.float32, [2 ** 62, 2 ** 62]],
    ['an unknown element type', 99, [1]],
  ])('refuses the values of a tensor with %s', (_name, dataType, dims) => {
    const bytes = modelWithTensor((writer) => {
      tensorHeader(dataType, ...dims)(writer);
      writer.bytes(9, new Uint8Array(4));
    });
    expect(() => tensorValues(tensorIn(bytes))).toThrow(MalformedModelError);
  });
});
