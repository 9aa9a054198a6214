import { DataType, float32, int64, type Emitter, type TensorValue } from '@dynaprompt/onnx-autodiff';
import { appendLinearHead, floatInput } from './linear-head.js';

/** Logit of a candidate that is not there: its probability is 0. */
export const IMPOSSIBLE = -1e9;

/** Inputs of a head that scores candidates; K is the most that an example may have. */
const INPUT = {
  /** int64 [B, K] row of the model's batch that holds each candidate */
  rows: 'candidate_rows',
  /** float32 [B, K] 0 for a candidate, {@link IMPOSSIBLE} behind the last */
  bias: 'candidate_bias',
} as const;

/** Scores [B, K] of candidates that have a row of the model's batch each: one linear output [R, 1] for all, dealt to the examples. */
export function appendCandidateHead(emit: Emitter, width: number): string {
  const dims = ['examples', 'candidates'];
  const rows = emit.input({ name: INPUT.rows, dataType: DataType.int64, dims });
  const scores = emit.squeeze(appendLinearHead(emit, 1, width), [1]);
  return emit.add(emit.op('Gather', [scores, rows], { axis: 0 }), floatInput(emit, INPUT.bias, ...dims));
}

/**
 * Where the scores of a batch belong.
 * @param counts [B] candidates of each example, whose rows follow each other.
 * @param most K
 */
export function candidateFeeds(counts: readonly number[], most: number): Record<string, TensorValue> {
  const rows = new Int32Array(counts.length * most);
  const bias = new Float32Array(rows.length).fill(IMPOSSIBLE);
  let row = 0;
  counts.forEach((count, example) => {
    for (let candidate = 0; candidate < count; candidate++) {
      rows[example * most + candidate] = row++;
      bias[example * most + candidate] = 0;
    }
  });
  const dims = [counts.length, most];
  return { [INPUT.rows]: int64(rows, dims), [INPUT.bias]: float32(bias, dims) };
}
