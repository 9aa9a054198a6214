import { expect, it } from '@jest/globals';
import { sourceTables, type AssemblyShape } from '@dynaprompt/core';
import { int64 } from '@dynaprompt/onnx-autodiff';
import { emitSourceTable } from './source-table.js';
import { evaluate, integers } from './testing/graphs.js';

const slots = 4;
const contents = [0, 1, 2, 3, 5, 8];

/** Every content length × active tokens × candidate in one batch; the longest is not the first. */
function layoutsOf(
  candidates: number,
  after: number,
): { layouts: { before: number; content: number; after: number; active: number }[]; choice: Int32Array } {
  const layouts = [];
  const choice = [];
  for (const content of contents) {
    for (let active = 0; active <= slots; active++) {
      for (let candidate = 0; candidate < candidates; candidate++) {
        layouts.push({ before: 1, content, after, active });
        choice.push(candidate);
      }
    }
  }
  return { layouts, choice: Int32Array.from(choice) };
}

it.each([
  { mode: 'split', candidates: slots + 1, after: 1 },
  { mode: 'split', candidates: slots + 1, after: 0 },
  { mode: 'insert', candidates: 2, after: 1 },
  { mode: 'insert', candidates: 3, after: 1 },
  { mode: 'insert', candidates: 7, after: 2 },
] as const)('is that of core: $mode, $candidates candidates, $after after', async (frame) => {
  const { mode, candidates, after } = frame;
  const { layouts, choice } = layoutsOf(candidates, after);
  const shape: AssemblyShape = { mode, candidates, slots, total: 1 + 8 + after + slots };
  const column = (values: ArrayLike<number>): ReturnType<typeof int64> =>
    int64(Int32Array.from(values), [layouts.length, 1]);
  const feeds = {
    lengths: column(layouts.map(({ content }) => 1 + content + after)),
    choice: column(choice),
    active: column(layouts.map(({ active }) => active)),
    slots: int64([slots], [1]),
  };
  const results = await evaluate(feeds, (emit) => {
    const tensors = { lengths: 'lengths', choice: 'choice', active: 'active', slots: 'slots' };
    const { table, positions } = emitSourceTable(emit, { ...tensors, mode, candidates, before: 1, after });
    return { table, positions };
  });
  expect(results.table?.dims).toEqual([layouts.length, shape.total]);
  expect(integers(results.table)).toEqual([...sourceTables(shape, layouts, choice)]);
  expect(integers(results.positions)).toEqual(Array.from({ length: shape.total }, (_, index) => index));
});
