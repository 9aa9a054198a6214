import { describe, expect, it } from '@jest/globals';
import { appendLossGradient, prepareGraph } from '../differentiate.js';
import { InvalidInputError, StructureNotFoundError } from '../errors.js';
import { Emitter } from '../graph/emitter.js';
import type { Graph } from '../graph/graph.js';
import { DataType } from '../graph/types.js';
import { openSession } from '../session/session.js';
import { float32, floatsOf, int64, type TensorValue } from '../session/tensor-value.js';
import { attentionModel, WIDTH } from '../testing/attention-model.js';
import { centralDifferences, withDoubleForward } from '../testing/double-precision.js';
import { distance, evaluate, relativeError } from '../testing/models.js';
import { batchOf, layouts, type Layout } from '../testing/prompt-layouts.js';
import { randomFloats } from '../testing/random.js';
import { addKeyBias } from './attention.js';
import { gatherDeepPromptGradient, injectDeepPrompts, type DeepPromptInjection } from './deep-prompts.js';
import { findLayers } from './layers.js';
import { findTokenEmbedding, gatherPromptGradient, injectPrompts, type PromptInjection } from './prompts.js';
import { findLastHiddenState } from './structure.js';

const LAYERS = 4;

interface Deep {
  readonly graph: Graph;
  readonly layers: readonly string[];
  readonly shallow: PromptInjection;
  readonly deep: DeepPromptInjection;
}

/** A model whose layers 2 … `depth` + 1 take prompts of their own. */
function deepModel(depth: number): Deep {
  const graph = prepareGraph(attentionModel({ layers: LAYERS }));
  const { tensor } = findTokenEmbedding(graph);
  const layers = findLayers(graph, tensor, findLastHiddenState(graph, tensor));
  const shallow = injectPrompts(graph, tensor, WIDTH);
  const deep = injectDeepPrompts(graph, shallow, layers.slice(1, depth + 1), WIDTH);
  return { graph, layers, shallow, deep };
}

function deepPrompts(batch: number, depth: number, length: number): TensorValue {
  const dims = [batch, depth, length, WIDTH];
  return float32(
    randomFloats(
      90,
      dims.reduce((product, extent) => product * extent),
    ),
    dims,
  );
}

/** The part of the plain model from one tensor to another, with the mask as it is. */
function part(from: string, to: string): Graph {
  const graph = prepareGraph(attentionModel({ layers: LAYERS }));
  const producer = graph.producer(from);
  if (producer) graph.setOutputs(producer, [graph.fresh('before')]);
  graph.inputs.set(from, { name: from, dataType: DataType.float32, dims: ['B', 'T', WIDTH] });
  graph.outputs.clear();
  new Emitter(graph).output(to);
  graph.prune();
  graph.inputs.delete('input_ids');
  return graph;
}

/** The rows [B, T, d] of the states with the prompt's rows [B, l, d] where a layout says. */
function withRows(
  states: TensorValue,
  cells: readonly (readonly string[])[],
  rows: TensorValue,
): TensorValue {
  const data = floatsOf(states).slice();
  const [, length = 0] = rows.dims;
  cells.flat().forEach((cell, place) => {
    if (!cell.startsWith('P')) return;
    const example = Math.floor(place / (cells[0]?.length ?? 1));
    const row = example * length + Number(cell.slice(1));
    data.set(floatsOf(rows).subarray(row * WIDTH, (row + 1) * WIDTH), place * WIDTH);
  });
  return float32(data, states.dims);
}

/** Rows [B, l, d] for layer `index` of [B, D, l, d]. */
function rowsOf(prompts: TensorValue, index: number): TensorValue {
  const [batch = 0, depth = 0, length = 0] = prompts.dims;
  const size = length * WIDTH;
  const data = Float32Array.from({ length: batch * size }, (_, at) => {
    const example = Math.floor(at / size);
    return floatsOf(prompts)[(example * depth + index) * size + (at % size)] ?? Number.NaN;
  });
  return float32(data, [batch, length, WIDTH]);
}

const cases = layouts.flatMap(([name, length, layout], index) => {
  const depth = 1 + (index % (LAYERS - 1));
  return [[name, depth, length, layout] as const];
});

