import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { sourceTables, type PositionMode } from '@dynaprompt/core';
import {
  Emitter,
  findPatchEmbedding,
  float32,
  floatsOf,
  injectPrompts,
  int64,
  openSession,
  prepareGraph,
} from '@dynaprompt/onnx-autodiff';
import { openVisionBackbone } from '../open-vision-backbone.js';
import {
  PATCHES,
  pictureOf,
  pixelsOf,
  temporaryFolder,
  VISION_MODELS,
  WIDTH,
  writeFixture,
  type FixtureModel,
} from '../testing/fixture-folders.js';
import { at, crossEntropy, derivative, hardGates, normals, planOf } from '../testing/plans.js';

const SLOTS = 3;
const BATCH = 2;
const CLASSES = 3;
const examples = ['a', 'b'].map((name) => pictureOf(name));
const labels = [2, 0];
const prompts = normals('prompts', BATCH * SLOTS * WIDTH, 0.5);
const weight = normals('weight', CLASSES * WIDTH, 0.4);
const { folder, remove } = temporaryFolder();
afterAll(remove);

/** Rows of pictures, [B, rows, d], and positions of patches, [16, d], as the model computes them. */
async function rowsOf(file: string): Promise<{ content: Float32Array; table: Float32Array }> {
  const graph = prepareGraph(file);
  const { tensor, positions, special, registers = 0 } = findPatchEmbedding(graph);
  for (const name of [...graph.inputs.keys()]) if (name !== 'pixel_values') graph.inputs.delete(name);
  graph.outputs.clear();
  const emit = new Emitter(graph);
  emit.output('content', tensor);
  emit.output('positions', positions);
  graph.prune();
  const session = await openSession(graph, { threads: 1 });
  const results = await session.run({ pixel_values: pixelsOf(examples) });
  await session.release();
  const table = floatsOf(results.positions).slice((special - registers) * WIDTH);
  expect(table).toHaveLength(PATCHES * WIDTH);
  return { content: floatsOf(results.content), table };
}

/** v_t: the table of positions resized linearly to `count` more rows, at slot t behind class token and registers. */
function slotRow(table: Float32Array, count: number, slot: number): number[] {
  const place = ((slot + 0.5) * PATCHES) / (PATCHES + count) - 0.5;
  const u = Math.min(PATCHES - 1, Math.max(0, place));
  const low = Math.floor(u);
  const high = Math.min(low + 1, PATCHES - 1);
  return Array.from({ length: WIDTH }, (_, column) => {
    const [from, to] = [at(table, low * WIDTH + column), at(table, high * WIDTH + column)];
    return from + (u - low) * (to - from);
  });
}

type Case = [PositionMode, number, number[], number[] | undefined];
const cases: Case[] = [
  ['split', SLOTS + 1, [2, 0], [3, 2]],
  ['insert', 4, [0, 3], undefined],
];
const families = ['vit', 'deit', 'dinov2', 'dinov2 with registers', 'clip, both towers'] as const;

describe.each(families)('position gradient of %s', (name) => {
  it.each(cases)(
    '%s of %i candidates, choices %j, active %j: equals finite differences of the mixture E = Σ g_j C_j',
    async (mode, candidates, choice, active) => {
      const fixture: FixtureModel = VISION_MODELS[name];
      const location = writeFixture(join(folder, `${name} ${mode}`), fixture);
      const file = join(location, fixture.file);
      const backbone = await openVisionBackbone(location, {
        threads: 1,
        reserve: SLOTS,
        head: { kind: 'linear', classes: CLASSES, pooling: 'cls' },
      });
      const values = { shape: [CLASSES, WIDTH], values: weight };
      const head = new Map([...backbone.initialHead(1), ['head.weight', values]]);
      const gates = active && hardGates(active, SLOTS);
      const parts = { batch: BATCH, slots: SLOTS, width: WIDTH, prompts, mode, candidates, choice };
      const plan = planOf({ ...parts, ...(gates && { gates }) });
      const asked = { position: true, gates: false };
      const batch = { examples, labels: Int32Array.from(labels) };
      const step = await backbone.differentiate(batch, plan, head, asked);
      await backbone.release();

      const { content, table } = await rowsOf(file);
      const own = fixture.special + PATCHES;
      const total = own + SLOTS;
      const count = (example: number): number => active?.[example] ?? SLOTS;
      const layouts = [0, 1].map((example) => {
        return { before: fixture.special, content: PATCHES, after: 0, active: count(example) };
      });
      /** C_j [B, T, d] of every example, prompts with the position of the slot they stand in. */
      const assembled = (chosen: readonly number[]): Float32Array => {
        const shape = { mode, candidates, slots: SLOTS, total };
        const tables = sourceTables(shape, layouts, Int32Array.from(chosen));
        return Float32Array.from(
          Array.from(tables).flatMap((source, place) => {
            const [example, slot] = [Math.floor(place / total), place % total];
            const [rows, row] =
              source < SLOTS
                ? [prompts, example * SLOTS + source]
                : [content, example * own + source - SLOTS];
            const values = Array.from(rows.subarray(row * WIDTH, (row + 1) * WIDTH));
            if (source >= SLOTS) return values;
            const position = slotRow(table, count(example), slot - fixture.special);
            return values.map((value, column) => value + at(position, column));
          }),
        );
      };

      // The model with all its rows laid open; tokens that are off stand behind the others and are left out.
      const graph = prepareGraph(file);
      injectPrompts(graph, findPatchEmbedding(graph).tensor, WIDTH);
      graph.outputs.clear();
      new Emitter(graph).output('states', fixture.hidden);
      graph.prune();
      for (const input of [...graph.inputs.keys()])
        if (input !== 'pixel_values' && !input.startsWith('prompt_')) graph.inputs.delete(input);
      const session = await openSession(graph, { threads: 1 });
      const logitsOf = async (rows: Float32Array, example: number): Promise<number[]> => {
        const kept = own + count(example);
        const { states } = await session.run({
          pixel_values: pixelsOf(examples.slice(example, example + 1)),
          prompt_embeddings: float32(rows.slice(0, kept * WIDTH), [1, kept, WIDTH]),
          prompt_order: int64(
            Array.from({ length: kept }, (_, place) => place),
            [1, kept],
          ),
        });
        const first = floatsOf(states).subarray(0, WIDTH);
        return Array.from({ length: CLASSES }, (_, label) =>
          first.reduce((sum, value, column) => sum + value * at(weight, label * WIDTH + column), 0),
        );
      };
      const lossOf = async (embeddings: Float32Array): Promise<number> => {
        const logits = await Promise.all(
          [0, 1].map((row) =>
            logitsOf(embeddings.slice(row * total * WIDTH, (row + 1) * total * WIDTH), row),
          ),
        );
        return crossEntropy(logits.flat(), labels);
      };

      const chosen = assembled(choice);
      expect(Math.abs((await lossOf(chosen)) - step.loss)).toBeLessThan(1e-5);
      for (let candidate = 0; candidate < candidates; candidate++) {
        const other = assembled(choice.map(() => candidate));
        for (const example of [0, 1]) {
          const size = total * WIDTH;
          const numeric = await derivative(
            (step) =>
              lossOf(
                chosen.map((value, index) =>
                  Math.floor(index / size) === example ? value + step * at(other, index) : value,
                ),
              ),
            0.02,
          );
          const analytic = at(step.plan.position ?? [], example * candidates + candidate);
          expect(Math.abs(analytic - numeric)).toBeLessThan(0.004 * Math.abs(numeric) + 2e-4);
        }
      }
      await session.release();
    },
  );
});
