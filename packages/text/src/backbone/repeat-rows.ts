import type { Emitter } from '@dynaprompt/onnx-autodiff';
import { isOfSecond } from '@dynaprompt/backbone';
import { INPUT } from './names.js';

/**
 * Every row `times` in a row, one for each answer: [B, …] → [B · times, …].
 * @param rest axes behind the first.
 */
export function repeatRows(emit: Emitter, tensor: string, times: number, rest: readonly number[]): string {
  const extents = emit.extents(tensor, ...rest);
  const shape = emit.concat([emit.extents(tensor, 0), emit.ints(times), extents], 0);
  const rows = emit.op('Expand', [emit.unsqueeze(tensor, [1]), shape]);
  return emit.reshape(rows, emit.concat([emit.ints(-1), extents], 0));
}

/** Repeats the gates of the encoder's tokens where a decoder attends to them once for each of `times` answers. */
export function repeatKeyBias(emit: Emitter, times: number): void {
  const { graph } = emit;
  for (const { outputs } of graph.consumers(INPUT.keyBias)) {
    const [column = ''] = outputs; // [B, 1, 1, T]
    const sums = graph.consumers(column).filter(({ inputs }) => inputs.some(isOfSecond));
    if (sums.length === 0) continue;
    const repeated = repeatRows(emit, column, times, [1, 2, 3]);
    for (const sum of sums)
      graph.setInputs(
        sum,
        sum.inputs.map((input) => (input === column ? repeated : input)),
      );
  }
}
