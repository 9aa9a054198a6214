import { beforeAll, describe, expect, it } from '@jest/globals';
import { selectBackend, type BackboneStep } from '@dynaprompt/core';
import { miniClip } from '@dynaprompt/mini-models';
import { FeatureCache, trainPrompt } from '@dynaprompt/training';
import { along, crossEntropy, derivative, distance, inner } from '../testing/numbers.js';
import { picture, pictures } from '../testing/pictures.js';
import { normals, planOf } from '../testing/plans.js';
import { openVqa, openVqaProbe } from './open-vqa.js';
import type { VqaExample, VqaOptions } from './vqa-options.js';

const answers = ['yes', 'no', 'a cat'];
const questions = ['what is this', 'is there a cat in this picture'];
const examples: readonly VqaExample[] = pictures(2).map((example, index) => ({
  ...example,
  question: questions[index] ?? '',
}));
const labels = Int32Array.of(2, 0);
const classification = { kind: 'classification', answers } as const;
const candidates = { kind: 'candidates', answers } as const;
const base = { reserve: 2, threads: 1 };

describe.each<[string, Omit<VqaOptions, 'reserve'>]>([
  ['classification, text', { head: classification }],
  ['classification, vision', { head: classification, prompts: 'vision' }],
  ['classification, both', { head: classification, prompts: 'both' }],
  ['classification, question alone', { head: classification, use: 'question' }],
  ['classification, image alone', { head: classification, use: 'image', prompts: 'vision' }],
  ['candidates, text', { head: candidates, trainLogitScale: true, chunkRows: 3 }],
  ['candidates, both', { head: candidates, prompts: 'both' }],
  ['candidates, vision', { head: candidates, prompts: 'vision' }],
  ['candidates, question alone', { head: candidates, use: 'question' }],
  ['candidates, image alone', { head: candidates, use: 'image' }],
])('%s', (_, options) => {
  it('differentiates what it predicts', async () => {
    const backbone = await openVqa(miniClip, { ...base, ...options });
    const head = new Map(
      [...backbone.initialHead(1)].map(([name, { shape, values }]) => [
        name,
        name === 'head.weight' ? { shape, values: normals('weight', values.length) } : { shape, values },
      ]),
    );
    const plan = planOf({ batch: 2, slots: 2, width: backbone.width, choice: [1, 2], gates: [1, 1, 1, 0] });
    const differentiate = (prompts: Float32Array, values = head): Promise<BackboneStep> =>
      backbone.differentiate({ examples, labels }, { ...plan, prompts }, values, {
        position: true,
        gates: true,
      });
    const step = await differentiate(plan.prompts);
    expect(distance(await backbone.predict(examples, plan, head), step.logits)).toBeLessThan(3e-5);
    expect(Math.abs(step.loss - crossEntropy(step.logits, labels))).toBeLessThan(1e-5);
    const direction = normals('direction', plan.prompts.length, 0.02);
    const numeric = await derivative(
      async (by) => crossEntropy((await differentiate(along(plan.prompts, direction, by))).logits, labels),
      0.2,
    );
    expect(Math.abs(inner(step.plan.prompts, direction) - numeric)).toBeLessThan(
      0.01 * Math.abs(numeric) + 5e-4,
    );
    expect([...step.head.keys()].sort()).toEqual([...head.keys()].sort());
    for (const [name, { shape, values }] of head) {
      const along1 = normals(name, values.length, 1 / Math.sqrt(values.length));
      const slope = await derivative(async (by) => {
        const changed = new Map(head).set(name, { shape, values: along(values, along1, by) });
        return crossEntropy((await differentiate(plan.prompts, changed)).logits, labels);
      }, 0.1);
      const gradient = inner(step.head.get(name) ?? [], along1);
      expect(Math.abs(gradient - slope)).toBeLessThan(0.01 * Math.abs(slope) + 5e-4);
    }
    await backbone.release();
  });
});

it.each<[VqaOptions['head']]>([[classification], [candidates]])(
  'the baselines of %j see one side alone',
  async (head) => {
    const isFused = head.kind === 'classification';
    const sides = [
      { use: 'both', prompts: 'text' },
      { use: 'question', prompts: 'text' },
      { use: 'image', prompts: isFused ? 'vision' : 'text' },
    ] as const;
    const [first, second] = examples;
    if (!first || !second) throw new Error('there are two examples');
    const otherImage = { ...first, image: second.image };
    const otherQuestion = { ...first, question: second.question };
    for (const { use, prompts } of sides) {
      const backbone = await openVqa(miniClip, { ...base, head, use, prompts });
      const values = backbone.initialHead(1);
      const moves = async (example: VqaExample): Promise<number> =>
        distance(
          await backbone.predict([first], undefined, values),
          await backbone.predict([example], undefined, values),
        );
      const features = async (example: VqaExample): Promise<number> =>
        distance(await backbone.features([first]), await backbone.features([example]));
      expect((await moves(otherImage)) > 1e-5).toBe(use !== 'question');
      expect((await moves(otherQuestion)) > 1e-5).toBe(use !== 'image');
      expect((await features(otherImage)) > 1e-5).toBe(use !== 'question');
      expect((await features(otherQuestion)) > 1e-5).toBe(use !== 'image');
      await backbone.release();
    }
  },
);

