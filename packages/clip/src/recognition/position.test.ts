import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import { PADDING, sourceTables, type AssemblyShape, type ExampleLayout } from '@dynaprompt/core';
import { miniClip } from '@dynaprompt/mini-models';
import {
  Emitter,
  findPatchEmbedding,
  findTokenEmbedding,
  float32,
  floatsOf,
  injectPrompts,
  int64,
  openSession,
  prepareGraph,
  tensorValues,
} from '@dynaprompt/onnx-autodiff';
import { loadTokenizer } from '@dynaprompt/text';
import { readPreprocessor } from '@dynaprompt/vision';
import { products, unitRows } from '../dual/unit-rows.js';
import { along, at, crossEntropy, derivative } from '../testing/numbers.js';
import { picture } from '../testing/pictures.js';
import { planOf } from '../testing/plans.js';
import { slotRow } from '../testing/slot-rows.js';
import { openClip } from './open-clip.js';

const WIDTH = 192;
const SLOTS = 2;
const PATCHES = 64;
const classNames = ['cat', 'a red flag'];
const labels = [1];
const file = join(miniClip, 'onnx/model.onnx');

/** Runs a tower with all its rows [B, T, d] laid open. */
async function openTower(
  output: string,
  find: (graph: ReturnType<typeof prepareGraph>) => string,
): Promise<
  (rows: Float32Array, feeds: Readonly<Record<string, ReturnType<typeof int64>>>) => Promise<Float32Array>
> {
  const graph = prepareGraph(file);
  injectPrompts(graph, find(graph), WIDTH);
  for (const name of [...graph.outputs.keys()]) if (name !== output) graph.outputs.delete(name);
  graph.prune();
  for (const name of [...graph.inputs.keys()])
    if (graph.consumers(name).length === 0) graph.inputs.delete(name);
  const session = await openSession(graph, { threads: 1 });
  return async (rows, feeds) => {
    const [batch = 1] = Object.values(feeds)[0]?.dims ?? [];
    const total = rows.length / WIDTH / batch;
    const order = Array.from({ length: batch * total }, (_, index) => index % total);
    const results = await session.run({
      ...feeds,
      prompt_embeddings: float32(rows, [batch, total, WIDTH]),
      prompt_order: int64(order, [batch, total]),
    });
    return floatsOf(results[output]);
  };
}

/** The rows of a candidate: of the prompt [l, d] and of the own sequence. */
function assemble(
  shape: AssemblyShape,
  layout: ExampleLayout,
  candidate: number,
  rowAt: (source: number, place: number) => ArrayLike<number>,
): Float32Array {
  const rows = new Float32Array(shape.total * WIDTH);
  sourceTables(shape, [layout], Int32Array.of(candidate)).forEach((source, place) => {
    if (source !== PADDING) rows.set(rowAt(source, place), place * WIDTH);
  });
  return rows;
}

