import { PADDING, type AssemblyShape } from '@dynaprompt/core';
import type { Emitter } from '@dynaprompt/onnx-autodiff';
import { emitPositions, emitSegments } from './segments.js';

/** What a source table is made from; B examples, all tensors int64. */
export interface SourceTableInputs {
  readonly mode: AssemblyShape['mode'];
  /** C */
  readonly candidates: number;
  /** Framing tokens before and after the content of every example. */
  readonly before: number;
  readonly after: number;
  /** [B, 1] tokens of each example without its prompt, framing included. */
  readonly lengths: string;
  /** [B, 1] chosen candidate. */
  readonly choice: string;
  /** [B, 1] k, active prompt tokens. */
  readonly active: string;
  /** [1] rows of a prompt: all slots, or as many as the longest active prompt has. */
  readonly slots: string;
}

/** Tensors of a source table. */
export interface SourceTable {
  /** Int64 [B, T], as `sourceTables` of core: a prompt's row, slots + an own token, or −1 for padding. */
  readonly table: string;
  /** Int64 [T] 0 … T − 1; T is the longest example and the slots. */
  readonly positions: string;
}

/** `sourceTables` of core in operators: where prompts and tokens stand, decided when the model runs. */
export function emitSourceTable(emit: Emitter, inputs: SourceTableInputs): SourceTable {
  const { mode, before, after, lengths, choice, active, slots } = inputs;
  const framing = emit.ints(before);
  const content = emit.op('Max', [emit.sub(lengths, emit.ints(before + after)), emit.ints(0)]);
  const head = mode === 'split' ? emit.ints(0) : anchorOffset(emit, inputs, content);
  const front = mode === 'split' ? emit.op('Min', [choice, active]) : active;
  const longest = emit.reshape(emit.reduceMax(lengths, [0], 1), emit.ints(1));
  const positions = emitPositions(emit, emit.add(longest, slots));

  const turn = emit.add(framing, head);
  const contentEnd = emit.add(framing, content);
  const own = (token: string): string => emit.add(slots, token);
  const table = emitSegments(emit, positions, [
    { length: turn, first: slots, step: 1 },
    { length: front, first: emit.ints(0), step: 1 },
    { length: emit.sub(content, head), first: own(turn), step: 1 },
    { length: emit.sub(active, front), first: front, step: 1 },
    { length: emit.ints(after), first: own(contentEnd), step: 1 },
    // Of the batch's longest example there is no padding, and none is longer.
    {
      length: emit.sub(longest, emit.add(contentEnd, emit.ints(after))),
      first: emit.ints(PADDING),
      step: 0,
    },
    { length: emit.sub(slots, active), first: active, step: 1 },
  ]);
  return { table, positions };
}

/** round(j · n / (C − 1)) in whole numbers, halves up. */
function anchorOffset(emit: Emitter, { choice, candidates }: SourceTableInputs, content: string): string {
  const twice = emit.mul(emit.mul(choice, content), emit.ints(2));
  return emit.div(emit.add(twice, emit.ints(candidates - 1)), emit.ints(2 * (candidates - 1)));
}
