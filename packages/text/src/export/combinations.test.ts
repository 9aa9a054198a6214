import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  nullThrows,
  selectBackend,
  stream,
  type FrozenBackbone,
  type ParameterSet,
  type PromptConfigurationInput,
} from '@dynaprompt/core';
import { miniBert } from '@dynaprompt/mini-models';
import { floatsOf, openSession } from '@dynaprompt/onnx-autodiff';
import { promptOfTask } from '@dynaprompt/onnx-export';
import { resolveHead, type HeadOptions } from '../backbone/head.js';
import { createTextEncoder } from '../encoder/text-encoder.js';
import { distance } from '../testing/numbers.js';
import { TEXTS, tokenise, tunedPrompt } from '../testing/tuned-prompts.js';
import type { TextExample } from '../tokenization/encode.js';
import { loadTokenizer } from '../tokenization/tokenizer.js';
import { buildTunedGraph, EXPORTED } from './tuned-graph.js';

const slots = 5;
const heads = {
  mean: { kind: 'linear', classes: 3 },
  cls: { kind: 'linear', classes: 2, pooling: 'cls' },
  template: { kind: 'verbalizer', template: '{text} it was {mask} .', words: ['bad', 'good'] },
  'template of a pair': {
    kind: 'verbalizer',
    template: '{mask} , {pair} because {text}',
    words: ['yes', 'no', 'maybe'],
  },
} as const satisfies Readonly<Record<string, HeadOptions>>;
type HeadName = keyof typeof heads;

const positions: PromptConfigurationInput['position'][] = (['split', 'insert'] as const).flatMap((mode) => [
  { mode, level: 'none', candidate: 'front' },
  { mode, level: 'none', candidate: 'back' },
  { mode, level: 'task', ...(mode === 'insert' ? { anchors: 4 } : {}) },
  { mode, level: 'instance', ...(mode === 'insert' ? { anchors: 4 } : {}) },
]);
const lengths: PromptConfigurationInput['length'][] = [
  { level: 'none' },
  { level: 'task', initial: 3, initialProbability: 0.5 },
  { level: 'instance', initial: 3, initialProbability: 0.3 },
];
const representations: PromptConfigurationInput['representation'][] = [
  { kind: 'fixed' },
  { kind: 'select', pool: 3, mixture: 'soft' },
  { kind: 'select', pool: 3, mixture: 'hard' },
  { kind: 'generate', rank: 2 },
];
/** Each is a part of the graph by itself, which reads the same features: every pair of any two factors stands in one of these. */
const combinations = positions.flatMap((position, row) =>
  representations.map((representation, column): PromptConfigurationInput => {
    const length = nullThrows(lengths[(row + column) % lengths.length], 'there are three');
    return { slots, position, length, representation };
  }),
);

const loading = loadTokenizer(miniBert);
const backbones = new Map<HeadName, FrozenBackbone<TextExample>>();
const seen = { position: new Set<number>(), length: new Set<number>(), leastEffect: Infinity };

beforeAll(async () => {
  await selectBackend({ packageName: '@tensorflow/tfjs-backend-wasm' });
  for (const name of Object.keys(heads) as HeadName[]) {
    backbones.set(name, await createTextEncoder(miniBert, { head: heads[name], reserve: slots, threads: 1 }));
  }
});

afterAll(async () => {
  for (const backbone of backbones.values()) await backbone.release();
});

