import { ModelError } from '@dynaprompt/core';
import { DataType, type Emitter, type Graph } from '@dynaprompt/onnx-autodiff';
import { emitPositions, emitSegments, type Segment } from '@dynaprompt/onnx-export';
import { INPUT } from '../backbone/names.js';
import type { TemplatePart } from '../tokenization/template.js';
import type { Frame, Tokenizer } from '../tokenization/tokenizer.js';

/** The examples of a batch without prompts, in operators: what `encodeExample` makes. N is the longest example's length. */
export interface OwnSequence {
  /** Int64 [B, N] */
  readonly ids: string;
  /** Int64 [B, N], undefined where the model has no token types. */
  readonly types: string | undefined;
  /** Int64 [B, N] 1 at own tokens. */
  readonly mask: string;
  /** Int64 [B, 1] own tokens, framing included. */
  readonly lengths: string;
  /** Int64 [B, 1] position of the template's mask token; undefined without a template. */
  readonly maskPosition: string | undefined;
}

/** The model's inputs: int64 [B, T], padded at the end. */
export interface GivenInputs {
  readonly ids: string;
  readonly mask: string;
  readonly types: string | undefined;
}

/** [B, 1] Σ of int64 [B, T]. */
function rowSum(emit: Emitter, tensor: string): string {
  return emit.reduceSum(tensor, [1], 1);
}

/**
 * The given tokens, cut to the longest of the batch. Tokenisers that cut a long text at its end (transformers.js) lose the final
 * [SEP]: whatever stands last, the frame's final tokens take its place, as in a text that was cut before they were added.
 */
export function emitPlainSequence(emit: Emitter, given: GivenInputs, frame: Frame): OwnSequence {
  const lengths = rowSum(emit, given.mask);
  const longest = longestOf(emit, lengths);
  const positions = emitPositions(emit, longest);
  const cut = (tensor: string): string => emit.op('Slice', [tensor, emit.ints(0), longest, emit.ints(1)]);
  const ids = frame.after.reduce((row, id, index) => {
    const place = emit.sub(lengths, emit.ints(frame.after.length - index));
    return emit.op('Where', [emit.op('Equal', [positions, place]), emit.ints(id), row]);
  }, cut(given.ids));
  return {
    ids,
    types: given.types === undefined ? undefined : cut(given.types),
    mask: ownMask(emit, positions, lengths),
    lengths,
    maskPosition: undefined,
  };
}

/**
 * The given texts in the wording of a template. A second text is known by its token type.
 * @throws ModelError if the template asks for a second text that the model's inputs cannot tell from the first.
 */
export function emitTemplatedSequence(
  emit: Emitter,
  given: GivenInputs,
  template: readonly TemplatePart[],
  tokenizer: Tokenizer,
): OwnSequence {
  const { single, pair } = tokenizer;
  const all = rowSum(emit, given.mask);
  const none = emit.ints(0);
  const atLeastNone = (count: string): string => emit.op('Max', [count, none]);
  const isPair = emit.op('Greater', [secondTokens(emit, given, pair), none]);
  // In a pair, [CLS] a [SEP] have the first type, b [SEP] the second.
  const firstPart = emit.sub(all, secondTokens(emit, given, pair));
  const endOfFirst = emit.op('Where', [
    isPair,
    emit.ints(pair.between.length),
    emit.ints(single.after.length),
  ]);
  const first = atLeastNone(emit.sub(firstPart, emit.add(emit.ints(single.before.length), endOfFirst)));
  const second = atLeastNone(emit.sub(emit.sub(all, firstPart), emit.ints(pair.after.length)));

  const words: number[] = [];
  const width = emit.extents(given.ids, 1);
  const fixed = (ids: readonly number[]): Segment => {
    const start = emit.add(width, emit.ints(words.length));
    words.push(...ids);
    return { length: emit.ints(ids.length), first: start, step: 1 };
  };
  const segments: Segment[] = [fixed(single.before)];
  let end = emit.ints(single.before.length);
  let maskPosition: string | undefined;
  for (const part of template) {
    if (part.kind === 'mask') maskPosition = end;
    const segment = segmentOf(part);
    segments.push(segment);
    end = emit.add(end, segment.length);
  }
  const final = fixed(single.after);
  const lengths = emit.add(end, final.length);
  const positions = emitPositions(emit, longestOf(emit, lengths));
  // Padding reads any token.
  const table = emitSegments(emit, positions, [...segments, final, { length: none, first: none, step: 0 }]);
  const batch = emit.extents(given.ids, 0);
  const expand = (tensor: string, count: string): string =>
    emit.op('Expand', [tensor, emit.concat([batch, count], 0)]);
  const fixedTokens = expand(emit.reshape(emit.ints(...words), emit.ints(1, -1)), emit.ints(words.length));
  const places = expand(table, emit.op('Shape', [positions]));
  return {
    ids: emit.op('GatherElements', [emit.concat([given.ids, fixedTokens], 1), places], { axis: 1 }),
    types: given.types === undefined ? undefined : expand(typesOf(end), emit.op('Shape', [positions])),
    mask: ownMask(emit, positions, lengths),
    lengths,
    maskPosition: expand(maskPosition ?? none, emit.ints(1)),
  };

  function segmentOf(part: TemplatePart): Segment {
    switch (part.kind) {
      case 'words':
        return fixed(tokenizer.encode(part.words));
      case 'mask':
        return fixed([tokenizer.maskId ?? 0]);
      case 'text':
        return { length: first, first: emit.ints(single.before.length), step: 1 };
      case 'pair':
        requireTypes(emit.graph, given, pair);
        return { length: second, first: firstPart, step: 1 };
    }
  }

  function typesOf(contentEnd: string): string {
    const { first: type, after } = single.types;
    return emit.op('Where', [emit.op('Less', [positions, contentEnd]), emit.ints(type), emit.ints(after)]);
  }
}

/** [B, 1] own tokens of the second type; 0 where types do not tell. */
function secondTokens(emit: Emitter, { types, mask }: GivenInputs, pair: Frame): string {
  if (types === undefined || !typesTell(pair)) return emit.ints(0);
  const isSecond = emit.op('Equal', [types, emit.ints(pair.types.second)]);
  return rowSum(emit, emit.mul(emit.cast(isSecond, DataType.int64), mask));
}

function typesTell({ types }: Frame): boolean {
  return types.first !== types.second && types.between === types.first && types.after === types.second;
}

function requireTypes(graph: Graph, { types }: GivenInputs, pair: Frame): void {
  if (types !== undefined && typesTell(pair)) return;
  throw new ModelError({
    packageName: '@dynaprompt/text',
    subject: graph.source,
    problem: `its inputs do not tell the second text of a pair, which the template reads (no ${INPUT.types})`,
    remedy: 'Use a template without {pair}, or a model with token types',
  });
}

function longestOf(emit: Emitter, lengths: string): string {
  return emit.reshape(emit.reduceMax(lengths, [0], 1), emit.ints(1));
}

function ownMask(emit: Emitter, positions: string, lengths: string): string {
  return emit.cast(emit.op('Less', [positions, lengths]), DataType.int64);
}
