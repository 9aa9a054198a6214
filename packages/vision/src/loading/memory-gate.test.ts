import { expect, test } from '@jest/globals';
import { createMemoryGate } from './memory-gate.js';

const turn = () => new Promise(setImmediate);

test('grants what fits, and the rest in order when something is given back', async () => {
  const gate = createMemoryGate(100);
  const entered: string[] = [];
  const enter = (name: string, bytes: number) => void gate.acquire(bytes).then(() => entered.push(name));
  enter('a', 60);
  enter('b', 40);
  enter('c', 50);
  enter('d', 10);
  await turn();
  expect(entered).toEqual(['a', 'b']);
  gate.release(40);
  await turn();
  // d would fit, but c came first: nothing large waits for ever.
  expect(entered).toEqual(['a', 'b']);
  gate.release(60);
  await turn();
  expect(entered).toEqual(['a', 'b', 'c', 'd']);
});

test('more than the whole limit is granted alone', async () => {
  const gate = createMemoryGate(100);
  const entered: string[] = [];
  await gate.acquire(1);
  void gate.acquire(1000).then(() => entered.push('large'));
  void gate.acquire(1).then(() => entered.push('small'));
  await turn();
  expect(entered).toEqual([]);
  gate.release(1);
  await turn();
  expect(entered).toEqual(['large']);
  expect(gate.hasRoom(0)).toBe(false);
  gate.release(1000);
  await turn();
  expect(entered).toEqual(['large', 'small']);
});
