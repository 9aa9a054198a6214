import { float32, int64, type TensorValue } from '../session/tensor-value.js';
import { WIDTH } from './attention-model.js';
import { randomFloats } from './random.js';

/** Where prompt rows (`P0`, `P1`, …) and tokens (ids) stand, one row an example; `-` is padding. */
export type Layout = readonly string[];

/** Inputs that put prompts where a layout says. */
export interface PromptBatch {
  readonly mask: TensorValue;
  /** Inputs of the prompted model but for the prompts. */
  readonly feeds: Readonly<Record<string, TensorValue>>;
  /** The further inputs of the gradient. */
  readonly targets: Readonly<Record<string, TensorValue>>;
  readonly prompts: TensorValue;
  /** The cells of the layout, split. */
  readonly cells: readonly (readonly string[])[];
}

/** A batch of that layout for a model of `testing/attention-model.ts`. */
export function batchOf(layout: Layout, promptLength: number): PromptBatch {
  const cells = layout.map((row) => row.split(' '));
  const [batch, length] = [cells.length, cells[0]?.length ?? 0];
  const ids = cells.map((row) =>
    row.filter((cell) => !cell.startsWith('P')).map((cell) => (cell === '-' ? 0 : Number(cell))),
  );
  const order = cells.map((row) => {
    let token = promptLength;
    return row.map((cell) => (cell.startsWith('P') ? Number(cell.slice(1)) : token++));
  });
  const slots = cells.map((row) =>
    Array.from({ length: promptLength }, (_, index) => row.indexOf(`P${index}`)),
  );
  const mask = cells.map((row) => row.map((cell) => (cell === '-' ? 0 : 1)));
  const prompts = float32(randomFloats(50, batch * promptLength * WIDTH), [batch, promptLength, WIDTH]);
  const inputs = {
    ids: int64(ids.flat(), [batch, ids[0]?.length ?? 0]),
    mask: int64(mask.flat(), [batch, length]),
  };
  return {
    mask: inputs.mask,
    cells,
    prompts,
    feeds: {
      input_ids: inputs.ids,
      attention_mask: inputs.mask,
      prompt_order: int64(order.flat(), [batch, length]),
    },
    targets: {
      prompt_slots: int64(slots.flat(), [batch, promptLength]),
      labels: int64(
        Array.from({ length: batch }, (_, index) => index % 3),
        [batch],
      ),
    },
  };
}

/** Layouts worth testing, with a name and the number of prompt rows. */
export const layouts: readonly (readonly [string, number, Layout])[] = [
  ['at the start', 2, ['P0 P1 1 2 3', 'P0 P1 4 5 6', 'P0 P1 7 8 9']],
  ['at the end', 2, ['1 2 3 P0 P1', '4 5 6 P0 P1', '7 8 9 P0 P1']],
  ['in the middle of a batch of 1', 3, ['1 P0 P1 P2 2 3 4 5 6 7 8 9']],
  ['interleaved and out of order', 2, ['P1 1 P0 2 3', '4 P0 5 6 P1']],
  ['at places of their own in each example', 1, ['P0 1 2 3', '4 P0 5 6', '7 8 9 P0']],
  ['in a padded batch', 2, ['1 P0 P1 2 3 4', '5 P0 P1 6 - -', '7 P0 P1 - - -']],
  ['alone', 1, ['P0']],
];
