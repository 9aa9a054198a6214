import type { PositionMode } from '../contracts/plan.js';
import { DataError } from '../errors.js';

/** Marks a slot of a {@link sourceTables source table} that holds padding. */
export const PADDING = -1;

/** What all examples of a batch share when prompts are put in place. */
export interface AssemblyShape {
  readonly mode: PositionMode;
  /** C, number of position candidates. */
  readonly candidates: number;
  /** l, slots of a prompt. */
  readonly slots: number;
  /** T, tokens of an assembled example: framing, content, padding and all l prompt tokens. */
  readonly total: number;
}

/** The parts of one example; its own unprompted sequence has `before + content + after` tokens. */
export interface ExampleLayout {
  /** Framing tokens before the content, e.g. 1 for [CLS]. */
  readonly before: number;
  /** n, tokens of the content. */
  readonly content: number;
  /** Framing tokens after the content, e.g. 1 for [SEP]. */
  readonly after: number;
  /** k ≤ l, active prompt tokens. */
  readonly active: number;
}

/** Content tokens that stand before insertion anchor `candidate`: C anchors evenly spaced over 0..n, rounded. */
export function anchorOffset(candidate: number, candidates: number, content: number): number {
  return Math.round((candidate * content) / (candidates - 1));
}

/**
 * Index tables that say what stands in every slot of the assembled input, [B, T]. A value in 0..l−1 is that row of the
 * prompt; l + s is token s of the example's own unprompted sequence, framing included; {@link PADDING} is padding.
 *
 * ```
 * split, candidate j   before  p_0..p_{min(j,k)−1}  x_0..x_{n−1}  p_{min(j,k)}..p_{k−1}  after  padding  p_k..p_{l−1}
 * insert, anchor a     before  x_0..x_{a−1}  p_0..p_{k−1}  x_a..x_{n−1}                  after  padding  p_k..p_{l−1}
 * ```
 *
 * Inactive prompt tokens stand behind the padding, where they shift no position embedding. Apart from padding every table
 * is a permutation of the rows of [prompt; sequence]. Source: Yang et al. 2023 (arXiv 2303.02909), section 3.
 *
 * @param layouts [B]
 * @param choice [B] chosen candidate of every example
 * @throws DataError when an example does not fit into T, or a choice or length is out of range.
 */
export function sourceTables(
  shape: AssemblyShape,
  layouts: readonly ExampleLayout[],
  choice: Int32Array,
): Int32Array {
  if (choice.length !== layouts.length) {
    throw misfit('batch', `${layouts.length} layouts but ${choice.length} choices`);
  }
  const tables = new Int32Array(layouts.length * shape.total);
  layouts.forEach((layout, example) => {
    checkLayout(shape, layout, example);
    const candidate = choice[example] ?? 0;
    if (candidate < 0 || candidate >= shape.candidates) {
      throw misfit(`example ${example}`, `candidate ${candidate} is not in 0..${shape.candidates - 1}`);
    }
    writeSourceTable(tables, example * shape.total, shape, layout, candidate);
  });
  return tables;
}

/** Writes the table of one example, already checked, to `target[start .. start + T)`. */
export function writeSourceTable(
  target: Int32Array,
  start: number,
  shape: AssemblyShape,
  layout: ExampleLayout,
  candidate: number,
): void {
  const { slots, total, mode } = shape;
  const { before, content, after, active } = layout;
  // Tokens of content and of prompt that stand before the place where the order turns.
  const head = mode === 'split' ? 0 : anchorOffset(candidate, shape.candidates, content);
  const front = mode === 'split' ? Math.min(candidate, active) : active;

  let slot = start;
  for (let token = 0; token < before + head; token++) target[slot++] = slots + token;
  for (let row = 0; row < front; row++) target[slot++] = row;
  for (let token = before + head; token < before + content; token++) target[slot++] = slots + token;
  for (let row = front; row < active; row++) target[slot++] = row;
  for (let token = 0; token < after; token++) target[slot++] = slots + before + content + token;
  const inactive = start + total - (slots - active);
  while (slot < inactive) target[slot++] = PADDING;
  for (let row = active; row < slots; row++) target[slot++] = row;
}

/**
 * Slot in which every row of [prompt; sequence] stands, [B, R], the inverse of {@link sourceTables}; −1 where an example has
 * no such row. R = `rows` = l gives the slots of the prompt alone. With R ≥ l + longest own sequence it is the column map
 * that makes {@link positionGradient} read scores ⟨dL/dE_t, E_u⟩ against the assembled input E.
 */
export function rowSlots(tables: Int32Array, batch: number, rows: number): Int32Array {
  const total = batch === 0 ? 0 : tables.length / batch;
  const inverse = new Int32Array(batch * rows).fill(-1);
  for (let example = 0; example < batch; example++) {
    for (let slot = 0; slot < total; slot++) {
      const source = tables[example * total + slot] ?? PADDING;
      if (source !== PADDING && source < rows) inverse[example * rows + source] = slot;
    }
  }
  return inverse;
}

/** Throws a {@link DataError} when an example's parts are impossible or do not fit into T tokens. */
export function checkLayout(shape: AssemblyShape, layout: ExampleLayout, example: number): void {
  const { before, content, after, active } = layout;
  if (![before, content, after, active].every((count) => Number.isInteger(count) && count >= 0)) {
    throw misfit(`example ${example}`, `layout ${JSON.stringify(layout)} has a part that is no count`);
  }
  if (active > shape.slots) {
    throw misfit(`example ${example}`, `${active} active tokens in a prompt of ${shape.slots} slots`);
  }
  const needed = before + content + after + shape.slots;
  if (needed > shape.total) {
    throw misfit(`example ${example}`, `needs ${needed} tokens, the batch has ${shape.total}`);
  }
}

function misfit(subject: string, problem: string): DataError {
  return new DataError({
    packageName: '@dynaprompt/core',
    subject: `assembly of ${subject}`,
    problem,
    remedy: 'Give every example a layout and a choice that fit the batch, or truncate its content',
  });
}
