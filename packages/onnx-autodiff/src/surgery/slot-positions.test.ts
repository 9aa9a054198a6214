import { describe, expect, it } from '@jest/globals';
import { appendLossGradient } from '../differentiate.js';
import { StructureNotFoundError } from '../errors.js';
import { Emitter } from '../graph/emitter.js';
import type { Graph } from '../graph/graph.js';
import { DataType } from '../graph/types.js';
import { float32, floatsOf, int64, type TensorValue } from '../session/tensor-value.js';
import { withDoubleForward } from '../testing/double-precision.js';
import { feedsOf, openFamily, PATCHES } from '../testing/families.js';
import { buildGraph, distance, evaluate, floatInput, relativeError } from '../testing/models.js';
import { randomFloats } from '../testing/random.js';
import { widenPositionBiases } from './position-bias.js';
import { injectPrompts } from './prompts.js';
import { addSlotPositions, appendPositionScores } from './slot-positions.js';
import { findPatchEmbedding } from './structure.js';

const IMAGE = 'pixel_values';
/** Models with position embeddings: class and distillation tokens, and an output that is not of single rows. */
const families: readonly (readonly [string, number, string])[] = [
  ['vit', 1, 'logits'],
  ['deit', 2, 'logits'],
  ['dinov2', 1, 'pooler_output'],
  ['clip-vision', 1, 'image_embeds'],
  ['clip', 1, 'image_embeds'],
  ['siglip-vision', 0, 'pooler_output'],
  ['siglip', 0, 'image_embeds'],
];
const BATCH = 2;

/** Order of `content` rows in a run, with the rows of the prompt in front of those given, or behind all of them. */
function orderOf(content: number, slots: number, places: readonly number[]): number[] {
  const order: number[] = [];
  for (let row = 0; row <= content; row++) {
    places.forEach((place, prompt) => {
      if (place === row) order.push(prompt);
    });
    if (row < content) order.push(slots + row);
  }
  return order;
}

interface Run {
  readonly special: number;
  /** In front of which rows of the content the rows of the prompt stand, for every example. */
  readonly places: readonly (readonly number[])[];
  readonly hasPositions: boolean;
  /** k, of every example; default: all. */
  readonly active?: readonly number[];
}

/** Outputs and assembled embeddings of a family, whose prompt is the same in every run. */
async function run(
  name: string,
  { special, places, hasPositions, active }: Run,
): Promise<Record<string, TensorValue>> {
  const { graph, tensor, width, patches } = openFamily(name, IMAGE);
  if (!patches) throw new Error('no image');
  const feeds = feedsOf(
    graph,
    IMAGE,
    places.map(() => []),
  );
  const injection = injectPrompts(graph, tensor, width);
  widenPositionBiases(graph, injection);
  if (hasPositions) addSlotPositions(graph, injection, patches);
  new Emitter(graph).output('embeddings', injection.embeddings);
  const slots = places[0]?.length ?? 0;
  const order = places.flatMap((row) => orderOf(PATCHES + special, slots, row));
  return evaluate(graph, {
    ...feeds,
    prompt_embeddings: float32(randomFloats(5, BATCH * slots * width), [BATCH, slots, width]),
    prompt_order: int64(order, [BATCH, order.length / BATCH]),
    ...(hasPositions ? { active_prompts: int64(active ?? places.map(() => slots), [BATCH]) } : {}),
  });
}

/** Prompts of two rows that stand at one place. */
function together(place: number): number[][] {
  return Array.from({ length: BATCH }, () => [place, place]);
}

