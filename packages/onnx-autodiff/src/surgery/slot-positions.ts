import { StructureNotFoundError } from '../errors.js';
import { Emitter } from '../graph/emitter.js';
import type { Graph } from '../graph/graph.js';
import { DataType } from '../graph/types.js';
import { placeRows, type PromptInjection } from './prompts.js';
import type { PatchEmbedding } from './structure.js';

/** What an image's slots give to the prompts that stand in them. */
export interface SlotPositions {
  /** Graph input, int64 [B]: k, the active rows of each example's prompt; l where all are. */
  readonly active: string;
  /** [n, d] position embeddings of the patches. */
  readonly table: string;
  /** Rows in front of the patches, which count as no slots: class token, distillation token, registers. */
  readonly special: number;
}

/**
 * Gives the prompts of a vision transformer positions: attention does not see where a row stands, and the model has added its
 * position embeddings to the patches before prompts come in. A prompt in slot t of the n patches and k active prompts
 * (t = 0 … n + k − 1, class and distillation token not counted) receives the frozen table resized to n + k along the order of
 * tokens:
 *
 *     u = clip((t + ½) · n / (n + k) − ½, 0, n − 1)      f = u − ⌊u⌋
 *     v_t = (1 − f) · table[⌊u⌋] + f · table[min(⌊u⌋ + 1, n − 1)]
 *
 * That is linear interpolation between the centres of slots, ONNX's Resize in mode `linear`, `half_pixel`; bicubic, as models
 * resize their tables to larger images, takes a grid, which patches with prompts between them are none. Patches and special
 * tokens keep what they have. v_t depends on k, not on l: inactive rows, which stand behind all others, change no other row's
 * position, and get that of the last patch. Prompts of deeper layers get none: they replace states, not embeddings.
 *
 * dL/dprompts remains the rows of dL/dE. The position gradient needs more than ⟨dL/dE_t, E_u⟩: see {@link appendPositionScores}.
 * @param patches what the prompts were injected into, found before that.
 * @param suffix that of the injection.
 * @throws StructureNotFoundError if the model has no position embeddings. Models of relative positions (BEiT) tell where a patch
 * stands in the attention between patches, which is 0 for prompts (see {@link widenPositionBiases}): a place means nothing there.
 */
export function addSlotPositions(
  graph: Graph,
  injection: PromptInjection,
  patches: PatchEmbedding,
  suffix = '',
): SlotPositions {
  const { positions, special, registers = 0 } = patches;
  if (positions === undefined) {
    throw new StructureNotFoundError({
      subject: graph.source,
      problem: 'it adds no position embeddings to its patches, so where a prompt stands changes nothing',
      remedy: 'Use prompts at a fixed position with this model',
    });
  }
  const emit = new Emitter(graph);
  const active = emit.input({
    name: `active_prompts${suffix}`,
    dataType: DataType.int64,
    dims: [`batch_size${suffix}`],
  });
  const end = emit.ints(Number.MAX_SAFE_INTEGER);
  const rows = emit.squeeze(positions, [0]);
  const table = emit.op('Slice', [rows, emit.ints(special - registers), end, emit.ints(0)]);
  const slots = { active, table, special };
  const { prompts, order, content, embeddings } = injection;
  const placed = emit.add(prompts, slotRows(emit, slots, promptSlots(emit, prompts, order)));
  // `sources` stays as it is for the scores, which are of rows without a place.
  const placing = graph.producer(embeddings);
  if (placing) graph.remove(placing);
  placeRows(emit, emit.concat([placed, content], 1), order, embeddings);
  return slots;
}

/** What `positionGradient` of @dynaprompt/core takes. */
export interface PositionScoreTensors {
  /** [B, T, l + rows] ⟨dL/dE_t, row⟩ of each row of [prompts; content] as it is without a place. */
  readonly scores: string;
  /** [B, T] ⟨dL/dE_t, v_t⟩ */
  readonly promptSlotScores: string;
}

/**
 * Scores for the straight-through gradient of the position where slots have positions: the candidate that lets row r stand in
 * slot t earns ⟨dL/dE_t, row_r⟩, and ⟨dL/dE_t, v_t⟩ where r is a row of the prompt. v_t is the same for all candidates of one
 * length k, which counts as given. Scores against E itself would count the chosen slot's v in every other slot too.
 * @param gradient dL/dE [B, T, d] of `injection.embeddings`.
 */
export function appendPositionScores(
  emit: Emitter,
  { sources }: PromptInjection,
  slots: SlotPositions,
  gradient: string,
): PositionScoreTensors {
  const scores = emit.fusedMatMul(gradient, sources, 0, 1);
  const every = emit.unsqueeze(range(emit, emit.extents(gradient, 1)), [0]);
  const products = emit.mul(gradient, slotRows(emit, slots, every));
  return { scores, promptSlotScores: emit.reduceSum(products, [-1], 0) };
}

/** v_t [B, m, d] of the positions `places` [B or 1, m] in a prompted sequence. */
function slotRows(emit: Emitter, { active, table, special }: SlotPositions, places: string): string {
  const float = (tensor: string): string => emit.cast(tensor, DataType.float32);
  const rows = emit.extents(table, 0);
  const patches = float(rows);
  const last = emit.sub(patches, emit.float(1));
  const count = emit.add(patches, emit.unsqueeze(float(active), [1])); // [B, 1]
  const centre = emit.add(float(places), emit.float(0.5 - special));
  const resized = emit.sub(emit.div(emit.mul(centre, patches), count), emit.float(0.5));
  const coordinate = emit.op('Min', [emit.op('Max', [resized, emit.float(0)]), last]); // [B, m]
  const floor = emit.op('Floor', [coordinate]);
  const lower = emit.cast(floor, DataType.int64);
  const upper = emit.op('Min', [emit.add(lower, emit.ints(1)), emit.sub(rows, emit.ints(1))]);
  const [low, high] = [lower, upper].map((index) => emit.op('Gather', [table, index])) as [string, string];
  const share = emit.unsqueeze(emit.sub(coordinate, floor), [-1]);
  return emit.add(low, emit.mul(share, emit.sub(high, low)));
}

/** [B, l] the position at which each prompt row stands; 0 for one that stands nowhere. */
function promptSlots(emit: Emitter, prompts: string, order: string): string {
  const row = emit.unsqueeze(range(emit, emit.extents(prompts, 1)), [1]); // [l, 1]
  const isHere = emit.op('Equal', [emit.unsqueeze(order, [1]), row]); // [B, l, T]
  return emit.op('ArgMax', [emit.cast(isHere, DataType.float32)], { axis: 2, keepdims: 0 });
}

/** 0 … count − 1 for a count [1]. */
function range(emit: Emitter, count: string): string {
  return emit.op('Range', [emit.int(0), emit.squeeze(count, [0]), emit.int(1)]);
}
