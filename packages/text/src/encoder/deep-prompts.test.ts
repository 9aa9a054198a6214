import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  DataError,
  type DeepPrompts,
  type FrozenBackbone,
  type ParameterSet,
  type PositionMode,
  type PromptPlan,
} from '@dynaprompt/core';
import { miniBert } from '@dynaprompt/mini-models';
import {
  Emitter,
  findLastHiddenState,
  findLayers,
  findTokenEmbedding,
  float32,
  floatsOf,
  injectPrompts,
  openSession,
  prepareGraph,
} from '@dynaprompt/onnx-autodiff';
import { along, crossEntropy, derivative, distance, inner } from '../testing/numbers.js';
import { hardGates, normals, planOf } from '../testing/plans.js';
import { encodeExample, type TextExample } from '../tokenization/encode.js';
import { parseTemplate } from '../tokenization/template.js';
import { loadTokenizer } from '../tokenization/tokenizer.js';
import { assembleBatch } from '../backbone/batch.js';
import type { HeadOptions } from '../backbone/head.js';
import { INPUT } from '../backbone/names.js';
import { createTextEncoder } from './text-encoder.js';

const SLOTS = 4;
const WIDTH = 256;
const examples: TextExample[] = [
  { text: 'a quiet film' },
  { text: 'nothing in it is new , and what is new is not good at all .' },
  { text: 'a man sleeps', pair: 'somebody is awake' },
];
const labels = [1, 0, 1];
const batch = { examples, labels: Int32Array.from(labels) };
const heads: HeadOptions[] = [
  { kind: 'linear', classes: 2, pooling: 'mean' },
  { kind: 'verbalizer', template: '{text} It was {mask} .', words: ['bad', 'good'] },
];
const everything = { position: true, gates: true };
type Arrangement = readonly [PositionMode, number, readonly number[]];
const arrangements: readonly Arrangement[] = [
  ['split', SLOTS + 1, [0, 2, 4]],
  ['insert', 3, [0, 1, 2]],
];

describe.each(heads)('deep prompts, head %j', (options) => {
  let backbone: FrozenBackbone<TextExample>;
  let head: ParameterSet;
  let prompts: Float32Array;
  beforeAll(async () => {
    backbone = await createTextEncoder(miniBert, { threads: 1, reserve: SLOTS, head: options });
    head = backbone.initialHead(1);
    head.get('head.weight')?.values.set(normals('weight', 2 * WIDTH, 0.3));
    prompts = await backbone.promptRows(examples.length * SLOTS, 40);
  });
  afterAll(() => backbone.release());

  const deepOf = (layers: number, count = examples.length): DeepPrompts => ({
    layers,
    prompts: normals('deep', count * layers * SLOTS * WIDTH, 0.7),
  });
  const plan = (
    [mode, candidates, choice]: Arrangement,
    deep?: DeepPrompts,
    gates?: readonly number[],
  ): PromptPlan => ({
    ...planOf({
      batch: examples.length,
      slots: SLOTS,
      width: WIDTH,
      prompts,
      mode,
      candidates,
      choice,
      ...(gates ? { gates } : {}),
    }),
    deep,
  });

  it('are possible in all layers but the first', () => {
    expect(backbone.description.layers).toBe(4);
  });

  it.each(arrangements)(
    '%s of %i candidates, choices %j: change nothing where they are what the layers have there',
    async (...arrangement) => {
      const own = plan(arrangement);
      const deep = { layers: 3, prompts: await layerRows(own, options) };
      const shallow = await backbone.predict(examples, own, head);
      expect(distance(await backbone.predict(examples, plan(arrangement, deep), head), shallow)).toBeLessThan(
        1e-5,
      );
      const other = await backbone.predict(examples, plan(arrangement, deepOf(3)), head);
      expect(distance(other, shallow)).toBeGreaterThan(0.01);
    },
  );

  it.each(arrangements)(
    '%s of %i candidates, choices %j: dropped tokens are as good as shorter prompts',
    async (...arrangement) => {
      const [mode, candidates, choice] = arrangement;
      const active = [2, 0, 3];
      const gates = hardGates(active, SLOTS);
      for (const layers of [1, 3]) {
        const deep = deepOf(layers);
        const gated = plan(arrangement, deep, gates);
        const together = await backbone.predict(examples, gated, head);
        for (const [index, example] of examples.entries()) {
          const [count = 0, chosen = 0] = [active[index], choice[index]];
          const rows = Array.from({ length: layers }, (_, layer) => {
            const start = (index * layers + layer) * SLOTS * WIDTH;
            return [...deep.prompts.subarray(start, start + count * WIDTH)];
          });
          const exact = planOf({
            batch: 1,
            slots: count,
            width: WIDTH,
            prompts: prompts.slice(index * SLOTS * WIDTH, (index * SLOTS + count) * WIDTH),
            mode,
            candidates: mode === 'split' ? count + 1 : candidates,
            choice: [mode === 'split' ? Math.min(chosen, count) : chosen],
          });
          const short = { ...exact, deep: { layers, prompts: Float32Array.from(rows.flat()) } };
          const alone = await backbone.predict([example], short, head);
          expect(distance(together.subarray(index * 2, index * 2 + 2), alone)).toBeLessThan(1e-5);
        }
        const step = await backbone.differentiate(batch, gated, head, everything);
        expect(distance(step.logits, together)).toBeLessThan(1e-4);
      }
    },
  );

  it('without an active token give the prompt-free model', async () => {
    const off = plan(['split', SLOTS + 1, [0, 2, 4]], deepOf(2), hardGates([0, 0, 0], SLOTS));
    const free = await backbone.predict(examples, undefined, head);
    expect(distance(await backbone.predict(examples, off, head), free)).toBeLessThan(1e-5);
  });

  it.each([
    [1, undefined],
    [3, [1, 1, 0.6, 0.2, 1, 0.9, 0.4, 0, 1, 1, 1, 1]],
  ] as const)('of %i layers, gates %j, have the gradient of finite differences', async (layers, gates) => {
    const deep = deepOf(layers);
    const arrangement: Arrangement = ['split', SLOTS + 1, [1, 4, 2]];
    const lossOf = async (changed: PromptPlan): Promise<number> => {
      const { logits } = await backbone.differentiate(batch, changed, head, everything);
      return crossEntropy(logits, labels);
    };
    const own = plan(arrangement, deep, gates);
    const { plan: gradient } = await backbone.differentiate(batch, own, head, everything);
    const deepGradient = gradient.deep ?? new Float32Array();
    expect(deepGradient).toHaveLength(deep.prompts.length);
    const expectSame = (analytic: number, numeric: number): void => {
      const scale = Math.max(Math.abs(analytic), Math.abs(numeric));
      expect(Math.abs(analytic - numeric)).toBeLessThan(0.01 * scale + 3e-4);
    };
    // Each layer of each example, along its own gradient.
    for (let block = 0; block < examples.length * layers; block++) {
      const part = deepGradient.map((value, index) =>
        Math.floor(index / (SLOTS * WIDTH)) === block ? value : 0,
      );
      const norm = Math.sqrt(inner(part, part));
      const unit = part.map((value) => value / norm);
      const numeric = await derivative(
        (shift) => lossOf({ ...own, deep: { layers, prompts: along(deep.prompts, unit, shift) } }),
        0.05,
      );
      expectSame(norm, numeric);
    }
    // The first layer's prompts, and the gates, which hold for all layers.
    const direction = normals('direction', prompts.length, 0.05);
    const numeric = await derivative(
      (shift) => lossOf({ ...own, prompts: along(prompts, direction, shift) }),
      0.03,
    );
    expectSame(inner(gradient.prompts, direction), numeric);
    for (const slot of gates ? [2, 3, 6] : []) {
      const slope = await derivative(
        (shift) =>
          lossOf(
            plan(
              arrangement,
              deep,
              gates?.map((gate, at) => (at === slot ? gate + shift : gate)),
            ),
          ),
        0.02,
      );
      expectSame(gradient.gates?.[slot] ?? NaN, slope);
    }
  });

  it('leave a plan without them as it was, and give no gradient for what is not there', async () => {
    const shallow = plan(arrangements[0] ?? ['split', SLOTS + 1, [0, 0, 0]]);
    const step = await backbone.differentiate(batch, shallow, head, everything);
    expect(step.plan.deep).toBeUndefined();
  });

  it.each([
    [{ layers: 4, prompts: new Float32Array() }, /4 layers behind the first, the backbone has 3/],
    [{ layers: 0, prompts: new Float32Array() }, /0 layers/],
    [{ layers: 1.5, prompts: new Float32Array() }, /1\.5 layers/],
    [{ layers: 2, prompts: new Float32Array(7) }, /7 deep prompt values, not 6144/],
  ])('are refused where they do not fit: %j', async (deep, message) => {
    const wrong = plan(['split', SLOTS + 1, [0, 0, 0]], deep);
    for (const answer of [
      backbone.predict(examples, wrong, head),
      backbone.differentiate(batch, wrong, head, everything),
    ]) {
      await expect(answer).rejects.toThrow(message);
      await expect(answer).rejects.toBeInstanceOf(DataError);
    }
  });
});