async function agree(
  name: HeadName,
  configuration: PromptConfigurationInput,
  batches: readonly (readonly TextExample[])[],
  seed: number,
  task?: number,
): Promise<void> {
  const backbone = nullThrows(backbones.get(name), 'all are open');
  const prompt = await tunedPrompt(backbone, configuration, seed, batches.flat());
  const headParameters = movedHead(backbone, seed);
  const tokenizer = await loading;
  const graph = buildTunedGraph({
    file: `${miniBert}/onnx/model.onnx`,
    hiddenWidth: 256,
    head: resolveHead(heads[name], tokenizer, 100),
    headParameters,
    prompt: promptOfTask(prompt, task),
    tokenizer,
    reportChoices: true,
  });
  const domains = new Set([...graph.nodes].map(({ domain }) => domain));
  expect([...domains]).toEqual(['']);
  const session = await openSession(graph, { threads: 1 });
  for (const [index, examples] of batches.entries()) {
    const features = prompt.needsFeatures ? await backbone.features(examples) : undefined;
    const { plan, choices } = prompt.plan(features, examples.length, { training: false, task });
    const expected = await backbone.predict(examples, plan, headParameters);
    const actual = await session.run(await tokenise(examples, index));
    expect(actual.logits?.dims).toEqual([examples.length, backbone.classes]);
    expect(distance(floatsOf(actual[EXPORTED.logits]), expected)).toBeLessThan(1e-5);
    expect(numbers(actual[EXPORTED.position]?.data)).toEqual([...choices.position]);
    expect(numbers(actual[EXPORTED.length]?.data)).toEqual([...choices.length]);
    const unprompted = await backbone.predict(examples, undefined, headParameters);
    if (plan.gates?.every((gate) => gate === 0) !== true)
      seen.leastEffect = Math.min(seen.leastEffect, distance(unprompted, expected));
    for (const choice of choices.position) seen.position.add(choice);
    for (const choice of choices.length) seen.length.add(choice);
  }
  await session.release();
}

function numbers(values: unknown): number[] {
  return Array.from(values as BigInt64Array, Number);
}

/** A head that says different things of different texts. */
function movedHead(backbone: FrozenBackbone<TextExample>, seed: number): ParameterSet {
  const head = backbone.initialHead(seed);
  const random = stream(seed, 'moved head');
  for (const { values } of head.values())
    values.forEach((value, index) => (values[index] = 5 * value + 0.1 * random.normal()));
  return head;
}

describe('an exported encoder', () => {
  const batches = [TEXTS.slice(0, 3), TEXTS.slice(3), TEXTS.slice(2, 3)];

  it('is asked for every pair of two factors', () => {
    const pairs = combinations.flatMap(({ position, length, representation }) => [
      JSON.stringify({ position, length }),
      JSON.stringify({ position, representation }),
      JSON.stringify({ length, representation }),
    ]);
    const count =
      positions.length * (lengths.length + representations.length) + lengths.length * representations.length;
    expect(new Set(pairs).size).toBe(count);
  });

  it.each(
    combinations.map((configuration, index) => ({ index, name: nameOf(configuration), configuration })),
  )('computes what predict does: $name', async ({ index, configuration }) => {
    await agree(index % 3 === 0 ? 'cls' : 'mean', configuration, batches, index);
  });

  const dynamic: PromptConfigurationInput = {
    slots,
    position: { level: 'instance', mode: 'insert', anchors: 3 },
    length: { level: 'instance', initial: 3, initialProbability: 0.3 },
    representation: { kind: 'select', pool: 3 },
  };

  it.each([
    { template: 'template', configuration: { slots }, texts: batches },
    { template: 'template', configuration: dynamic, texts: batches },
    {
      template: 'template',
      configuration: { ...dynamic, position: { level: 'instance' }, reluLogits: true },
      texts: batches,
    },
    { template: 'template of a pair', configuration: { slots }, texts: batches.slice(1, 2) },
    { template: 'template of a pair', configuration: dynamic, texts: batches.slice(1, 2) },
  ] as const)('puts a $template around its input', async ({ template, configuration, texts }) => {
    for (const seed of [1, 2]) await agree(template, configuration, texts, seed);
  });

  it.each(representations)('gives layers prompts of their own: %o', async (representation) => {
    await agree('mean', { ...dynamic, layers: 3, representation }, batches, 1);
    await agree('template', { slots, layers: 'all', representation }, batches, 2);
  });

  it('applies a reparameterisation beforehand', async () => {
    const reparameterisation = { kind: 'mlp', hidden: 7 } as const;
    await agree('mean', { ...dynamic, reparameterisation }, batches, 1);
  });

  it('decides as for one of several tasks', async () => {
    for (const task of [0, 2]) await agree('mean', { ...dynamic, tasks: 3 }, batches, 4, task);
  });

  it('was asked for many choices, and for prompts that matter', () => {
    expect([...seen.position].sort()).toEqual([0, 1, 2, 3, 4, 5]);
    expect([...seen.length].sort()).toEqual([0, 1, 2, 3, 4, 5]);
    expect(seen.leastEffect).toBeGreaterThan(1e-3);
  });
});

function nameOf({ position, length, representation }: PromptConfigurationInput): string {
  return [position, length, representation].map((part) => Object.values(part ?? {}).join(' ')).join(', ');
}
