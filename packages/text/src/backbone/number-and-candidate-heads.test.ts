import { afterAll, describe, expect, it } from '@jest/globals';
import {
  ConfigurationError,
  DataError,
  nullThrows,
  type FrozenBackbone,
  type LabelledBatch,
  type ParameterSet,
  type PromptPlan,
} from '@dynaprompt/core';
import { openTextBackbone } from '../open-text-backbone.js';
import {
  DECODERS,
  ENCODERS,
  T5,
  textOf,
  writeFixture,
  type FixtureModel,
} from '../testing/fixture-folders.js';
import { temporaryFolder } from '../testing/folders.js';
import { along, at, crossEntropy, distance, inner, slopeError } from '../testing/numbers.js';
import { normals, planOf } from '../testing/plans.js';
import type { TextExample } from '../tokenization/encode.js';
import type { HeadOptions } from './head.js';

const temporary = temporaryFolder();
afterAll(() => {
  temporary.remove();
});
let folders = 0;
const SLOTS = 3;
const everything = { position: true, gates: true };

function open(model: FixtureModel | undefined, head: HeadOptions): Promise<FrozenBackbone<TextExample>> {
  const folder = `${temporary.folder}/${(folders += 1)}`;
  return openTextBackbone(writeFixture(folder, nullThrows(model, 'a fixture')), {
    reserve: SLOTS,
    threads: 1,
    head,
  });
}

/** A head with weights [outputs, d] and biases that tell directions apart. */
function headOf(width: number, weight = normals('weight', width, 0.3), bias = [0.2]): ParameterSet {
  return new Map([
    ['head.weight', { shape: [bias.length, width], values: weight }],
    ['head.bias', { shape: [bias.length], values: Float32Array.from(bias) }],
  ]);
}

function plan(batch: number, width: number, parts: Partial<PromptPlan> = {}): PromptPlan {
  // A draw at which no ReLU of T5 turns, where slopes to the left and to the right differ.
  const prompts = normals('rows', batch * SLOTS * width, 0.3);
  return { ...planOf({ batch, slots: SLOTS, width, prompts, choice: [1, 2, 0].slice(0, batch) }), ...parts };
}

const models: readonly (readonly [string, FixtureModel | undefined])[] = [
  ['an encoder', ENCODERS.bert],
  ['a decoder', DECODERS.llama],
  ['an encoder with a decoder', T5],
];

describe.each(models)('a number read off %s', (_, model) => {
  const examples: TextExample[] = [{ text: textOf(10, 11, 12) }, { text: textOf(20), pair: textOf(30, 31) }];
  const targets = [4.2, -1];
  const batch: LabelledBatch<TextExample> = {
    examples,
    labels: new Int32Array(2),
    targets: Float32Array.from(targets),
  };
  /** Mean squared error of numbers, in units of the range −1 … 5. */
  const squaredError = (numbers: ArrayLike<number>): number =>
    targets.reduce((sum, target, row) => sum + ((at(numbers, row) - target) / 6) ** 2 / targets.length, 0);

  it('is linear in what is pooled, in the units of the data', async () => {
    const backbone = await open(model, { kind: 'regression', range: [-1, 5] });
    expect([backbone.classes, backbone.range]).toEqual([1, [-1, 5]]);
    const { width } = backbone;
    const head = headOf(width);
    const pooled = await backbone.pooled(examples);
    const weight = nullThrows(head.get('head.weight'), 'a head').values;
    const expected = examples.map(
      (_example, row) => -1 + 6 * (0.2 + inner(pooled.subarray(row * width, (row + 1) * width), weight)),
    );
    expect(distance(await backbone.predict(examples, undefined, head), expected)).toBeLessThan(1e-4);
    const { values } = nullThrows(backbone.initialHead(1).get('head.bias'), 'a bias');
    expect([...values]).toEqual([0.5]);
    await backbone.release();
  });

  it('has the gradients of the squared error, for prompts, gates and head', async () => {
    const backbone = await open(model, { kind: 'regression', range: [-1, 5] });
    const { width } = backbone;
    const head = headOf(width);
    const gates = Float32Array.of(1, 0.8, 0.3, 1, 0.6, 0.4);
    const gated = plan(2, width, { gates });
    const step = await backbone.differentiate(batch, gated, head, everything);
    expect(Math.abs(step.loss - squaredError(step.logits))).toBeLessThan(1e-6);
    const lossOf = async (changed: Partial<PromptPlan>, parameters = head): Promise<number> =>
      squaredError(
        (await backbone.differentiate(batch, { ...gated, ...changed }, parameters, everything)).logits,
      );
    const direction = normals('direction', gated.prompts.length, 0.1);
    expect(
      await slopeError(inner(step.plan.prompts, direction), (shift) =>
        lossOf({ prompts: along(gated.prompts, direction, shift) }),
      ),
    ).toBeLessThan(1);
    const slope = normals('gates', gates.length);
    expect(
      await slopeError(inner(step.plan.gates ?? [], slope), (shift) =>
        lossOf({ gates: along(gates, slope, shift) }),
      ),
    ).toBeLessThan(1);
    const turn = normals('turn', width);
    const { values } = nullThrows(head.get('head.weight'), 'a head');
    expect(
      await slopeError(inner(step.head.get('head.weight') ?? [], turn), (shift) =>
        lossOf({}, headOf(width, along(values, turn, shift))),
      ),
    ).toBeLessThan(1);
    await backbone.release();
  });

  it('can be fine-tuned', async () => {
    const backbone = await open(model, { kind: 'regression', range: [-1, 5] });
    const tuning = nullThrows(await backbone.fineTuning?.(), 'a copy');
    const head = headOf(backbone.width);
    const weights = tuning.initialWeights();
    const step = await tuning.differentiate(batch, weights, head);
    expect(Math.abs(step.loss - squaredError(await tuning.predict(examples, weights, head)))).toBeLessThan(
      1e-5,
    );
    const matrix = [...weights].find(([, { values }]) => values.length > 500);
    const [name, tensor] = nullThrows(matrix, 'a matrix');
    const direction = normals('direction', tensor.values.length, 0.1);
    const error = await slopeError(inner(step.weights.get(name) ?? [], direction), async (shift) => {
      const moved = { ...tensor, values: along(tensor.values, direction, shift) };
      return squaredError(await tuning.predict(examples, new Map([...weights, [name, moved]]), head));
    });
    expect(error).toBeLessThan(1);
    await tuning.release();
    await backbone.release();
  });
});

