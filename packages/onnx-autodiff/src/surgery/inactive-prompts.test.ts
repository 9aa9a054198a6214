import { describe, expect, it } from '@jest/globals';
import { Emitter } from '../graph/emitter.js';
import { float32, floatsOf, int64, type TensorValue } from '../session/tensor-value.js';
import {
  cellsOf,
  feedsOf,
  openFamily,
  orderOf,
  PATCHES,
  type Cell,
  type Source,
} from '../testing/families.js';
import { evaluate, relativeError } from '../testing/models.js';
import { randomFloats } from '../testing/random.js';
import { addKeyBias } from './attention.js';
import { widenPositionBiases } from './position-bias.js';
import { injectPrompts } from './prompts.js';
import { addSlotPositions } from './slot-positions.js';
import { findLastHiddenState, type PatchEmbedding } from './structure.js';

const [TEXT, IMAGE, DECODER] = ['input_ids', 'pixel_values', 'decoder_input_ids'] as const;
/** The gate of a token that is off, as adapters train with it. */
const OFF = Math.log(1e-10);
const SLOTS = 3;
const LENGTHS = [6, 4];

/** Decoders with attention to `encoder_hidden_states`. */
const CROSS = ['t5-decoder', 't5-decoder-merged', 'bart-decoder', 'bart-decoder-merged', 'mbart-decoder'];
/** Later tokens are seen by none before them: what stands last changes nothing, gated or not. */
const CAUSAL = [
  ...['gpt2', 'gpt2-merged', 'opt', 'llama', 'mistral', 'qwen2', 'qwen3-opset21'],
  ...['clip-text', 'clip', ...CROSS],
];
const families: readonly (readonly [string, Source])[] = [
  ...['bert-11', 'bert-14', 'bert-17', 'bert-opset14', 'bert-optimised', 'roberta', 'distilbert', 'electra'],
  ...['albert', 'mpnet', 'mpnet-optimised', 'deberta-v2', 'deberta-v3', 'modernbert', 'modernbert-17'],
  ...['t5-encoder', 't5-opset17', 't5', 'flan-t5', 'bart-encoder', 'mbart-encoder', 'siglip-text', 'siglip'],
  ...CAUSAL,
].map((name) => [name, TEXT] as const);
const decoders = ['t5', 'flan-t5'].map((name) => [name, DECODER] as const);
const images = ['vit', 'deit', 'beit', 'dinov2', 'clip-vision', 'clip', 'siglip-vision', 'siglip'].map(
  (name) => [name, IMAGE] as const,
);

/** Outputs of heads that take the mean over all rows, or the last row. */
const POOLS_ROWS: ReadonlySet<string> = new Set([
  ...['beit pixel_values logits', 'siglip-text input_ids pooler_output'],
  ...['t5-opset17', 'modernbert', 'modernbert-17'].map((name) => `${name} input_ids logits`),
  ...['logits_per_image', 'logits_per_text', 'text_embeds'].map((output) => `siglip input_ids ${output}`),
]);

/** Values of each output, those of padding and of rows that are off left out. */
type Outputs = Readonly<Record<string, readonly number[]>>;

function isOn(cell: Cell, active: number): boolean {
  return cell !== undefined && ('token' in cell || cell.prompt < active);
}

function comparable(
  results: Readonly<Record<string, TensorValue>>,
  name: string,
  source: Source,
  cells: readonly (readonly Cell[])[],
  active: number,
): Outputs {
  const [batch, length] = [cells.length, cells[0]?.length ?? 0];
  const compared = Object.entries(results).filter(
    ([output]) => !output.startsWith('present') && !POOLS_ROWS.has(`${name} ${source} ${output}`),
  );
  const values = compared.map(([output, value]) => {
    const all = [...floatsOf(value)];
    const [first = 0, second = 0] = value.dims;
    // OPT flattens its rows.
    const hasRows = second === length || (value.dims.length === 2 && first === batch * length);
    const columns = all.length / (batch * length);
    const own = hasRows ? all.filter((_, at) => isOn(cells.flat()[Math.floor(at / columns)], active)) : all;
    return [output, own] as const;
  });
  return Object.fromEntries(values);
}

