import { DataType, type Emitter } from '@dynaprompt/onnx-autodiff';
import { emitSourceTable, type EmittedPrompt } from '@dynaprompt/onnx-export';
import type { AssemblyShape } from '@dynaprompt/core';
import { isTrained, type Head } from '../backbone/head.js';
import { promptIdOf } from '../backbone/batch.js';
import { INPUT } from '../backbone/names.js';
import type { OwnSequence } from './own-sequence.js';

/** What the arrangement depends on besides the examples and their prompts. */
export interface ArrangementOptions {
  readonly mode: AssemblyShape['mode'];
  readonly candidates: number;
  /** Framing tokens of every example. */
  readonly before: number;
  readonly after: number;
  readonly padId: number;
  readonly head: Head;
}

/**
 * `assembleBatch` for inference in operators: puts prompts and tokens in place.
 * @returns tensors by the names of {@link INPUT} that they stand in for.
 */
export function emitPromptedInputs(
  emit: Emitter,
  own: OwnSequence,
  prompt: EmittedPrompt,
  options: ArrangementOptions,
): Record<string, string> {
  const { choice, active, kept } = prompt;
  const { table, positions } = emitSourceTable(emit, {
    ...options,
    lengths: own.lengths,
    choice,
    active,
    slots: kept,
  });
  const none = emit.ints(0);
  const isToken = emit.op('GreaterOrEqual', [table, kept]);
  const token = emit.op('Max', [emit.sub(table, kept), none]);
  const isPrompt = emit.op('And', [emit.op('GreaterOrEqual', [table, none]), emit.op('Less', [table, kept])]);
  const isActive = emit.op('And', [isPrompt, emit.op('Less', [table, active])]);
  const ofTokens = (values: string, elsewhere: number): string =>
    emit.op('Where', [
      isToken,
      emit.op('GatherElements', [values, token], { axis: 1 }),
      emit.ints(elsewhere),
    ]);
  const pooled = pooledPositions(emit, own, options.head, { table, kept, isToken });
  return {
    [INPUT.ids]: emit.op('Where', [
      isPrompt,
      emit.ints(promptIdOf(options.padId)),
      ofTokens(own.ids, options.padId),
    ]),
    [INPUT.mask]: emit.cast(emit.op('Or', [isToken, isActive]), DataType.int64),
    ...(own.types === undefined ? {} : { [INPUT.types]: ofTokens(own.types, 0) }),
    [INPUT.prompts]: prompt.prompts,
    [INPUT.order]: emit.op('Where', [isPrompt, table, emit.add(kept, positions)]),
    [INPUT.pooling]: pooled,
  };
}

/** [B, T] weights of the head's pooling: 1/n at own tokens, or 1 at [CLS] or the mask token. */
function pooledPositions(
  emit: Emitter,
  own: OwnSequence,
  head: Head,
  { table, kept, isToken }: { table: string; kept: string; isToken: string },
): string {
  if (isTrained(head) && head.pooling === 'mean') return meanOver(emit, isToken, own);
  const token = own.maskPosition ?? emit.ints(0);
  return emit.cast(emit.op('Equal', [table, emit.add(kept, token)]), DataType.float32);
}

/** 1/n where a boolean [B, T] holds, 0 elsewhere; n are the own tokens. */
export function meanOver(emit: Emitter, chosen: string, { lengths }: OwnSequence): string {
  return emit.div(emit.cast(chosen, DataType.float32), emit.cast(lengths, DataType.float32));
}
