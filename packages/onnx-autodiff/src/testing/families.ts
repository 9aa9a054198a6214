import { fileURLToPath } from 'node:url';
import { prepareGraph } from '../differentiate.js';
import type { Graph } from '../graph/graph.js';
import { DataType, type ValueInfo } from '../graph/types.js';
import { float32, int64, type TensorValue } from '../session/tensor-value.js';
import { findTokenEmbedding } from '../surgery/prompts.js';
import { findPatchEmbedding, type PatchEmbedding } from '../surgery/structure.js';
import { randomFloats, randomStream } from './random.js';

/** Where prompts go in: an input of token ids, or the image. */
export type Source = 'input_ids' | 'decoder_input_ids' | 'pixel_values';

/** A committed reference model. */
export interface Family {
  readonly graph: Graph;
  /** Tensor that prompts are injected into. */
  readonly tensor: string;
  readonly width: number;
  /** Of an image. */
  readonly patches: PatchEmbedding | undefined;
}

/** Rows of an image of 24 × 24 in patches of 6 × 6. */
export const PATCHES = 16;
/** A padding id of some and an ordinary id of others. */
const PAD = 1;
/** What stands for a prompt among the ids: no padding, nor the highest, at which CLIP pools. */
const PLACEHOLDER = 2;
const FIRST_ID = 3;
const VOCABULARY = 64;

export function openFamily(name: string, source: Source): Family {
  const file = fileURLToPath(new URL(`../../fixtures/${name}/model.onnx`, import.meta.url));
  const graph = prepareGraph(file, name.endsWith('-merged') ? { use_cache_branch: false } : {});
  const patches = source === 'pixel_values' ? findPatchEmbedding(graph) : undefined;
  const { tensor, width } = patches ?? findTokenEmbedding(graph, source);
  return { graph, tensor, width, patches };
}

/**
 * What stands in each row of an example: `{ prompt }` a row of the prompt, `{ token }` one of the example's own, nothing padding.
 */
export type Cell = { readonly prompt: number } | { readonly token: number } | undefined;

/** Rows of two examples with their own tokens around the first `active` rows of a prompt of `slots`; the others stand last. */
export function cellsOf(
  lengths: readonly number[],
  front: number,
  slots: number,
  active: number,
): readonly (readonly Cell[])[] {
  const longest = Math.max(...lengths);
  const prompt = (from: number, to: number): Cell[] =>
    Array.from({ length: Math.max(0, to - from) }, (_, row) => ({ prompt: from + row }));
  return lengths.map((length) => {
    const own: Cell[] = Array.from({ length }, (_, token) => ({ token }));
    const body = own.slice(front, -1);
    return [
      ...own.slice(0, front),
      ...prompt(0, Math.min(1, active)),
      ...body,
      ...prompt(1, active),
      ...own.slice(-1),
      ...Array.from({ length: longest - length }, () => undefined),
      ...prompt(active, slots),
    ];
  });
}

/**
 * The model's own inputs for rows of `source`: tokens by their number in the example, masks, ids of positions and types, an empty
 * cache, an image, and the other modality's tokens.
 */
export function feedsOf(
  graph: Graph,
  source: Source,
  cells: readonly (readonly Cell[])[],
): Record<string, TensorValue> {
  const [batch, length] = [cells.length, cells[0]?.length ?? 0];
  const ids = cells.flatMap((row, example) =>
    row.map((cell) => {
      if (cell === undefined) return PAD;
      return 'prompt' in cell ? PLACEHOLDER : tokenId(example, cell.token);
    }),
  );
  const mask = cells.flat().map((cell) => (cell === undefined ? 0 : 1));
  const positions = cells.flatMap((row) => row.map((_, place) => place));
  const own = (values: ArrayLike<number>): TensorValue => int64(Int32Array.from(values), [batch, length]);
  const other = (values: ArrayLike<number>): TensorValue =>
    int64(Int32Array.from(values), [batch, OTHER_LENGTH]);
  const ones = new Int32Array(batch * OTHER_LENGTH).fill(1);
  const value = ({ name, dataType, dims: declared = [] }: ValueInfo): TensorValue => {
    if (name === 'input_ids' || name === 'decoder_input_ids')
      return name === source ? own(ids) : other(otherTokens(batch));
    if (name === 'attention_mask') return source === 'input_ids' ? own(mask) : other(ones);
    if (name === 'position_ids') return own(positions);
    if (name === 'token_type_ids') return own(new Int32Array(batch * length));
    if (name === 'encoder_attention_mask') return other(ones);
    if (name === 'pixel_values') return float32(randomFloats(7, batch * 3 * 24 * 24), [batch, 3, 24, 24]);
    const extents = declared.map((extent, axis) =>
      axis === 0 ? batch : typeof extent === 'number' ? extent : name.startsWith('past') ? 0 : OTHER_LENGTH,
    );
    const size = extents.reduce((product, extent) => product * extent, 1);
    if (dataType === DataType.float32) return float32(randomFloats(8, size), extents);
    throw new Error(`the test does not know what ${name} is`);
  };
  return Object.fromEntries([...graph.inputs.values()].map((info) => [info.name, value(info)]));
}

/** Rows of [prompts; content] for cells; text is looked up where it stands, an image's rows come in a run. */
export function orderOf(source: Source, cells: readonly (readonly Cell[])[], slots: number): TensorValue {
  const order = cells.flatMap((row) =>
    row.map((cell, place) => {
      if (cell !== undefined && 'prompt' in cell) return cell.prompt;
      return slots + (source === 'pixel_values' && cell !== undefined ? cell.token : place);
    }),
  );
  return int64(order, [cells.length, cells[0]?.length ?? 0]);
}

const OTHER_LENGTH = 4;

function otherTokens(batch: number): number[] {
  const next = randomStream(9);
  return Array.from({ length: batch * OTHER_LENGTH }, () => FIRST_ID + Math.floor(next() * 50));
}

/** Token ids of an example; the last of a CLIP text is the highest. */
function tokenId(example: number, token: number): number {
  const next = randomStream(100 * example + token);
  return FIRST_ID + Math.floor(next() * (VOCABULARY - FIRST_ID));
}