describe('deep prompts', () => {
  it.each(cases)(
    '%s, of %i layers, give what layers give that are run one by one',
    async (_name, depth, length, layout) => {
      const { graph, layers } = deepModel(depth);
      const { cells, feeds, mask, prompts } = batchOf(layout, length);
      const deep = deepPrompts(cells.length, depth, length);
      const inputs = { ...feeds, prompt_embeddings: prompts, deep_prompt_embeddings: deep };
      const actual = await evaluate(graph, inputs);

      // Token embeddings, row by row, then each layer alone.
      const plain = prepareGraph(attentionModel({ layers: LAYERS }));
      const table = plain.constantValues(findTokenEmbedding(plain).table) ?? [];
      const tokens = cells.flat().flatMap((cell) => {
        const id = cell.startsWith('P') || cell === '-' ? 0 : Number(cell);
        return table.slice(id * WIDTH, (id + 1) * WIDTH);
      });
      const dims = [cells.length, cells[0]?.length ?? 0, WIDTH];
      let states = withRows(float32(Float32Array.from(tokens), dims), cells, prompts);
      for (const [index, layer] of layers.entries()) {
        if (index > 0 && index <= depth) states = withRows(states, cells, rowsOf(deep, index - 1));
        const next = layers[index + 1] ?? 'logits';
        const results = await evaluate(part(layer, next), { [layer]: states, attention_mask: mask });
        states = results[next] ?? states;
      }
      expect(distance(actual.logits, states)).toBeLessThan(1e-6);
      expect(
        distance(actual.logits, (await evaluate(graph, { ...inputs, ...zeros(deep) })).logits),
      ).toBeGreaterThan(1e-3);
    },
  );

  it.each(cases)(
    '%s, of %i layers, change nothing where they are what the layer has there anyway',
    async (_name, depth, length, layout) => {
      const { cells, feeds, prompts, targets } = batchOf(layout, length);
      const shallow = deepModel(0);
      const inner = shallow.layers.slice(1, depth + 1);
      const emit = new Emitter(shallow.graph);
      for (const layer of inner) emit.output(`rows of ${layer}`, layer);
      shallow.graph.inputs.delete('deep_prompt_embeddings');
      const before = await evaluate(shallow.graph, { ...feeds, prompt_embeddings: prompts });

      const own = new Float32Array(cells.length * depth * length * WIDTH);
      const slots = Array.from(targets.prompt_slots?.data ?? [], Number);
      for (const [index, layer] of inner.entries()) {
        const states = floatsOf(before[`rows of ${layer}`]);
        slots.forEach((slot, at) => {
          const [example, row] = [Math.floor(at / length), at % length];
          const place = (example * (cells[0]?.length ?? 0) + slot) * WIDTH;
          own.set(states.subarray(place, place + WIDTH), ((example * depth + index) * length + row) * WIDTH);
        });
      }
      const deep = float32(own, [cells.length, depth, length, WIDTH]);
      const inputs = { ...feeds, prompt_embeddings: prompts, deep_prompt_embeddings: deep };
      const after = await evaluate(deepModel(depth).graph, inputs);
      expect(distance(after.logits, before.logits)).toBeLessThan(1e-6);
      expect(distance(after.hidden, before.hidden)).toBeLessThan(1e-6);
    },
  );

  it.each(cases)(
    '%s, of %i layers, have the gradient of finite differences, the first layer and the gates too',
    async (_name, depth, length, layout) => {
      const { graph, shallow, deep } = deepModel(depth);
      addKeyBias(graph, shallow.embeddings);
      const probe = (rows: Layout, count: number): Record<string, TensorValue> => {
        const { feeds, prompts, cells, mask } = batchOf(rows, count);
        const values = deepPrompts(cells.length, depth, count);
        const bias = float32(new Float32Array(mask.data.length), mask.dims);
        return { ...feeds, prompt_embeddings: prompts, deep_prompt_embeddings: values, key_bias: bias };
      };
      const { loss, gradients } = await appendLossGradient(graph, {
        withRespectTo: [shallow.embeddings, ...deep.embeddings, 'key_bias'],
        objective: { kind: 'cross-entropy', output: 'logits' },
        probeInputs: [
          probe(['P0 1 2 3', 'P0 1 2 3'], 1),
          probe(['P0 P1 1 2 3 4 5', 'P0 P1 1 2 3 4 5', 'P0 P1 1 2 3 4 5'], 2),
        ],
      });
      const emit = new Emitter(graph);
      graph.outputs.clear();
      emit.output('loss', loss);
      const first = gatherPromptGradient(emit, gradients.get(shallow.embeddings) ?? '');
      const rest = deep.embeddings.map((tensor) => gradients.get(tensor) ?? '');
      const names = {
        prompt_embeddings: first.gradient,
        deep_prompt_embeddings: gatherDeepPromptGradient(emit, rest, first.slots),
        key_bias: gradients.get('key_bias') ?? '',
      };
      for (const [name, tensor] of Object.entries(names)) emit.output(`${name}.gradient`, tensor);

      const { cells, feeds, targets, prompts, mask } = batchOf(layout, length);
      const variables: Record<string, TensorValue> = {
        prompt_embeddings: prompts,
        deep_prompt_embeddings: deepPrompts(cells.length, depth, length),
        key_bias: float32(randomFloats(8, mask.data.length, -1, 0), mask.dims),
      };
      const session = await openSession(graph);
      const results = await session.run({ ...feeds, ...targets, ...variables });
      await session.release();
      for (const name of Object.keys(names)) graph.outputs.delete(`${name}.gradient`);
      await withDoubleForward(graph, { ...feeds, ...targets }, async (forward) => {
        const doubles = Object.fromEntries(
          Object.entries(variables).map(([name, value]) => [
            name,
            { dims: value.dims, data: Float64Array.from(floatsOf(value)) },
          ]),
        );
        for (const name of Object.keys(names)) {
          const actual = results[`${name}.gradient`];
          expect(actual?.dims).toEqual(variables[name]?.dims);
          const expected = await centralDifferences(forward, doubles, name, [1]);
          expect(relativeError(floatsOf(actual), expected)).toBeLessThan(2e-5);
        }
      });
    },
  );

  it('of rows that stand nowhere have no effect, and without rows a layer is as it was', async () => {
    const { graph } = deepModel(2);
    const feeds = {
      input_ids: int64([1, 2, 3], [1, 3]),
      attention_mask: int64([1, 1, 1], [1, 3]),
      prompt_order: int64([2, 0, 3], [1, 3]),
      prompt_embeddings: float32(randomFloats(1, 2 * WIDTH), [1, 2, WIDTH]),
    };
    const deep = deepPrompts(1, 2, 2);
    // Row 1 of the prompt stands nowhere.
    const other = floatsOf(deep).map((value, at) => (Math.floor(at / WIDTH) % 2 === 1 ? 1e3 * value : value));
    const [one, two] = [
      await evaluate(graph, { ...feeds, deep_prompt_embeddings: deep }),
      await evaluate(graph, { ...feeds, deep_prompt_embeddings: float32(other, deep.dims) }),
    ];
    expect(one.logits?.data).toEqual(two.logits?.data);

    const plain = prepareGraph(attentionModel({ layers: LAYERS }));
    const none = {
      input_ids: feeds.input_ids,
      attention_mask: feeds.attention_mask,
      prompt_order: int64([0, 1, 2], [1, 3]),
      prompt_embeddings: float32(new Float32Array(), [1, 0, WIDTH]),
      deep_prompt_embeddings: float32(new Float32Array(), [1, 2, 0, WIDTH]),
    };
    const { input_ids, attention_mask } = feeds;
    expect(
      distance(
        (await evaluate(graph, none)).logits,
        (await evaluate(plain, { input_ids, attention_mask })).logits,
      ),
    ).toBeLessThan(1e-6);
  });

  it('cannot be injected twice, or into tensors that no node makes', () => {
    const { graph, layers, shallow } = deepModel(1);
    expect(() => injectDeepPrompts(graph, shallow, layers.slice(1), WIDTH)).toThrow(InvalidInputError);
    const other = deepModel(1);
    expect(() => injectDeepPrompts(other.graph, other.shallow, ['nowhere'], WIDTH, '.2')).toThrow(
      StructureNotFoundError,
    );
  });
});

function zeros({ dims, data }: TensorValue): Record<string, TensorValue> {
  return { deep_prompt_embeddings: float32(new Float32Array(data.length), dims) };
}
