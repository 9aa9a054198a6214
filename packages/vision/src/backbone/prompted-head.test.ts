import { afterAll, describe, expect, it } from '@jest/globals';
import { join } from 'node:path';
import { sourceTables } from '@dynaprompt/core';
import {
  addSlotPositions,
  DataType,
  Emitter,
  findPatchEmbedding,
  float32,
  floatsOf,
  Graph,
  injectPrompts,
  int64,
  openSession,
  prepareGraph,
  widenPositionBiases,
  type TensorValue,
} from '@dynaprompt/onnx-autodiff';
import { openVisionBackbone } from '../open-vision-backbone.js';
import {
  LABELS,
  PATCHES,
  pictureOf,
  pixelsOf,
  temporaryFolder,
  VISION_MODELS,
  WIDTH,
  writeFixture,
  type FixtureModel,
} from '../testing/fixture-folders.js';
import { at, distance, inner, normals, planOf } from '../testing/plans.js';

const SLOTS = 3;
const BATCH = 2;
const examples = ['a', 'b'].map((name) => pictureOf(name));
const prompts = normals('prompts', BATCH * SLOTS * WIDTH, 0.5);
const choice = [1, 3];
const { folder, remove } = temporaryFolder();
afterAll(remove);

/** Last hidden state of class tokens and patches alone, [B, rows, d], where prompts took part. */
async function ownStates(
  { hidden, special, hasPositions }: FixtureModel,
  file: string,
): Promise<TensorValue> {
  const rows = special + PATCHES;
  const graph = prepareGraph(file);
  const patches = findPatchEmbedding(graph);
  const injection = injectPrompts(graph, patches.tensor, WIDTH);
  widenPositionBiases(graph, injection);
  if (hasPositions) addSlotPositions(graph, injection, patches);
  graph.outputs.clear();
  new Emitter(graph).output('states', hidden);
  graph.prune();
  for (const input of [...graph.inputs.keys()])
    if (graph.consumers(input).length === 0) graph.inputs.delete(input);
  const shape = { mode: 'split', candidates: SLOTS + 1, slots: SLOTS, total: rows + SLOTS } as const;
  const layout = { before: special, content: PATCHES, after: 0, active: SLOTS };
  const tables = sourceTables(shape, [layout, layout], Int32Array.from(choice));
  const session = await openSession(graph, { threads: 1 });
  const results = await session.run({
    pixel_values: pixelsOf(examples),
    prompt_embeddings: float32(prompts, [BATCH, SLOTS, WIDTH]),
    prompt_order: int64(tables, [BATCH, rows + SLOTS]),
    ...(hasPositions ? { active_prompts: int64([SLOTS, SLOTS], [BATCH]) } : {}),
  });
  await session.release();
  const own = floatsOf(results.states).filter((_, index) => at(tables, Math.floor(index / WIDTH)) >= SLOTS);
  return float32(own, [BATCH, rows, WIDTH]);
}

/** Runs what of a file is behind its last hidden state. */
async function headOf(
  file: string,
  hidden: string,
  output: string,
  states: TensorValue,
): Promise<Float32Array> {
  const graph = Graph.read(file);
  graph.replaceUses(hidden, 'given');
  graph.inputs.clear();
  graph.inputs.set('given', { name: 'given', dataType: DataType.float32, dims: ['B', 'rows', WIDTH] });
  graph.outputs.clear();
  graph.outputs.set(output, { name: output, dataType: DataType.float32, dims: undefined });
  graph.prune();
  const session = await openSession(graph, { threads: 1 });
  const results = await session.run({ given: states });
  await session.release();
  return floatsOf(results[output]);
}

describe('a head that pools rows passes over prompts', () => {
  const pooling = ['beit', 'siglip, image tower', 'siglip, both towers'] as const;
  it.each(pooling)('pooled by %s', async (name) => {
    const fixture = VISION_MODELS[name];
    const location = writeFixture(join(folder, name), fixture);
    const backbone = await openVisionBackbone(location, {
      threads: 1,
      reserve: SLOTS,
      head: { kind: 'linear', classes: 2, pooling: 'pooled' },
    });
    const file = join(location, fixture.file);
    const pooled = await headOf(file, fixture.hidden, fixture.pooled, await ownStates(fixture, file));
    const weight = normals('weight', 2 * WIDTH);
    const head = new Map([
      ...backbone.initialHead(0),
      ['head.weight', { shape: [2, WIDTH], values: weight }],
    ]);
    const plan = planOf({ batch: BATCH, slots: SLOTS, width: WIDTH, prompts, choice });
    const expected = [0, 1, 2, 3].map((index) =>
      inner(
        pooled.subarray((index >> 1) * WIDTH, ((index >> 1) + 1) * WIDTH),
        weight.subarray((index & 1) * WIDTH, ((index & 1) + 1) * WIDTH),
      ),
    );
    expect(distance(await backbone.predict(examples, plan, head), expected)).toBeLessThan(1e-5);
    await backbone.release();
  });

  it.each(['vit', 'deit', 'beit'] as const)(
    "read by the classifier of %s, in the order of the data's classes",
    async (name) => {
      const fixture = VISION_MODELS[name];
      const location = writeFixture(join(folder, `own ${name}`), fixture);
      const columns = [3, 0, 4, 2];
      const classes = ['fire truck', 'House cat', 'bird', 'crane, machine'];
      const backbone = await openVisionBackbone(location, {
        threads: 1,
        reserve: SLOTS,
        head: { kind: 'own', classes },
      });
      const file = join(location, fixture.file);
      const chosen = (logits: Float32Array): number[] =>
        [0, 1].flatMap((row) => columns.map((column) => at(logits, row * LABELS.length + column)));
      const logits = chosen(await headOf(file, fixture.hidden, 'logits', await ownStates(fixture, file)));
      const plan = planOf({ batch: BATCH, slots: SLOTS, width: WIDTH, prompts, choice });
      expect(backbone.initialHead(1).size).toBe(0);
      expect(backbone.classes).toBe(4);
      expect(distance(await backbone.predict(examples, plan, new Map()), logits)).toBeLessThan(1e-5);
      const graph = Graph.read(file);
      const session = await openSession(graph, { threads: 1 });
      const free = chosen(floatsOf((await session.run({ pixel_values: pixelsOf(examples) })).logits));
      await session.release();
      expect(distance(await backbone.predict(examples, undefined, new Map()), free)).toBeLessThan(1e-5);
      const labels = Int32Array.of(1, 3);
      const step = await backbone.differentiate({ examples, labels }, plan, new Map(), {
        position: false,
        gates: false,
      });
      expect(distance(step.logits, logits)).toBeLessThan(1e-5);
      expect(Math.max(...step.plan.prompts.map(Math.abs))).toBeGreaterThan(1e-4);
      await backbone.release();
    },
  );
});