describe.each(models)('candidates scored by %s', (_, model) => {
  const examples: TextExample[] = [
    { text: textOf(10, 11, 12), choices: [textOf(40), textOf(41, 42)] },
    { text: textOf(20), choices: [textOf(30, 31), textOf(32), textOf(33, 34, 35)] },
    { text: textOf(21), pair: textOf(5), choices: [textOf(36)] },
  ];
  const labels = [1, 2, 0];
  const batch = { examples, labels: Int32Array.from(labels) };
  const counts = [2, 3, 1];
  /** Each candidate as a pair of texts, with the example that it is of. */
  const pairs = examples.flatMap(({ text, choices = [] }, row) =>
    choices.map((pair, index) => ({ row, index, example: { text, pair } })),
  );

  it('have the logit that a linear head gives each pair by itself, with the prompt of their example', async () => {
    const backbone = await open(model, { kind: 'candidates', classes: 3 });
    const linear = await open(model, { kind: 'linear', classes: 2 });
    const { width } = backbone;
    const head = headOf(width);
    const weight = nullThrows(head.get('head.weight'), 'a head').values;
    const twice = headOf(width, Float32Array.of(...weight, ...weight.map(() => 0)), [0.2, 0]);
    const gates = Float32Array.of(1, 1, 0, 1, 1, 1, 1, 0, 0);
    for (const given of [undefined, plan(3, width), plan(3, width, { gates })]) {
      const logits = await backbone.predict(examples, given, head);
      expect(logits).toHaveLength(9);
      for (const { row, index, example } of pairs) {
        const own =
          given &&
          planOf({
            batch: 1,
            slots: SLOTS,
            width,
            prompts: given.prompts.slice(row * SLOTS * width, (row + 1) * SLOTS * width),
            choice: [at(given.position.choice, row)],
            ...(given.gates && { gates: [...given.gates.slice(row * SLOTS, (row + 1) * SLOTS)] }),
          });
        const [expected = NaN] = await linear.predict([example], own, twice);
        expect(Math.abs(at(logits, row * 3 + index) - expected)).toBeLessThan(1e-4);
      }
      counts.forEach((count, row) => {
        for (let index = count; index < 3; index++) expect(at(logits, row * 3 + index)).toBeLessThan(-1e8);
      });
    }
    await backbone.release();
    await linear.release();
  });

  it('have the gradients of their cross-entropy, for prompts, positions, gates and head', async () => {
    const backbone = await open(model, { kind: 'candidates', classes: 3 });
    const { width } = backbone;
    const head = headOf(width);
    const gates = Float32Array.of(1, 0.8, 0.3, 1, 0.6, 0.4, 1, 1, 0.2);
    const gated = plan(3, width, { gates });
    const step = await backbone.differentiate(batch, gated, head, everything);
    expect(Math.abs(step.loss - crossEntropy(step.logits, labels))).toBeLessThan(1e-5);
    const lossOf = async (changed: Partial<PromptPlan>, parameters = head): Promise<number> =>
      crossEntropy(
        (await backbone.differentiate(batch, { ...gated, ...changed }, parameters, everything)).logits,
        labels,
      );
    const direction = normals('direction', gated.prompts.length, 0.1);
    expect(
      await slopeError(inner(step.plan.prompts, direction), (shift) =>
        lossOf({ prompts: along(gated.prompts, direction, shift) }),
      ),
    ).toBeLessThan(1);
    const slope = normals('gates', gates.length);
    expect(
      await slopeError(inner(step.plan.gates ?? [], slope), (shift) =>
        lossOf({ gates: along(gates, slope, shift) }),
      ),
    ).toBeLessThan(1);
    const turn = normals('turn', width);
    const { values } = nullThrows(head.get('head.weight'), 'a head');
    expect(
      await slopeError(inner(step.head.get('head.weight') ?? [], turn), (shift) =>
        lossOf({}, headOf(width, along(values, turn, shift))),
      ),
    ).toBeLessThan(1);
    // The only candidate of the last example is right for certain: nothing of its row matters.
    expect(step.plan.prompts.subarray(2 * SLOTS * width).every((value) => Math.abs(value) < 1e-6)).toBe(true);
    expect(step.plan.position).toHaveLength(3 * (SLOTS + 1));
    expect([...(step.plan.position ?? [])].slice(0, 8).some((value) => Math.abs(value) > 1e-5)).toBe(true);
    expect([...(step.plan.position ?? [])].slice(8).every((value) => Math.abs(value) < 1e-5)).toBe(true);
    await backbone.release();
  });

  it('are inputs of what a probe reads', async () => {
    const backbone = await open(model, { kind: 'candidates', classes: 3 });
    const { width } = backbone;
    const head = headOf(width);
    const weight = nullThrows(head.get('head.weight'), 'a head').values;
    const candidatesOf = nullThrows(backbone.candidatesOf, 'candidates');
    const logits = await backbone.predict(examples, undefined, head);
    for (const [row, example] of examples.entries()) {
      const candidates = candidatesOf(example);
      expect(candidates).toHaveLength(counts[row] ?? NaN);
      const pooled = await backbone.pooled(candidates);
      candidates.forEach((_candidate, index) => {
        const score = 0.2 + inner(pooled.subarray(index * width, (index + 1) * width), weight);
        expect(Math.abs(at(logits, row * 3 + index) - score)).toBeLessThan(1e-4);
      });
    }
    await backbone.release();
  });

  it('can be fine-tuned', async () => {
    const backbone = await open(model, { kind: 'candidates', classes: 3 });
    const tuning = nullThrows(await backbone.fineTuning?.(), 'a copy');
    const head = headOf(backbone.width);
    const weights = tuning.initialWeights();
    const { logits, loss } = await tuning.differentiate(batch, weights, head);
    expect(distance(logits, await backbone.predict(examples, undefined, head))).toBeLessThan(1e-4);
    expect(Math.abs(loss - crossEntropy(logits, labels))).toBeLessThan(1e-5);
    await tuning.release();
    await backbone.release();
  });
});