it.each([
  ['split', 3],
  ['insert', 3],
] as const)('the gradient of the position, in both towers at once: %s', async (mode, candidates) => {
  const backbone = await openClip(miniClip, { classNames, reserve: SLOTS, prompts: 'both', threads: 1 });
  const example = picture('one');
  const head = backbone.initialHead(2);
  const chosen = 1;
  const plan = planOf({ batch: 1, slots: SLOTS, width: WIDTH, mode, candidates, choice: [chosen] });
  const batch = { examples: [example], labels: Int32Array.from(labels) };
  const step = await backbone.differentiate(batch, plan, head, { position: true, gates: false });
  await backbone.release();

  const graph = prepareGraph(file);
  const valuesOf = (name: string): Float32Array => {
    const tensor = graph.initializers.get(name);
    if (!tensor) throw new Error(`no tensor ${name}`);
    return Float32Array.from(tensorValues(tensor), Number);
  };
  const tokens = valuesOf(findTokenEmbedding(graph).table);
  const table = valuesOf('vision_model.embeddings.position_embedding.weight').slice(WIDTH);
  const { encode, single } = await loadTokenizer(miniClip);
  const texts = classNames.map((name) => [...single.before, ...encode(name), ...single.after]);
  const total = Math.max(...texts.map((ids) => ids.length)) + SLOTS;
  const row = (values: Float32Array, index: number): Float32Array =>
    values.subarray(index * WIDTH, (index + 1) * WIDTH);
  const shape = { mode, candidates, slots: SLOTS };
  const textRows = (ids: readonly number[], candidate: number): Float32Array =>
    assemble(
      { ...shape, total },
      { before: 1, content: ids.length - 2, after: 1, active: SLOTS },
      candidate,
      (source) => (source < SLOTS ? row(plan.prompts, source) : row(tokens, ids[source - SLOTS] ?? 0)),
    );
  const weight = head.get('coupling.weight')?.values ?? new Float32Array();
  const bias = head.get('coupling.bias')?.values ?? new Float32Array();
  const coupled = Float32Array.from({ length: SLOTS * WIDTH }, (_, index) => {
    const [slot, column] = [Math.floor(index / WIDTH), index % WIDTH];
    let sum = at(bias, column);
    for (let from = 0; from < WIDTH; from++)
      sum += at(plan.prompts, slot * WIDTH + from) * at(weight, from * WIDTH + column);
    return sum;
  });
  const preprocessor = readPreprocessor(join(miniClip, 'preprocessor_config.json'));
  if (example.image.kind !== 'pixels') throw new Error('the picture is pixels');
  const pixels = float32(await preprocessor.pixelValues(example.image), [1, 3, 64, 64]);
  const patches = await patchRows(pixels);
  const imageRows = (candidate: number): Float32Array =>
    assemble(
      { ...shape, total: 1 + PATCHES + SLOTS },
      { before: 1, content: PATCHES, after: 0, active: SLOTS },
      candidate,
      (source, place) =>
        source < SLOTS
          ? along(row(coupled, source).slice(), slotRow(table, WIDTH, place - 1, SLOTS), 1)
          : row(patches, source - SLOTS),
    );
  const text = await openTower('text_embeds', (one) => findTokenEmbedding(one).tensor);
  const image = await openTower('image_embeds', (one) => findPatchEmbedding(one).tensor);
  /** The loss of E + ε C_j in both towers. */
  const lossOf = async (candidate: number, by: number): Promise<number> => {
    const mixed = texts.map((ids) => along(textRows(ids, chosen), textRows(ids, candidate), by));
    const all = new Float32Array(texts.length * total * WIDTH);
    mixed.forEach((rows, index) => {
      all.set(rows, index * total * WIDTH);
    });
    const ids = new Int32Array(texts.length * total).fill(1);
    const mask = new Int32Array(ids.length);
    texts.forEach((own, index) => {
      const end = own.length + SLOTS;
      mask.fill(1, index * total, index * total + end);
      ids[index * total + end - 1] = 3; // where the text is pooled
    });
    const dims = [texts.length, total];
    const t = await text(all, { input_ids: int64(ids, dims), attention_mask: int64(mask, dims) });
    const v = await image(along(imageRows(chosen), imageRows(candidate), by), { pixel_values: pixels });
    const logits = products(unitRows(v, 128), unitRows(t, 128), 128).map(
      (cosine) => cosine * Math.exp(2.778517007827759),
    );
    if (by === 0) expect(Math.abs(crossEntropy(logits, labels) - step.loss)).toBeLessThan(1e-5);
    return crossEntropy(logits, labels);
  };
  await lossOf(0, 0);
  for (let candidate = 0; candidate < candidates; candidate++) {
    const numeric = await derivative((by) => lossOf(candidate, by), 0.01);
    const gradient = at(step.plan.position ?? [], candidate);
    expect(Math.abs(gradient - numeric)).toBeLessThan(0.01 * Math.abs(numeric) + 2e-3);
  }
});

/** Class token and patches [65, d] with their positions. */
async function patchRows(pixels: ReturnType<typeof float32>): Promise<Float32Array> {
  const graph = prepareGraph(file);
  const { tensor } = findPatchEmbedding(graph);
  graph.outputs.clear();
  new Emitter(graph).output('rows', tensor);
  graph.prune();
  for (const name of ['input_ids', 'attention_mask']) graph.inputs.delete(name);
  const session = await openSession(graph, { threads: 1 });
  const results = await session.run({ pixel_values: pixels });
  await session.release();
  return floatsOf(results.rows);
}