it('scores candidates of an example by the similarity of statements, and none behind the last', async () => {
  const backbone = await openVqa(miniClip, { ...base, head: { kind: 'candidates', most: 3 } });
  const fixed = await openVqa(miniClip, {
    ...base,
    head: { kind: 'candidates', answers: ['red', 'a cat', 'blue'] },
  });
  const own = [
    { ...examples[0], candidates: ['a cat', 'red'] },
    { ...examples[1], candidates: ['blue', 'a cat', 'red'] },
  ] as readonly VqaExample[];
  const logits = await backbone.predict(own, undefined, new Map());
  const all = await fixed.predict(own, undefined, new Map());
  expect(logits[2]).toBe(-1e9);
  expect(
    distance(
      [logits[0], logits[1], ...logits.slice(3)].map(Number),
      [1, 0, 5, 4, 3].map((at) => Number(all[at])),
    ),
  ).toBeLessThan(2e-5);
  const batch = { examples: own, labels: Int32Array.of(2, 0) };
  const plan = planOf({ batch: 2, slots: 2, width: backbone.width });
  const request = { position: false, gates: false };
  await expect(backbone.differentiate(batch, plan, new Map(), request)).rejects.toThrow(
    'label 2 is not in 0..1',
  );
  await expect(backbone.predict(examples, undefined, new Map())).rejects.toThrow('0 candidates');
  await backbone.release();
  await fixed.release();
});

it('cuts a question that is too long, never the answer', async () => {
  const backbone = await openVqa(miniClip, { ...base, head: candidates });
  const [first] = examples;
  if (!first) throw new Error('there is an example');
  const long = { ...first, question: 'what is this '.repeat(30) };
  const logits = await backbone.predict([long], undefined, new Map());
  expect(backbone.lengthOf(long)).toBe(backbone.description.maximumTokens - 2);
  expect(new Set(logits).size).toBe(answers.length);
  await backbone.release();
});

it.each<[Partial<VqaOptions>, string]>([
  [{ head: { kind: 'classification', answers: ['yes'] } }, 'at least two'],
  [{ head: { kind: 'classification', answers: ['yes', 'yes'] } }, 'each answer once'],
  [{ head: { kind: 'candidates' } }, 'Give `most`'],
  [{ use: 'image' }, "Use prompts 'vision'"],
  [{ use: 'question', prompts: 'both' }, "Use prompts 'text'"],
  [{ trainLogitScale: true }, 'a linear layer scales by itself'],
  [{ questionTemplate: 'what' }, '{question} has to stand in it once'],
])('refuses %j', async (wrong, message) => {
  await expect(openVqa(miniClip, { ...base, head: classification, ...wrong })).rejects.toThrow(message);
});

describe('training', () => {
  beforeAll(async () => {
    await selectBackend();
  });
  const data = Array.from({ length: 8 }, (_, index) => {
    const example = { ...picture(`${index}`, 64, index % 2), question: 'is this bright' };
    return { id: example.id, example, label: index % 2 };
  });
  const shared = {
    train: data,
    validation: data,
    metric: (predicted: ArrayLike<number>, expected: ArrayLike<number>) =>
      Array.from(predicted).filter((label, index) => label === expected[index]).length / expected.length,
    seed: 1,
    batch: 8,
  };

  it('of a dynamic prompt in the tower that reads the question lowers the loss', async () => {
    const backbone = await openVqa(miniClip, {
      ...base,
      threads: 2,
      head: { kind: 'classification', answers: ['no', 'yes'] },
    });
    const losses: number[] = [];
    await trainPrompt({
      ...shared,
      backbone,
      method: { name: 'dynamic', configuration: { slots: 2, position: { level: 'instance' } } },
      steps: 12,
      learningRates: { prompt: 0.02, networks: 0.02, head: 0.05 },
      evaluateEvery: 12,
      features: new FeatureCache(backbone, { folder: false }),
      events: (event) => {
        if (event.type === 'step') losses.push(event.loss);
      },
    });
    await backbone.release();
    expect(losses.at(-1)).toBeLessThan(0.9 * (losses[0] ?? NaN));
  });

  it('of a linear probe on what both towers say', async () => {
    const backbone = await openVqaProbe(miniClip, { answers: ['no', 'yes'], threads: 2 });
    expect(backbone.width).toBe(3 * 128);
    const { final } = await trainPrompt({
      ...shared,
      backbone,
      method: 'linear-probe',
      steps: 60,
      learningRates: { head: 0.1 },
      features: new FeatureCache(backbone, { folder: false }),
    });
    expect(final).toBe(1);
    await backbone.release();
  });
});
