import {
  activeTokens,
  arrangeSequences,
  logGate,
  placeOf,
  promptFeeds,
  PROMPT_INPUT,
  type Arrangement,
  type Gating,
  type PromptedBatch,
} from '@dynaprompt/backbone';
import { PADDING, writeSourceTable, type ExampleLayout, type PromptPlan } from '@dynaprompt/core';
import { float32, int64, type TensorValue } from '@dynaprompt/onnx-autodiff';
import { TEXT_INPUT } from './names.js';
import type { TextTower } from './text-tower.js';

/** A text as tokens, special ones included; prompts stand around or within its content. */
export interface TokenRow {
  readonly ids: readonly number[];
  readonly layout: Omit<ExampleLayout, 'active'>;
}

/** Added to the attention scores of a token that is attended by nobody: e^x is 0 in single precision. */
const UNATTENDED = -1e9;

/** What the arrangement of texts depends on besides the texts. */
export type TextBatchOptions = Pick<
  TextTower,
  'graph' | 'width' | 'maximumTokens' | 'isCausal' | 'fillsUp'
> & {
  readonly padId: number;
};

/**
 * Puts prompts and tokens in place. A token that is off stands where it would stand if it was on, behind what it then would see,
 * and moves no other token's position: its gate has a gradient where later tokens cannot be seen, too.
 */
export function assembleTexts(
  rows: readonly TokenRow[],
  plan: PromptPlan | undefined,
  gating: Gating,
  options: TextBatchOptions,
): PromptedBatch {
  const active = activeTokens(plan, rows.length);
  const texts = options.fillsUp
    ? rows.map((row, index) => filledUp(row, options.maximumTokens - (active[index] ?? 0), options.padId))
    : rows;
  const plain = arrangeSequences(
    texts.map(({ layout }) => layout),
    plan,
    gating,
  );
  const places = placesOf(plain, plan, options.fillsUp);
  const arranged: Arrangement = { ...plain, places, slots: slotsOf(plain, places) };
  return { ...arranged, feeds: feedsOf(texts, plan, gating, arranged, options) };
}

/** A text with padding as closing tokens, `length` tokens long. */
function filledUp({ ids, layout }: TokenRow, length: number, padId: number): TokenRow {
  const missing = Math.max(0, length - ids.length);
  return {
    ids: [...ids, ...new Array<number>(missing).fill(padId)],
    layout: { ...layout, after: layout.after + missing },
  };
}

/**
 * Place in the model's row of every slot of a source table, [R, T]: as if all prompt tokens were on.
 * @param endsRow the last token of a text goes to the end of the row, behind what pads it.
 */
function placesOf(
  { shape, layouts, tables }: Arrangement,
  plan: PromptPlan | undefined,
  endsRow: boolean,
): Int32Array {
  const { slots, total } = shape;
  const places = new Int32Array(tables.length);
  const whole = new Int32Array(total);
  layouts.forEach((layout, row) => {
    const own = layout.before + layout.content + layout.after;
    writeSourceTable(whole, 0, shape, { ...layout, active: slots }, plan?.position.choice[row] ?? 0);
    if (endsRow) {
      whole.copyWithin(own + slots, own + slots - 1, total - 1);
      const last = slots + own - 1;
      whole.fill(PADDING, own + slots - 1, total - 1);
      whole[total - 1] = last;
    }
    const standing = new Map<number, number>();
    const padding: number[] = [];
    whole.forEach((source, place) => {
      if (source === PADDING) padding.push(place);
      else standing.set(source, place);
    });
    for (let slot = 0; slot < total; slot++) {
      const source = tables[row * total + slot] ?? PADDING;
      places[row * total + slot] = (source === PADDING ? padding.shift() : standing.get(source)) ?? slot;
    }
  });
  return places;
}

/** [R, l] place of each prompt row. */
function slotsOf({ shape, tables }: Arrangement, places: Int32Array): Int32Array {
  const { slots, total } = shape;
  const found = new Int32Array((tables.length / total) * slots);
  tables.forEach((source, at) => {
    if (source !== PADDING && source < slots)
      found[Math.floor(at / total) * slots + source] = places[at] ?? 0;
  });
  return found;
}

function feedsOf(
  texts: readonly TokenRow[],
  plan: PromptPlan | undefined,
  gating: Gating,
  arranged: Arrangement,
  { graph, width, isCausal, padId }: TextBatchOptions,
): Record<string, TensorValue> {
  const { shape, layouts, tables } = arranged;
  const { slots, total } = shape;
  const dims = [texts.length, total];
  const size = texts.length * total;
  const isSoft = gating === 'soft' && plan?.gates !== undefined;
  const hasMask = graph.inputs.has(TEXT_INPUT.mask);
  const ids = new Int32Array(size).fill(padId);
  const mask = new Int32Array(size);
  const positions = new Int32Array(size);
  const order = Int32Array.from({ length: size }, (_, at) => slots + (at % total));
  const keyBias = new Float32Array(size).fill(UNATTENDED);
  const gatedRows = new Float32Array(size).fill(1);
  const sources = new Int32Array(size).fill(PADDING);
  for (let at = 0; at < size; at++)
    sources[Math.floor(at / total) * total + placeOf(arranged, Math.floor(at / total), at % total)] =
      tables[at] ?? PADDING;
  let isCut = false;
  for (const [row, text] of texts.entries()) {
    const active = layouts[row]?.active ?? 0;
    let position = 0;
    for (let at = row * total; at < (row + 1) * total; at++) {
      const source = sources[at] ?? PADDING;
      // Nothing that is attended stands behind it, where later tokens cannot be seen.
      if (source === PADDING) {
        isCut ||= !isCausal;
        continue;
      }
      positions[at] = position;
      const isOff = source < slots && source >= active;
      if (!isOff) position++;
      mask[at] = isOff && !isSoft ? 0 : 1;
      isCut ||= isOff;
      keyBias[at] = source < slots && plan && isSoft ? logGate(plan, row, source) : isOff ? UNATTENDED : 0;
      if (isOff) gatedRows[at] = 0;
      if (source < slots) order[at] = source;
      // An id that no padding and no end of text has: models look for those.
      ids[at] = source < slots ? (padId === 0 ? 1 : 0) : (text.ids[source - slots] ?? padId);
    }
  }
  const own: Record<string, TensorValue> = {
    [TEXT_INPUT.ids]: int64(ids, dims),
    [TEXT_INPUT.mask]: int64(mask, dims),
    [TEXT_INPUT.types]: int64(new Int32Array(size), dims),
    [TEXT_INPUT.positions]: int64(positions, dims),
  };
  const feeds = Object.fromEntries(Object.entries(own).filter(([name]) => graph.inputs.has(name)));
  Object.assign(feeds, promptFeeds(plan, arranged, width), { [PROMPT_INPUT.order]: int64(order, dims) });
  if (isSoft || (isCut && !hasMask)) {
    feeds[PROMPT_INPUT.keyBias] = float32(keyBias, dims);
    if (isCausal) feeds[PROMPT_INPUT.gatedRows] = float32(gatedRows, dims);
  }
  return feeds;
}
