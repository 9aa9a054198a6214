import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { DataError } from '../errors.js';
import { decodeSafetensors, encodeSafetensors } from './safetensors.js';

/** A file put together by hand. */
function fileOf(header: unknown, data: Uint8Array = new Uint8Array(), length?: bigint): Uint8Array {
  const text = Buffer.from(typeof header === 'string' ? header : JSON.stringify(header));
  const prefix = Buffer.alloc(8);
  prefix.writeBigUInt64LE(length ?? BigInt(text.length));
  return Buffer.concat([prefix, text, data]);
}

function bytesOf(values: { readonly buffer: ArrayBufferLike }): Uint8Array {
  return new Uint8Array(values.buffer);
}

const single = (dtype: string, shape: unknown, offsets: unknown): unknown => ({
  t: { dtype, shape, data_offsets: offsets },
});

describe('encodeSafetensors', () => {
  it('writes what the format says', () => {
    const values = Float32Array.of(1, -2, 0.5, 3, 4, 5);
    const bytes = encodeSafetensors(new Map([['a', { shape: [2, 3], values }]]), { format: 'pt' });
    const length = Number(Buffer.from(bytes).readBigUInt64LE(0));
    expect((8 + length) % 8).toBe(0);
    expect(JSON.parse(Buffer.from(bytes).toString('utf8', 8, 8 + length))).toEqual({
      __metadata__: { format: 'pt' },
      a: { dtype: 'F32', shape: [2, 3], data_offsets: [0, 24] },
    });
    expect(bytes[8]).toBe('{'.charCodeAt(0));
    const data = Buffer.from(bytes.subarray(8 + length));
    expect(Array.from({ length: 6 }, (_, index) => data.readFloatLE(4 * index))).toEqual([...values]);
  });

  it('is read back bit for bit, whatever the names, shapes and values', () => {
    const extent = fc.integer({ min: 0, max: 3 });
    const entry = fc.array(extent, { maxLength: 3 }).chain((shape) =>
      fc
        .float32Array({
          minLength: shape.reduce((size, each) => size * each, 1),
          maxLength: shape.reduce((size, each) => size * each, 1),
        })
        .map((values) => ({ shape, values })),
    );
    const name = fc.string().filter((text) => !['__metadata__', '__proto__'].includes(text));
    fc.assert(
      fc.property(fc.array(fc.tuple(name, entry)), (entries) => {
        const tensors = new Map(entries);
        const read = decodeSafetensors(encodeSafetensors(tensors), 'file').tensors;
        expect(new Set(read.keys())).toEqual(new Set(tensors.keys()));
        for (const [key, { shape, values }] of tensors) {
          const found = read.get(key);
          expect(found?.shape).toEqual(shape);
          expect(bytesOf(found?.values ?? new Float32Array())).toEqual(bytesOf(values));
        }
      }),
      { seed: 7, numRuns: 60 },
    );
  });

  it('refuses values that do not fit and reserved names', () => {
    const tensor = { shape: [2], values: Float32Array.of(1) };
    expect(() => encodeSafetensors(new Map([['a', tensor]]))).toThrow('it has 1 values for shape [2]');
    const empty = { shape: [0], values: new Float32Array() };
    expect(() => encodeSafetensors(new Map([['__metadata__', empty]]))).toThrow(DataError);
  });
});