it('refuses answers that an example cannot have', async () => {
  const backbone = await open(ENCODERS.bert, { kind: 'candidates', classes: 3 });
  const head = backbone.initialHead(1);
  const two = { id: 'two', text: textOf(9), choices: ['a', 'b'] };
  const cases: readonly (readonly [TextExample, RegExp])[] = [
    [{ id: 'none', text: textOf(9) }, /example none: it has 0 choices, not 1 to 3/],
    [{ id: 'four', text: textOf(9), choices: ['a', 'b', 'a', 'b'] }, /example four: it has 4 choices/],
  ];
  for (const [example, message] of cases) {
    const answer = backbone.predict([example], undefined, head);
    await expect(answer).rejects.toThrow(message);
    await expect(answer).rejects.toBeInstanceOf(DataError);
  }
  const batch = { examples: [two], labels: Int32Array.of(2) };
  const step = backbone.differentiate(batch, plan(1, backbone.width), head, everything);
  await expect(step).rejects.toThrow(/example two: label 2 is not in 0..1/);
  // Features for a prompt's networks are of the text alone.
  expect(await backbone.features([{ text: textOf(9) }])).toEqual(await backbone.features([two]));
  await backbone.release();
});

it.each([
  [undefined, /target missing is no number/],
  [Float32Array.of(NaN), /target NaN is no number/],
  [Float32Array.of(1, 2), /there are 2 for 1 examples/],
])('refuses the targets %p', async (targets, message) => {
  const backbone = await open(ENCODERS.bert, { kind: 'regression', range: [0, 1] });
  const batch = { examples: [{ id: 'one', text: textOf(9) }], labels: Int32Array.of(0), targets };
  const step = backbone.differentiate(batch, plan(1, backbone.width), backbone.initialHead(1), everything);
  await expect(step).rejects.toThrow(message);
  await expect(step).rejects.toBeInstanceOf(DataError);
  await backbone.release();
});

it.each([
  [{ kind: 'regression', range: [1, 1] }, /1 to 1 is no range/],
  [{ kind: 'regression', range: [0, Infinity] }, /0 to Infinity is no range/],
  [{ kind: 'candidates', classes: 1 }, /1 is not a number of classes/],
] as const)('refuses the head %j', async (head, message) => {
  const opening = open(ENCODERS.bert, head);
  await expect(opening).rejects.toThrow(message);
  await expect(opening).rejects.toBeInstanceOf(ConfigurationError);
});