/** Last hidden state and heads of a model whose prompt has `slots` rows, the first `active` of them on. */
async function outputsOf(
  name: string,
  source: Source,
  { slots, active, off = OFF }: { readonly slots: number; readonly active: number; readonly off?: number },
): Promise<Outputs> {
  const { graph, tensor, width, patches } = openFamily(name, source);
  const cells = cellsFor(patches, slots, active);
  const feeds = feedsOf(graph, source, cells);
  const injection = injectPrompts(graph, tensor, width);
  if (patches) widenPositionBiases(graph, injection);
  const hasPlaces = patches?.positions !== undefined;
  if (hasPlaces) addSlotPositions(graph, injection, patches);
  addKeyBias(graph, injection.embeddings);
  new Emitter(graph).output('hidden', findLastHiddenState(graph, injection.embeddings));
  const [batch, length] = [cells.length, cells[0]?.length ?? 0];
  const rows = randomFloats(3, batch * SLOTS * width).filter(
    (_, index) => Math.floor(index / width) % SLOTS < slots,
  );
  const bias = cells.flat().map((cell) => (cell && !isOn(cell, active) ? off : 0));
  const results = await evaluate(graph, {
    ...feeds,
    prompt_embeddings: float32(rows, [batch, slots, width]),
    prompt_order: orderOf(source, cells, slots),
    key_bias: float32(Float32Array.from(bias), [batch, length]),
    ...(hasPlaces ? { active_prompts: int64([active, active], [batch]) } : {}),
  });
  return comparable(results, name, source, cells, active);
}

/** The same of the model as it is. */
async function unprompted(name: string, source: Source): Promise<Outputs> {
  const { graph, tensor, patches } = openFamily(name, source);
  const cells = cellsFor(patches, 0, 0);
  new Emitter(graph).output('hidden', findLastHiddenState(graph, tensor));
  const results = await evaluate(graph, feedsOf(graph, source, cells));
  return comparable(results, name, source, cells, 0);
}

function cellsFor(
  patches: PatchEmbedding | undefined,
  slots: number,
  active: number,
): readonly (readonly Cell[])[] {
  if (!patches) return cellsOf(LENGTHS, 1, slots, active);
  const rows = PATCHES + patches.special;
  return cellsOf([rows, rows], patches.special, slots, active);
}

/** Largest relative L2 distance of an output. */
function difference(actual: Outputs, expected: Outputs): number {
  expect(Object.keys(actual)).toEqual(Object.keys(expected));
  expect(Object.keys(actual)).toContain('hidden');
  return Math.max(
    ...Object.entries(expected).map(([output, values]) => relativeError(actual[output] ?? [], values)),
  );
}

describe.each([...families, ...decoders, ...images])('%s, prompts in %s', (name, source) => {
  const isCausal = source === DECODER || (source === TEXT && CAUSAL.includes(name));
  it('of which one row is off is the prompt without that row', async () => {
    const [gated, shorter] = [
      await outputsOf(name, source, { slots: SLOTS, active: 2 }),
      await outputsOf(name, source, { slots: 2, active: 2 }),
    ];
    expect(difference(gated, shorter)).toBeLessThan(1e-5);
    if (isCausal) return;
    const ungated = await outputsOf(name, source, { slots: SLOTS, active: 2, off: 0 });
    expect(difference(ungated, shorter)).toBeGreaterThan(1e-3);
  });

  it('of which all rows are off is no prompt', async () => {
    const gated = await outputsOf(name, source, { slots: SLOTS, active: 0 });
    expect(difference(gated, await unprompted(name, source))).toBeLessThan(1e-5);
  });
});

it.each(CROSS)('%s: encoder states that are off are as if they were not there', async (name) => {
  const logits = async (states: number, isGated: boolean): Promise<readonly number[]> => {
    const { graph } = openFamily(name, TEXT);
    const width = 24;
    if (isGated) addKeyBias(graph, 'encoder_hidden_states');
    // The last two states are off.
    const bias = Float32Array.from({ length: states }, (_, state) => (state < states - 2 ? 0 : OFF));
    const results = await evaluate(graph, {
      input_ids: int64([5, 6, 7], [1, 3]),
      encoder_hidden_states: float32(randomFloats(4, states * width), [1, states, width]),
      encoder_attention_mask: int64(new Int32Array(states).fill(1), [1, states]),
      ...(isGated ? { key_bias: float32(bias, [1, states]) } : {}),
    });
    return [...floatsOf(results.logits)];
  };
  const shorter = await logits(4, false);
  expect(relativeError(await logits(6, true), shorter)).toBeLessThan(1e-5);
  expect(relativeError(await logits(6, false), shorter)).toBeGreaterThan(1e-3);
});