describe('decodeSafetensors', () => {
  it('widens half precision exactly', () => {
    // 1, −2, largest, smallest normal, smallest subnormal, largest subnormal, −0, ∞
    const halves = Uint16Array.of(0x3c00, 0xc000, 0x7bff, 0x0400, 0x0001, 0x03ff, 0x8000, 0x7c00);
    const file = fileOf(single('F16', [8], [0, 16]), bytesOf(halves));
    const expected = [1, -2, 65504, 2 ** -14, 2 ** -24, 1023 * 2 ** -24, -0, Infinity];
    expect([...(decodeSafetensors(file, 'f').tensors.get('t')?.values ?? [])]).toEqual(expected);
    const nan = fileOf(single('F16', [1], [0, 2]), bytesOf(Uint16Array.of(0x7e00)));
    expect(decodeSafetensors(nan, 'f').tensors.get('t')?.values[0]).toBeNaN();
  });

  it('widens bfloat16 exactly', () => {
    const floats = Float32Array.of(1, -2.5, 2 ** 100, 2 ** -130);
    const halves = Uint16Array.from(new Uint32Array(floats.buffer), (word) => word >>> 16);
    const file = fileOf(single('BF16', [2, 2], [0, 8]), bytesOf(halves));
    expect(decodeSafetensors(file, 'f').tensors.get('t')).toEqual({
      dtype: 'BF16',
      shape: [2, 2],
      values: floats,
    });
  });

  it('reads int64, unaligned data and scalars', () => {
    const header = {
      scalar: { dtype: 'F32', shape: [], data_offsets: [8, 12] },
      long: { dtype: 'I64', shape: [1], data_offsets: [0, 8] },
    };
    const data = Buffer.concat([bytesOf(BigInt64Array.of(-(2n ** 60n))), bytesOf(Float32Array.of(1.5))]);
    const text = JSON.stringify(header);
    // An odd header length puts the data at an odd address.
    const { tensors } = decodeSafetensors(fileOf(text.length % 2 === 0 ? `${text} ` : text, data), 'f');
    expect(tensors.get('long')?.values[0]).toBe(-(2n ** 60n));
    expect(tensors.get('scalar')).toEqual({ dtype: 'F32', shape: [], values: Float32Array.of(1.5) });
  });

  it('gives copies', () => {
    const bytes = encodeSafetensors(new Map([['a', { shape: [1], values: Float32Array.of(1) }]]));
    const value = decodeSafetensors(bytes, 'f').tensors.get('a');
    bytes.fill(0);
    expect(value?.values[0]).toBe(1);
  });

  const eight = new Uint8Array(8);
  it.each<[string, Uint8Array, string]>([
    ['a stub', new Uint8Array(7), 'too short'],
    ['a header that is longer than the file', fileOf({}, undefined, 3n), 'truncated in its header'],
    [
      'a header beyond the limit of the format',
      fileOf({}, undefined, 2n ** 63n),
      '9223372036854775808 bytes',
    ],
    ['a header that is no JSON', fileOf('[1,'), 'no JSON'],
    ['a header that is not UTF-8', notText(), 'no JSON'],
    ['a header that is no object', fileOf('[]'), 'malformed'],
    ['an entry without a shape', fileOf({ t: { dtype: 'F32', data_offsets: [0, 8] } }, eight), 't.shape'],
    ['a negative extent', fileOf(single('F32', [-2], [0, 8]), eight), 't.shape.0'],
    ['a fraction', fileOf(single('F32', [0.5], [0, 2]), eight), 't.shape.0'],
    ['one offset', fileOf(single('F32', [2], [0]), eight), 't.data_offsets'],
    ['metadata that is no text', fileOf({ __metadata__: { a: 1 } }), 'malformed at a'],
    ['a type that is not read', fileOf(single('F8_E4M3', [8], [0, 8]), eight), 'F8_E4M3'],
    ['a type by a built-in name', fileOf(single('toString', [8], [0, 8]), eight), 'toString'],
    ['more bytes than the shape', fileOf(single('F32', [1], [0, 8]), eight), '8 bytes where F32 [1] has 4'],
    ['fewer bytes than the shape', fileOf(single('I64', [2], [0, 8]), eight), 'I64 [2] has 16'],
    ['a shape without end', fileOf(single('F32', [2 ** 40, 2 ** 40], [0, 8]), eight), '8 bytes where'],
    ['a tensor that is cut off', fileOf(single('F32', [4], [0, 16]), eight), 'truncated within tensor t'],
    ['bytes before the first tensor', fileOf(single('F32', [1], [4, 8]), eight), 'bytes 0 … 3'],
    ['bytes after the last tensor', fileOf(single('F32', [1], [0, 4]), eight), '4 bytes follow'],
    [
      'tensors that overlap',
      fileOf(
        {
          a: { dtype: 'F32', shape: [2], data_offsets: [0, 8] },
          b: { dtype: 'F32', shape: [1], data_offsets: [4, 8] },
        },
        eight,
      ),
      'tensor b overlaps',
    ],
  ])('refuses %s', (_, bytes, message) => {
    const decode = () => decodeSafetensors(bytes, 'some/file.safetensors');
    expect(decode).toThrow(DataError);
    expect(decode).toThrow(message);
    expect(decode).toThrow('some/file.safetensors');
  });
});

/** A header with a byte that UTF-8 does not have. */
function notText(): Uint8Array {
  const bytes = fileOf('{"é":1}');
  bytes[10] = 0xff;
  return bytes;
}
