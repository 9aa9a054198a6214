import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { PADDING, sourceTables, type ParameterSet, type PositionMode } from '@dynaprompt/core';
import { miniBert } from '@dynaprompt/mini-models';
import {
  Emitter,
  findLastHiddenState,
  findTokenEmbedding,
  float32,
  floatsOf,
  injectPrompts,
  int64,
  openSession,
  prepareGraph,
  tensorValues,
  type Session,
} from '@dynaprompt/onnx-autodiff';
import { at, crossEntropy, derivative } from '../testing/numbers.js';
import { hardGates, normals, planOf } from '../testing/plans.js';
import { encodeExample, type EncodedExample, type TextExample } from '../tokenization/encode.js';
import { loadTokenizer } from '../tokenization/tokenizer.js';
import { createTextEncoder } from './text-encoder.js';

const SLOTS = 3;
const WIDTH = 256;
const CLASSES = 3;
const examples: TextExample[] = [
  { text: 'a man sleeps', pair: 'somebody is wide awake here' },
  { text: 'a quiet film about nothing' },
  { text: 'they play', pair: 'no' },
];
const labels = [2, 0, 1];

/** The model with its embeddings laid open: all T rows of every example are fed. */
interface OpenModel {
  readonly session: Session;
  readonly tokens: Float32Array;
  readonly types: Float32Array;
}

async function openModel(): Promise<OpenModel> {
  const graph = prepareGraph(join(miniBert, 'onnx/model.onnx'));
  const { tensor, table } = findTokenEmbedding(graph);
  const rowsOf = (name: string): Float32Array => {
    const weights = graph.initializers.get(name);
    if (!weights) throw new Error(`no weights ${name}`);
    return Float32Array.from(tensorValues(weights), Number);
  };
  const tokens = rowsOf(table);
  const types = rowsOf('bert.embeddings.token_type_embeddings.weight');
  const hidden = findLastHiddenState(graph, tensor);
  injectPrompts(graph, tensor, WIDTH);
  graph.outputs.clear();
  new Emitter(graph).output('hidden', hidden);
  graph.prune();
  return { session: await openSession(graph, { threads: 1 }), tokens, types };
}

type Case = [PositionMode, number, number[], number[] | undefined];
const casesOf: Readonly<Record<'mean' | 'cls', Case[]>> = {
  mean: [
    ['split', SLOTS + 1, [2, 0, 3], [3, 1, 2]],
    ['insert', 4, [0, 2, 3], undefined],
  ],
  cls: [
    ['split', SLOTS + 1, [1, 3, 0], undefined],
    ['insert', 3, [1, 0, 2], [2, 3, 0]],
  ],
};