/** [B, 3, l, d] what layers 2, 3 and 4 have at the prompt's places, computed from the model's own graph. */
async function layerRows(plan: PromptPlan, options: HeadOptions): Promise<Float32Array> {
  const graph = prepareGraph(join(miniBert, 'onnx/model.onnx'));
  const modelInputs = new Set(graph.inputs.keys());
  const { tensor } = findTokenEmbedding(graph);
  const layers = findLayers(graph, tensor, findLastHiddenState(graph, tensor)).slice(1);
  injectPrompts(graph, tensor, WIDTH);
  graph.outputs.clear();
  const emit = new Emitter(graph);
  layers.forEach((layer, index) => {
    emit.output(`layer ${index}`, layer);
  });
  graph.prune();
  const tokenizer = await loadTokenizer(miniBert);
  const template = options.kind === 'verbalizer' ? parseTemplate(options.template) : undefined;
  const encoded = examples.map((example) => encodeExample(tokenizer, example, template, 99));
  const assembled = assembleBatch(encoded, plan, {
    pooling: 'cls',
    padId: tokenizer.padId,
    width: WIDTH,
    modelInputs,
    gating: 'hard',
  });
  const feeds = Object.fromEntries(
    Object.entries(assembled.feeds).filter(([name]) => name !== INPUT.pooling),
  );
  const session = await openSession(graph, { threads: 1 });
  const results = await session.run(feeds);
  await session.release();
  const { total } = assembled.shape;
  const rows = new Float32Array(plan.batch * layers.length * SLOTS * WIDTH);
  for (const [index] of layers.entries()) {
    const states = floatsOf(results[`layer ${index}`] ?? float32(new Float32Array(), [0]));
    assembled.slots.forEach((slot, place) => {
      const [example, row] = [Math.floor(place / SLOTS), place % SLOTS];
      const from = (example * total + slot) * WIDTH;
      rows.set(
        states.subarray(from, from + WIDTH),
        ((example * layers.length + index) * SLOTS + row) * WIDTH,
      );
    });
  }
  return rows;
}
