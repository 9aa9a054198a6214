import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { sourceTables, type PositionMode } from '@dynaprompt/core';
import {
  findTokenEmbedding,
  float32,
  floatsOf,
  injectPrompts,
  int64,
  openSession,
  prepareGraph,
  tensorValues,
} from '@dynaprompt/onnx-autodiff';
import { openTextBackbone } from '../open-text-backbone.js';
import { fixtureFile, textOf, wordOf, writeFixture } from '../testing/fixture-folders.js';
import { temporaryFolder } from '../testing/folders.js';
import { at, crossEntropy, slopeError } from '../testing/numbers.js';
import { hardGates, normals, planOf } from '../testing/plans.js';
import { openSeq2SeqReference } from '../testing/seq2seq-reference.js';

const [SLOTS, WIDTH] = [3, 24];
const ANSWERS = [38, 39];
const words = [[10, 11, 12, 13], [20]];
const labels = [1, 0];
const temporary = temporaryFolder();
afterAll(() => {
  temporary.remove();
});

/** An encoder whose token embeddings [T, d] are given, for one text at a time. */
interface OpenEncoder {
  /** [vocabulary, d] */
  readonly tokens: Float32Array;
  hiddenOf(embeddings: Float32Array): Promise<Float32Array>;
  release(): Promise<void>;
}

/** @param scale what the model multiplies its table's rows by. */
async function openEncoder(file: string, scale: number): Promise<OpenEncoder> {
  const graph = prepareGraph(file);
  const { tensor, table } = findTokenEmbedding(graph);
  const weights = graph.initializers.get(table);
  if (!weights) throw new Error(`no weights ${table}`);
  const tokens = Float32Array.from(tensorValues(weights), (value) => scale * value);
  injectPrompts(graph, tensor, WIDTH);
  const session = await openSession(graph, { threads: 1 });
  return {
    tokens,
    release: () => session.release(),
    async hiddenOf(embeddings: Float32Array): Promise<Float32Array> {
      const total = embeddings.length / WIDTH;
      const dims = [1, total];
      const results = await session.run({
        input_ids: int64(new Int32Array(total), dims),
        attention_mask: int64(new Int32Array(total).fill(1), dims),
        prompt_embeddings: float32(
          embeddings.map((value) => value / scale),
          [1, total, WIDTH],
        ),
        prompt_order: int64([...new Int32Array(total).keys()], dims),
      });
      return floatsOf(results.last_hidden_state);
    },
  };
}

const cases: readonly (readonly [PositionMode, number, number[], number[] | undefined])[] = [
  ['split', SLOTS + 1, [2, 0], [3, 2]],
  ['insert', 3, [1, 2], undefined],
];

describe.each([
  ['t5', 1],
  ['bart', 1],
  ['mbart', Math.sqrt(WIDTH)],
] as const)('position gradient of %s', (name, scale) => {
  it.each(cases)(
    '%s of %i candidates, choices %j, active %j: equals finite differences of the mixture E = Σ g_j C_j',
    async (mode, candidates, choice, active) => {
      const reference = await openSeq2SeqReference(name);
      const folder = writeFixture(join(temporary.folder, `${name} ${mode}`), reference.model);
      const head = { kind: 'verbalizer', template: '{text}', words: ANSWERS.map(wordOf) } as const;
      const backbone = await openTextBackbone(folder, { head, reserve: SLOTS, threads: 1 });
      const encoder = await openEncoder(fixtureFile(`${name}-encoder`), scale);
      const prompts = normals('prompts', 2 * SLOTS * WIDTH, 0.3);
      const gates = active && hardGates(active, SLOTS);
      const place = { mode, candidates, choice, ...(gates ? { gates } : {}) };
      const plan = planOf({ batch: 2, slots: SLOTS, width: WIDTH, prompts, ...place });
      const batch = {
        examples: words.map((ids) => ({ text: textOf(...ids) })),
        labels: Int32Array.from(labels),
      };
      const request = { position: true, gates: false };
      const step = await backbone.differentiate(batch, plan, new Map(), request);

      for (const [row, own] of words.entries()) {
        const ids = reference.framed(...own);
        const kept = active?.[row] ?? SLOTS;
        const total = ids.length + kept;
        const before = ids.indexOf(own[0] ?? 0);
        const layout = { before, content: own.length, after: ids.length - before - own.length, active: kept };
        /** [T, d] what stands at each place of the example alone, its tokens that are off left out. */
        const assembled = (candidate: number): Float32Array => {
          const shape = { mode, candidates, slots: SLOTS, total: total + SLOTS - kept };
          const sources = [...sourceTables(shape, [layout], Int32Array.of(candidate))].slice(0, total);
          return Float32Array.from(
            sources.flatMap((source) => {
              const start = (source < SLOTS ? row * SLOTS + source : at(ids, source - SLOTS)) * WIDTH;
              return [...(source < SLOTS ? prompts : encoder.tokens).subarray(start, start + WIDTH)];
            }),
          );
        };
        const logitsOf = async (embeddings: Float32Array): Promise<number[]> => {
          const logits = await reference.firstBehind(await encoder.hiddenOf(embeddings));
          return ANSWERS.map((id) => at(logits, id));
        };
        const chosen = assembled(at(choice, row));
        for (const [index, value] of (await logitsOf(chosen)).entries())
          expect(Math.abs(value - at(step.logits, 2 * row + index))).toBeLessThan(1e-4);
        for (let candidate = 0; candidate < candidates; candidate++) {
          const other = assembled(candidate);
          const error = slopeError(
            at(step.plan.position ?? [], row * candidates + candidate),
            async (weight) => {
              const mixed = chosen.map((value, index) => value + weight * at(other, index));
              return crossEntropy(await logitsOf(mixed), [at(labels, row)]) / words.length;
            },
          );
          expect(await error).toBeLessThan(1);
        }
      }
      await encoder.release();
      await reference.release();
      await backbone.release();
    },
  );
});