describe.each(['mean', 'cls'] as const)('position gradient, pooling %s', (pooling) => {
  let head: ParameterSet;
  let encoded: EncodedExample[];
  let model: OpenModel;
  let backbone: Awaited<ReturnType<typeof createTextEncoder>>;
  let prompts: Float32Array;
  beforeAll(async () => {
    const tokenizer = await loadTokenizer(miniBert);
    encoded = examples.map((example) => encodeExample(tokenizer, example, undefined, 99));
    backbone = await createTextEncoder(miniBert, {
      threads: 1,
      reserve: SLOTS,
      head: { kind: 'linear', classes: CLASSES, pooling },
    });
    head = backbone.initialHead(1);
    head.get('head.weight')?.values.set(normals('weight', CLASSES * WIDTH, 0.3));
    prompts = await backbone.promptRows(examples.length * SLOTS, 60);
    model = await openModel();
  });
  afterAll(async () => {
    await backbone.release();
    await model.session.release();
  });

  it.each(casesOf[pooling])(
    '%s of %i candidates, choices %j, active %j: equals finite differences of the mixture E = Σ g_j C_j',
    async (mode, candidates, choice, active) => {
      const batch = examples.length;
      const gates = active && hardGates(active, SLOTS);
      const plan = planOf({
        batch,
        slots: SLOTS,
        width: WIDTH,
        prompts,
        mode,
        candidates,
        choice,
        ...(gates ? { gates } : {}),
      });
      const step = await backbone.differentiate({ examples, labels: Int32Array.from(labels) }, plan, head, {
        position: true,
        gates: false,
      });

      const total = Math.max(...encoded.map(({ ids }) => ids.length)) + SLOTS;
      const layouts = encoded.map(({ layout }, row) => ({ ...layout, active: active?.[row] ?? SLOTS }));
      const tablesOf = (chosen: readonly number[]): Int32Array =>
        sourceTables({ mode, candidates, slots: SLOTS, total }, layouts, Int32Array.from(chosen));
      /** [B, T, d] what stands at each place with its token type: C_j of every example. */
      const assembled = (chosen: readonly number[]): Float32Array => {
        const tables = tablesOf(chosen);
        return Float32Array.from({ length: batch * total * WIDTH }, (_, index) => {
          const [place, column] = [Math.floor(index / WIDTH), index % WIDTH];
          const [example, source] = [Math.floor(place / total), at(tables, place)];
          if (source === PADDING) return 0;
          if (source < SLOTS) {
            return at(prompts, (example * SLOTS + source) * WIDTH + column) + at(model.types, column);
          }
          const id = at(encoded[example]?.ids ?? [], source - SLOTS);
          const type = at(encoded[example]?.types ?? [], source - SLOTS);
          return at(model.tokens, id * WIDTH + column) + at(model.types, type * WIDTH + column);
        });
      };
      const chosenTables = tablesOf(choice);
      const isOwn = (place: number): boolean => at(chosenTables, place) >= SLOTS;
      const isAttended = (place: number): boolean => {
        const source = at(chosenTables, place);
        const count = layouts[Math.floor(place / total)]?.active ?? 0;
        return source !== PADDING && (source >= SLOTS || source < count);
      };
      const places = Array.from({ length: batch * total }, (_, place) => place);

      /** Loss of the whole embeddings [B, T, d], token types included. */
      const lossOf = async (embeddings: Float32Array): Promise<number> => {
        const dims = [batch, total];
        const { hidden } = await model.session.run({
          input_ids: int64(
            places.map(() => 0),
            dims,
          ),
          token_type_ids: int64(
            places.map(() => 0),
            dims,
          ),
          attention_mask: int64(
            places.map((place) => Number(isAttended(place))),
            dims,
          ),
          prompt_order: int64(
            places.map((place) => place % total),
            dims,
          ),
          // The graph adds the embedding of token type 0 to every row.
          prompt_embeddings: float32(
            embeddings.map((value, index) => value - at(model.types, index % WIDTH)),
            [batch, total, WIDTH],
          ),
        });
        const states = floatsOf(hidden);
        const logits = examples.flatMap((_, example) => {
          const own = places.filter((place) => Math.floor(place / total) === example && isOwn(place));
          const pooled = pooling === 'mean' ? own : own.slice(0, 1);
          return Array.from({ length: CLASSES }, (_unused, label) =>
            pooled.reduce((sum, place) => {
              for (let column = 0; column < WIDTH; column++) {
                const weight = at(head.get('head.weight')?.values ?? [], label * WIDTH + column);
                sum += (weight * at(states, place * WIDTH + column)) / pooled.length;
              }
              return sum;
            }, 0),
          );
        });
        return crossEntropy(logits, labels);
      };

      const chosen = assembled(choice);
      expect(Math.abs((await lossOf(chosen)) - step.loss)).toBeLessThan(1e-5);
      for (let candidate = 0; candidate < candidates; candidate++) {
        const other = assembled(choice.map(() => candidate));
        for (let example = 0; example < batch; example++) {
          const numeric = await derivative(
            (weight) =>
              lossOf(
                chosen.map((value, index) =>
                  Math.floor(index / (total * WIDTH)) === example ? value + weight * at(other, index) : value,
                ),
              ),
            0.01,
          );
          const analytic = at(step.plan.position ?? [], example * candidates + candidate);
          expect(Math.abs(analytic - numeric)).toBeLessThan(0.004 * Math.abs(numeric) + 2e-4);
        }
      }
    },
  );
});
