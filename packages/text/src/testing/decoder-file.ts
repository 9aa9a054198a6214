import { afterAll } from '@jest/globals';
import { int64 } from '@dynaprompt/onnx-autodiff';
import { fixtureFile } from './fixture-folders.js';
import { at } from './numbers.js';
import { openUncached, type OpenFile } from './run-uncached.js';

/** Files by fixture, each opened once for all tests of a test file. */
const files = new Map<string, Promise<OpenFile>>();

afterAll(async () => {
  for (const file of files.values()) await (await file).release();
});

/** The file's own logits [T, vocabulary] for one sequence, without a cache. */
export async function logitsOf(fixture: string, ids: readonly number[]): Promise<Float32Array> {
  const dims = [1, ids.length];
  const opening = files.get(fixture) ?? openUncached(fixtureFile(fixture));
  files.set(fixture, opening);
  const file = await opening;
  return file.run({
    input_ids: int64(ids, dims),
    attention_mask: int64(new Int32Array(ids.length).fill(1), dims),
    position_ids: int64([...ids.keys()], dims),
  });
}

/** Σ log p of an answer's tokens behind `text`, by the file alone. */
export async function likelihoodOf(
  fixture: string,
  text: readonly number[],
  answer: readonly number[],
): Promise<number> {
  const logits = await logitsOf(fixture, [...text, ...answer]);
  return answer.reduce((sum, id, index) => {
    const start = (text.length - 1 + index) * 64;
    const row = Array.from(logits.subarray(start, start + 64));
    return sum + at(row, id) - Math.log(row.reduce((total, value) => total + Math.exp(value), 0));
  }, 0);
}