describe.each(families)('positions of prompts in %s', (name, special, output) => {
  it('are those of the patches, behind the special tokens', () => {
    const { graph, patches } = openFamily(name, IMAGE);
    expect(patches?.special).toBe(special);
    const embedding = graph.producer(patches?.tensor ?? '');
    expect(embedding?.inputs).toContain(patches?.positions);
  });

  it('make a difference to the model where a prompt stands, which has none without them', async () => {
    const [front, back] = [special, PATCHES + special];
    const outputs = async (hasPositions: boolean): Promise<readonly (TensorValue | undefined)[]> =>
      Promise.all(
        [front, back].map(
          async (place) => (await run(name, { special, places: together(place), hasPositions }))[output],
        ),
      );
    const [first, last] = await outputs(true);
    expect(distance(last, first)).toBeGreaterThan(1e-3);
    const [bareFirst, bareLast] = await outputs(false);
    expect(distance(bareLast, bareFirst)).toBeLessThan(1e-5);
    expect(distance(first, bareFirst)).toBeGreaterThan(1e-3);
  });

  it('are the table resized to patches and active prompts; other rows keep what they have', async () => {
    // The second example has one active row; the other stands last.
    const active = [2, 1];
    const places = [
      [special + 3, special + PATCHES],
      [special + 9, special + PATCHES],
    ];
    const content = PATCHES + special;
    const given = { special, places, active };
    const bare = await run(name, { ...given, hasPositions: false });
    const placed = await run(name, { ...given, hasPositions: true });
    const resized = await Promise.all(active.map((count) => resizedTable(name, count)));
    const [, length = 0, width = 0] = bare.embeddings?.dims ?? [];
    expect(length).toBe(content + 2);
    const expected = floatsOf(bare.embeddings).slice();
    places.forEach((row, example) => {
      const table = resized[example] ?? new Float32Array();
      orderOf(content, 2, row).forEach((source, position) => {
        if (source >= 2) return;
        const slot = Math.min(position - special, table.length / width - 1);
        for (let column = 0; column < width; column++) {
          const at = (example * length + position) * width + column;
          expected[at] = (expected[at] ?? 0) + (table[slot * width + column] ?? Number.NaN);
        }
      });
    });
    expect(relativeError(floatsOf(placed.embeddings), expected)).toBeLessThan(1e-6);
  });

  it('are nothing to a prompt of no rows', async () => {
    const places = [[], []];
    const { graph } = openFamily(name, IMAGE);
    const plain = await evaluate(graph, feedsOf(graph, IMAGE, places));
    const prompted = await run(name, { special, places, hasPositions: true });
    expect(distance(prompted[output], plain[output])).toBeLessThan(1e-6);
  });
});

/** The position embeddings of a family's patches, resized by onnxruntime to `active` rows more, [n + k, d]. */
async function resizedTable(name: string, active: number): Promise<Float32Array> {
  const { graph, patches, width } = openFamily(name, IMAGE);
  const feeds = feedsOf(graph, IMAGE, [[], []]);
  const probe = graph.clone();
  probe.outputs.clear();
  new Emitter(probe).output('positions', patches?.positions);
  const { positions } = await evaluate(probe, feeds);
  const rows = floatsOf(positions).slice((patches?.special ?? 0) * width);
  const resize = buildGraph((emit) => {
    const table = emit.floats(rows, [PATCHES, width]);
    const inputs = [table, '', '', emit.ints(PATCHES + active, width)];
    emit.output('y', emit.op('Resize', inputs, { mode: 'linear' }));
  });
  return floatsOf((await evaluate(resize, {})).y);
}

describe('a model without position embeddings (BEiT)', () => {
  it('tells prompts no place', async () => {
    const at = async (place: number): Promise<TensorValue | undefined> =>
      (await run('beit', { special: 1, places: together(place), hasPositions: false })).logits;
    expect(distance(await at(PATCHES + 1), await at(1))).toBeLessThan(1e-5);
  });

  it('is refused', () => {
    const { graph, tensor, width, patches } = openFamily('beit', IMAGE);
    if (!patches) throw new Error('no image');
    expect(patches).toMatchObject({ positions: undefined, special: 1 });
    const injection = injectPrompts(graph, tensor, width);
    const inputs = [...graph.inputs.keys()];
    const add = (): unknown => addSlotPositions(graph, injection, patches);
    expect(add).toThrow(StructureNotFoundError);
    expect(add).toThrow('fixed position');
    expect([...graph.inputs.keys()]).toEqual(inputs);
  });
});

