import { describe, expect, it } from '@jest/globals';
import { halfBits, halfValue, roundToEven } from './half-floats.js';

describe('float16', () => {
  it.each([
    [0, 0],
    [-0, 0x8000],
    [1, 0x3c00],
    [-2, 0xc000],
    [1 / 3, 0x3555],
    [65504, 0x7bff],
    [1e9, 0x7bff],
    [-Infinity, 0xfbff],
    [Number.NaN, 0x7e00],
    [2 ** -14, 0x0400],
    [2 ** -24, 0x0001],
    [2 ** -25, 0x0000],
    [1 + 2 ** -11, 0x3c00],
    [1 + 3 * 2 ** -11, 0x3c02],
    [2 - 2 ** -12, 0x4000],
  ])('of %p has the bits %p', (value, bits) => {
    expect(halfBits(value)).toBe(bits);
  });

  it('comes back from its bits', () => {
    for (let bits = 0; bits < 0x7c00; bits++) expect(halfBits(halfValue(bits))).toBe(bits);
  });
});

it('rounds halves to even numbers', () => {
  expect([0.5, 1.5, 2.5, -0.5, -1.5, 2.4].map((value) => roundToEven(value) + 0)).toEqual([
    0, 2, 2, 0, -2, 2,
  ]);
});
