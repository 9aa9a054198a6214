import { writeFileSync } from 'node:fs';
import { DataType, Emitter, Graph, tensorBytes, tensorValues } from '@dynaprompt/onnx-autodiff';
import { fixtureFile } from './fixture-folders.js';
import { at } from './numbers.js';

/** How a Llama export counts the positions of its tokens where no one tells it. */
export type Counting =
  /** Range over the tokens, [1, T]. */
  | 'row'
  /** Sums along the mask, [B, T]. */
  | 'mask'
  /** Rows of stored cosines and sines, looked up by a Range. */
  | 'tables'
  /** The outer product of a Range [T] and the frequencies, which leaves no axis for the rows of a batch. */
  | 'outer';

const FREQUENCIES = 'onnx::Expand_809'; // [1, 4, 1]
const ANGLES = '/rotary/Transpose_output_0'; // [B, T, 4]
const WAVES = { '/rotary/Cos_output_0': Math.cos, '/rotary/Sin_output_0': Math.sin }; // [B, T, 8]
const POSITIONS = 32;

/** Writes the Llama fixture, which takes `position_ids`, as an export that counts them itself. */
export function writeCountingLlama(target: string, counting: Counting): void {
  const graph = Graph.read(fixtureFile('llama'));
  const emit = new Emitter(graph);
  const frequencies = [...tensorValues(graph.initializers.get(FREQUENCIES) ?? never())];
  const tokens = emit.op('Gather', [emit.shape('input_ids'), emit.int(1)]);
  const range = emit.op('Range', [emit.int(0), tokens, emit.int(1)]);
  const row = emit.unsqueeze(range, [0]);
  const sums = emit.sub(emit.op('CumSum', ['attention_mask', emit.int(1)]), emit.ints(1));
  graph.replaceUses('position_ids', counting === 'mask' ? emit.op('Max', [sums, emit.ints(0)]) : row);
  graph.inputs.delete('position_ids');
  if (counting === 'tables')
    for (const [name, wave] of Object.entries(WAVES)) {
      const table = Float32Array.from({ length: POSITIONS * 8 }, (_, index) =>
        wave(Math.floor(index / 8) * at(frequencies, index % 4)),
      );
      graph.replaceUses(name, emit.op('Gather', [emit.floats(table, [POSITIONS, 8]), row]));
    }
  if (counting === 'outer') {
    const column = emit.unsqueeze(emit.cast(range, DataType.float32), [1]);
    const angles = emit.op('MatMul', [column, emit.floats(Float32Array.from(frequencies), [1, 4])]);
    graph.replaceUses(ANGLES, emit.unsqueeze(angles, [0]));
  }
  graph.prune();
  for (const [name, tensor] of graph.initializers)
    graph.initializers.set(name, { ...tensor, data: { kind: 'bytes', bytes: tensorBytes(tensor).slice() } });
  writeFileSync(target, graph.serialize());
}

function never(): never {
  throw new Error(`the fixture has no ${FREQUENCIES}`);
}
