import { DataError } from '../errors.js';
import { checkLayout, PADDING, writeSourceTable } from './source-table.js';
import type { AssemblyShape, ExampleLayout } from './source-table.js';

/** What the backward pass of a backbone knows about the assembled input. */
export interface PositionScores {
  /** [B, T, M] ⟨dL/dE_t, row⟩ of every slot with every column's row. */
  readonly scores: Float32Array;
  /** M, columns of `scores`. */
  readonly columnCount: number;
  /**
   * [B, R] column of `scores` that holds row r of [prompt; sequence], −1 for a row that counts as zero. `undefined` means
   * column = row. Pass {@link rowSlots} when the columns are the slots of the assembled input.
   */
  readonly columns?: Int32Array | undefined;
  /**
   * [B, T] ⟨dL/dE_t, v_t⟩ for models that add a vector v_t of the slot to a prompt token, and only to prompt tokens (vision
   * transformers, whose patches carry their own).
   */
  readonly promptSlotScores?: Float32Array | undefined;
}

/**
 * Straight-through gradient of the position: dL/dg_j = ⟨dL/dE, C_j⟩ = Σ_t S[t, source_j(t)] for E = Σ_j g_j C_j, [B, C],
 * where C_j is the input assembled by candidate j. No candidate is ever assembled: the sum reads scores along each
 * candidate's index table.
 *
 * @param layouts [B]
 * @throws DataError when an array does not have the size its shape says, or an example does not fit.
 */
export function positionGradient(
  shape: AssemblyShape,
  layouts: readonly ExampleLayout[],
  given: PositionScores,
): Float32Array {
  const { total, candidates, slots } = shape;
  const { scores, columnCount, columns, promptSlotScores } = given;
  const batch = layouts.length;
  checkSize('scores', scores.length, batch * total * columnCount);
  if (promptSlotScores) checkSize('promptSlotScores', promptSlotScores.length, batch * total);
  const rows = rowsNeeded(slots, layouts);
  const stride = columns === undefined ? columnCount : columns.length / Math.max(batch, 1);
  if (stride < rows || !Number.isInteger(stride)) {
    throw wrongSize(columns === undefined ? 'columnCount' : 'columns per example', stride, rows);
  }

  const gradient = new Float32Array(batch * candidates);
  const table = new Int32Array(total);
  layouts.forEach((layout, example) => {
    checkLayout(shape, layout, example);
    for (let candidate = 0; candidate < candidates; candidate++) {
      writeSourceTable(table, 0, shape, layout, candidate);
      let sum = 0;
      for (let slot = 0; slot < total; slot++) {
        const source = table[slot] ?? PADDING;
        if (source === PADDING) continue;
        const column = columns === undefined ? source : (columns[example * stride + source] ?? -1);
        if (column >= 0) sum += scores[(example * total + slot) * columnCount + column] ?? 0;
        if (promptSlotScores && source < slots) sum += promptSlotScores[example * total + slot] ?? 0;
      }
      gradient[example * candidates + candidate] = sum;
    }
  });
  return gradient;
}

function rowsNeeded(slots: number, layouts: readonly ExampleLayout[]): number {
  return layouts.reduce(
    (most, { before, content, after }) => Math.max(most, slots + before + content + after),
    slots,
  );
}

function checkSize(subject: string, actual: number, expected: number): void {
  if (actual !== expected) throw wrongSize(subject, actual, expected);
}

function wrongSize(subject: string, actual: number, expected: number): DataError {
  return new DataError({
    packageName: '@dynaprompt/core',
    subject: `position gradient, ${subject}`,
    problem: `has size ${actual}, expected ${expected}`,
    remedy: 'Pass arrays of the shapes that the batch has',
  });
}
