import type { Emitter } from '@dynaprompt/onnx-autodiff';

/** A stretch of positions. `length` and `first` are int64 tensors that broadcast to [B, 1]. */
export interface Segment {
  readonly length: string;
  /** Value at the first position. */
  readonly first: string;
  /** Growth of the value from one position to the next. */
  readonly step: 0 | 1;
}

/** Int64 [T] the positions 0 … T − 1; `total` is int64 [1]. */
export function emitPositions(emit: Emitter, total: string): string {
  return emit.op('Range', [emit.int(0), emit.squeeze(total, [0]), emit.int(1)]);
}

/**
 * Int64 [B, T]: lays segments end to end over the positions and reads off each position's value. Positions behind the last
 * segment continue it.
 */
export function emitSegments(emit: Emitter, positions: string, segments: readonly Segment[]): string {
  let start: string | undefined;
  const placed = segments.map(({ length, first, step }) => {
    const offset = start === undefined ? positions : emit.sub(positions, start);
    start = start === undefined ? length : emit.add(start, length);
    return { end: start, value: step === 0 ? first : emit.add(first, offset) };
  });
  return placed
    .slice(0, -1)
    .reduceRight(
      (rest, { end, value }) => emit.op('Where', [emit.op('Less', [positions, end]), value, rest]),
      placed.at(-1)?.value ?? '',
    );
}
