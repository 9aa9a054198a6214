import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  addKeyBias,
  Emitter,
  findLastHiddenState,
  findPatchEmbedding,
  float32,
  floatsOf,
  openSession,
  prepareGraph,
  StructureNotFoundError,
} from '@dynaprompt/onnx-autodiff';
import { describe, expect, it } from '@jest/globals';
import { readCaseFile } from './case-file.js';
import { checkCase, GRADIENT_TOLERANCE, largestDifference } from './check.js';
import { injectInto } from './injection.js';

const fixtures = fileURLToPath(new URL('../../../packages/onnx-autodiff/fixtures/', import.meta.url));
const refused = ['swin'];
const families = readdirSync(fixtures, { withFileTypes: true })
  .filter((entry) => entry.isDirectory() && !refused.includes(entry.name))
  .map(({ name }) => name);

describe('gradients of every family', () => {
  it.each(families)('%s agrees with autograd', async (name) => {
    const check = await checkCase(join(fixtures, name));
    expect(check).toMatchObject({ passed: true });
    expect(check.logitsError).toBeLessThan(1e-5);
    expect(check.gradientError).toBeLessThan(GRADIENT_TOLERANCE);
  });
});

it('refuses windowed attention', () => {
  const graph = prepareGraph(join(fixtures, 'swin', 'model.onnx'));
  expect(() => findPatchEmbedding(graph)).toThrow(StructureNotFoundError);
  expect(() => findPatchEmbedding(graph)).toThrow('within windows');
});

/** Cases with prompts in one modality. */
const gated = families.filter((name) => readCaseFile(join(fixtures, name)).description?.inject.length === 1);

/** Gives a function that computes the last hidden state with a bias on every prompt row as a key, and other prompts on request. */
async function withGates(
  name: string,
  use: (hiddenStates: (bias: number, otherPrompts?: boolean) => Promise<Float32Array>) => Promise<void>,
): Promise<void> {
  const { model, description, references } = readCaseFile(join(fixtures, name));
  const [reference] = references;
  const [source = ''] = description?.inject ?? [];
  if (!description || !reference) throw new Error(`${name} has no description`);
  const graph = prepareGraph(model, description.conditions);
  const inputs = [...graph.inputs.keys()];
  const [, , width = 0] = reference.tensor('prompt_embeddings').dims;
  const injection = injectInto(graph, source, description, width);
  const hidden = findLastHiddenState(graph, injection.embeddings);
  addKeyBias(graph, injection.embeddings);
  graph.outputs.clear();
  new Emitter(graph).output('hidden', hidden);
  const session = await openSession(graph, { optimization: 'disabled', threads: 1 });
  const { prompt_slots: slots, prompt_order: order, ...prompts } = injection.feeds(reference);
  if (!slots || !order) throw new Error(`${name} has no prompts`);
  const [batch = 0, length = 0] = order.dims;
  const isPrompt = new Set(
    Array.from(slots.data, Number).map(
      (slot, index) => Math.floor(index / (slots.dims[1] ?? 1)) * length + slot,
    ),
  );
  const hiddenStates = async (bias: number, otherPrompts = false): Promise<Float32Array> => {
    const values = Float32Array.from({ length: batch * length }, (_, key) => (isPrompt.has(key) ? bias : 0));
    const own = floatsOf(prompts.prompt_embeddings);
    const embeddings = float32(otherPrompts ? own.map((value) => 0.1 - value) : own, [
      ...(prompts.prompt_embeddings?.dims ?? []),
    ]);
    const results = await session.run({
      ...Object.fromEntries(inputs.map((input) => [input, reference.tensor(input)])),
      prompt_embeddings: embeddings,
      prompt_order: order,
      key_bias: float32(values, [batch, length]),
    });
    const all = floatsOf(results.hidden);
    // Rows of prompts themselves change; a decoder has other rows.
    const isOfKeys = results.hidden?.dims[1] === length;
    const columns = all.length / (batch * length);
    return isOfKeys ? all.filter((_, index) => !isPrompt.has(Math.floor(index / columns))) : all;
  };
  try {
    await use(hiddenStates);
  } finally {
    await session.release();
  }
}

describe('key biases of every family', () => {
  it.each(gated)('%s: prompts that nothing attends to change no other token', async (name) => {
    await withGates(name, async (hiddenStates) => {
      const [ignored, attended] = [await hiddenStates(-1e9), await hiddenStates(0)];
      expect(largestDifference(await hiddenStates(-1e9, true), ignored)).toBeLessThan(1e-5);
      expect(largestDifference(await hiddenStates(0, true), attended)).toBeGreaterThan(1e-3);
    });
  });
});
