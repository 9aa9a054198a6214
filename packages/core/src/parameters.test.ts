import { describe, expect, it } from '@jest/globals';
import { DataError } from './errors.js';
import { restoreParameters } from './parameters.js';

function parameters(entries: Record<string, [number[], number[]]>) {
  return new Map(
    Object.entries(entries).map(([name, [shape, values]]) => [
      name,
      { shape, values: Float32Array.from(values) },
    ]),
  );
}

describe('restoreParameters', () => {
  it('copies values and leaves the source alone', () => {
    const target = parameters({ a: [[2], [0, 0]] });
    const source = parameters({ a: [[2], [1, 2]] });
    restoreParameters(target, source);
    target.get('a')?.values.fill(9);
    expect([...(source.get('a')?.values ?? [])]).toEqual([1, 2]);
  });

  it.each([
    [{ a: [[2], [1, 2]] }, /b: has no saved value/],
    [{ a: [[2], [1, 2]], b: [[1], [1]], c: [[1], [1]] }, /c: is not a parameter here/],
    [{ a: [[2], [1, 2]], b: [[1, 1], [1]] }, /shape \[1, 1\], expected \[1\]/],
  ] as [Record<string, [number[], number[]]>, RegExp][])(
    'writes nothing when %j does not fit',
    (source, message) => {
      const target = parameters({ a: [[2], [0, 0]], b: [[1], [0]] });
      const restore = (): void => {
        restoreParameters(target, parameters(source));
      };
      expect(restore).toThrow(message);
      expect(restore).toThrow(DataError);
      expect([...(target.get('a')?.values ?? [])]).toEqual([0, 0]);
    },
  );
});
