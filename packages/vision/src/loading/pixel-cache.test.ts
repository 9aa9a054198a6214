import { expect, test } from '@jest/globals';
import { createPixelCache } from './pixel-cache.js';

const four = (value: number) => new Float32Array(4).fill(value); // 16 bytes

test('keeps what was used last within its bytes', () => {
  const cache = createPixelCache(48);
  for (const name of ['a', 'b', 'c']) cache.set(name, four(name.charCodeAt(0)));
  expect(cache.bytes).toBe(48);
  cache.get('a');
  cache.set('d', four(0));
  expect(cache.bytes).toBe(48);
  expect(cache.get('b')).toBeUndefined();
  expect(cache.get('a')?.[0]).toBe(97);
  expect(cache.get('d')).toBeDefined();
});

test('a second value replaces the first, and counts once', () => {
  const cache = createPixelCache(48);
  cache.set('a', four(1));
  cache.set('a', four(2));
  expect(cache.bytes).toBe(16);
  expect(cache.get('a')?.[0]).toBe(2);
});

test('what is larger than the cache is not kept and drives nothing out', () => {
  const cache = createPixelCache(20);
  cache.set('a', four(1));
  cache.set('large', new Float32Array(6));
  expect(cache.get('large')).toBeUndefined();
  expect(cache.get('a')).toBeDefined();
  cache.clear();
  expect([cache.bytes, cache.get('a')]).toEqual([0, undefined]);
});

test('keys are compared by identity', () => {
  const cache = createPixelCache(48);
  const key = {};
  cache.set(key, four(1));
  expect(cache.get({})).toBeUndefined();
  expect(cache.get(key)).toBeDefined();
});