describe('the position gradient', () => {
  const [ROWS, WIDTH, CLASSES, SLOTS] = [5, 4, 3, 2];
  const weight = (emit: Emitter, seed: number, ...dims: readonly number[]): string =>
    emit.floats(
      randomFloats(
        seed,
        dims.reduce((product, extent) => product * extent, 1),
      ),
      dims,
    );
  /** A class token in front of five patches, positions, one attention, and a head at the class token. */
  const model = (): Graph =>
    buildGraph((emit) => {
      const patches = floatInput(emit, IMAGE, 'batch', ROWS, WIDTH);
      const shape = emit.concat([emit.extents(patches, 0), emit.ints(1, WIDTH)], 0);
      const token = emit.op('Expand', [weight(emit, 1, 1, 1, WIDTH), shape]);
      const x = emit.add(emit.concat([token, patches], 1), weight(emit, 2, 1, ROWS + 1, WIDTH));
      const [q, k] = [3, 4].map((seed) => emit.op('MatMul', [x, weight(emit, seed, WIDTH, WIDTH)]));
      const scores = emit.op('MatMul', [q ?? '', emit.transpose(k ?? '', [0, 2, 1])]);
      const sum = emit.add(x, emit.op('MatMul', [emit.op('Softmax', [scores]), emit.op('Tanh', [x])]));
      const first = emit.op('Gather', [sum, emit.int(0)], { axis: 1 });
      emit.output('logits', emit.op('MatMul', [emit.op('Tanh', [first]), weight(emit, 5, WIDTH, CLASSES)]));
    });
  /** Places of both rows of the prompt in front of rows of the content: the candidates. */
  const candidates = [
    [1, 1],
    [1, 6],
    [4, 6],
    [6, 6],
  ];
  const total = ROWS + 1 + SLOTS;
  const feedsFor = (candidate: readonly number[]): Record<string, TensorValue> => {
    const order = orderOf(ROWS + 1, SLOTS, candidate);
    return {
      [IMAGE]: float32(randomFloats(6, BATCH * ROWS * WIDTH), [BATCH, ROWS, WIDTH]),
      prompt_embeddings: float32(randomFloats(7, BATCH * SLOTS * WIDTH), [BATCH, SLOTS, WIDTH]),
      prompt_order: int64([...order, ...order], [BATCH, total]),
      active_prompts: int64([SLOTS, SLOTS], [BATCH]),
    };
  };
  const upstream = randomFloats(8, BATCH * CLASSES);

  it('is that of the assembled candidates, by finite differences', async () => {
    const graph = model();
    const patches = findPatchEmbedding(graph);
    const injection = injectPrompts(graph, patches.tensor, WIDTH);
    const slots = addSlotPositions(graph, injection, patches);
    const { embeddings } = injection;
    const assemble = graph.clone();
    assemble.outputs.clear();
    new Emitter(assemble).output('assembled', embeddings);
    const assembled: Float32Array[] = [];
    for (const candidate of candidates)
      assembled.push(floatsOf((await evaluate(assemble, feedsFor(candidate))).assembled));
    const forward = behind(graph, embeddings, WIDTH);

    const { gradients } = await appendLossGradient(graph, {
      withRespectTo: [embeddings],
      objective: { kind: 'vector-jacobian', output: 'logits' },
      probeInputs: [feedsFor([1, 1]), feedsFor([6, 6])],
    });
    const emit = new Emitter(graph);
    const tensors = appendPositionScores(emit, injection, slots, gradients.get(embeddings) ?? '');
    emit.output('scores', tensors.scores);
    emit.output('slot_scores', tensors.promptSlotScores);

    for (const [chosen, candidate] of candidates.entries()) {
      const feeds = { ...feedsFor(candidate), upstream: float32(upstream, [BATCH, CLASSES]) };
      const results = await evaluate(graph, feeds);
      expect(results.scores?.dims).toEqual([BATCH, total, total]);
      expect(results.slot_scores?.dims).toEqual([BATCH, total]);
      const [scores, slotScores] = [floatsOf(results.scores), floatsOf(results.slot_scores)];
      const actual = candidates.map((places) => {
        const order = orderOf(ROWS + 1, SLOTS, places);
        let sum = 0;
        for (let slot = 0; slot < BATCH * total; slot++) {
          const source = order[slot % total] ?? 0;
          sum += scores[slot * total + source] ?? Number.NaN;
          if (source < SLOTS) sum += slotScores[slot] ?? Number.NaN;
        }
        return sum;
      });
      const expected = await slopes(forward, assembled[chosen] ?? new Float32Array(), assembled);
      expect(relativeError(actual, expected)).toBeLessThan(1e-5);
    }
  });

  /** d/dε Σ upstream · logits(E + ε C) for each C, by central differences in float64. */
  async function slopes(
    graph: Graph,
    chosen: Float32Array,
    directions: readonly Float32Array[],
  ): Promise<number[]> {
    const step = 1e-5;
    return withDoubleForward(graph, {}, async (forward) => {
      const objective = async (direction: Float32Array, shift: number): Promise<number> => {
        const data = Float64Array.from(chosen, (value, at) => value + shift * (direction[at] ?? 0));
        const logits = await forward({ assembled: { dims: [BATCH, total, WIDTH], data } });
        return logits.data.reduce((sum, value, at) => sum + value * (upstream[at] ?? 0), 0);
      };
      const found: number[] = [];
      for (const direction of directions)
        found.push(((await objective(direction, step)) - (await objective(direction, -step))) / (2 * step));
      return found;
    });
  }
});

/** The part of a graph behind a tensor [B, T, width], which becomes the input `assembled`. */
function behind(graph: Graph, tensor: string, width: number): Graph {
  const part = graph.clone();
  part.replaceUses(tensor, 'assembled');
  part.prune();
  part.inputs.clear();
  part.inputs.set('assembled', {
    name: 'assembled',
    dataType: DataType.float32,
    dims: ['batch', 'total', width],
  });
  return part;
}
