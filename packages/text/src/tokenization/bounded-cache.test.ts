import { describe, expect, it } from '@jest/globals';
import { BoundedCache } from './bounded-cache.js';

interface Key {
  readonly size: number;
}

function counted(room: number): { get: (key: Key) => string; made: Key[] } {
  const made: Key[] = [];
  const cache = new BoundedCache<Key, string>(room, (value) => value.length);
  const make = (key: Key): string => {
    made.push(key);
    return 'x'.repeat(key.size);
  };
  return { get: (key) => cache.get(key, make), made };
}

function keys(count: number, size: number): readonly Key[] {
  return Array.from({ length: count }, () => ({ size }));
}

describe('a bounded cache', () => {
  it('makes each value once while all fit into half of the room', () => {
    const { get, made } = counted(100);
    const all = keys(5, 10);
    for (let round = 0; round < 3; round++) for (const key of all) expect(get(key)).toHaveLength(10);
    expect(made).toEqual(all);
    expect(new Set(made).size).toBe(5);
  });

  it('holds no more than the room, and keeps what is asked for again and again', () => {
    const { get, made } = counted(100);
    const [often = { size: 10 }, ...others] = keys(41, 10);
    for (const key of others) {
      get(often);
      get(key);
    }
    expect(made.filter((key) => key === often)).toHaveLength(1);
    made.length = 0;
    // Of 40 values of size 10, at most 10 can be there.
    for (const key of others.toReversed()) get(key);
    expect(made.length).toBeGreaterThanOrEqual(30);
  });

  it('gives values that are larger than its room', () => {
    const { get, made } = counted(8);
    const [key = { size: 0 }] = keys(1, 50);
    expect([get(key), get(key)]).toEqual(['x'.repeat(50), 'x'.repeat(50)]);
    expect(made).toHaveLength(1);
  });
});
