import { cpSync, existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { mkdir, rename } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  selectBackend,
  type DynamicPrompt,
  type FrozenBackbone,
  type ParameterSet,
  type PromptConfigurationInput,
} from '@dynaprompt/core';
import { env, pipeline } from '@huggingface/transformers';
import { miniBert } from '@dynaprompt/mini-models';
import { createTextEncoder, type TextEncoderOptions } from '../encoder/text-encoder.js';
import { temporaryFolder } from '../testing/folders.js';
import { at, distance } from '../testing/numbers.js';
import { TEXTS, tunedPrompt } from '../testing/tuned-prompts.js';
import type { TextExample } from '../tokenization/encode.js';
import { exportTunedEncoder, type ExportOptions } from './export-encoder.js';

const slots = 6;
const options: TextEncoderOptions = { head: { kind: 'linear', classes: 3 }, reserve: slots, threads: 1 };
const labels = ['bad', 'fair', 'good'];
const dynamic: PromptConfigurationInput = {
  slots,
  position: { level: 'instance' },
  length: { level: 'instance', initial: 3, initialProbability: 0.4 },
  representation: { kind: 'select', pool: 3 },
};
/** More tokens than the model has positions. */
const ENDLESS = { text: 'a very long text without an end '.repeat(40) };
const workplace = temporaryFolder();
/** A backbone on the file system of the exports, so that its model can be linked. */
const source = join(workplace.folder, 'source', 'mini-bert');

let backbone: FrozenBackbone<TextExample>;
let head: ParameterSet;
let prompt: DynamicPrompt;

beforeAll(async () => {
  cpSync(miniBert, source, { recursive: true });
  await selectBackend({ packageName: '@tensorflow/tfjs-backend-wasm' });
  backbone = await createTextEncoder(miniBert, options);
  head = backbone.initialHead(3);
  for (const { values } of head.values()) values.forEach((value, index) => (values[index] = 20 * value));
  prompt = await tunedPrompt(backbone, dynamic, 1);
});

afterAll(async () => {
  await backbone.release();
  workplace.remove();
});

function exportTo(name: string, more: ExportOptions = {}): ReturnType<typeof exportTunedEncoder> {
  const target = join(workplace.folder, name);
  return exportTunedEncoder(source, options, { prompt, head }, target, { weights: 'link', ...more });
}

/** What transformers.js says, [texts][classes] in label order. */
async function classify(folder: string, texts: readonly string[]): Promise<number[][]> {
  env.allowRemoteModels = false;
  env.localModelPath = dirname(folder);
  const classifier = await pipeline('text-classification', basename(folder), {
    session_options: { intraOpNumThreads: 1 },
  });
  const answers = await classifier([...texts], { top_k: null });
  await classifier.dispose();
  return (answers as { label: string; score: number }[][]).map((scores) =>
    labels.map((label) => scores.find((answer) => answer.label === label)?.score ?? NaN),
  );
}

async function probabilities(examples: readonly TextExample[]): Promise<number[]> {
  const { plan } = prompt.plan(await backbone.features(examples), examples.length, { training: false });
  const logits = await backbone.predict(examples, plan, head);
  return examples.flatMap((_, row) => {
    const scores = labels.map((_, index) => Math.exp(at(logits, row * labels.length + index)));
    const sum = scores.reduce((left, right) => left + right);
    return scores.map((score) => score / sum);
  });
}

function json(folder: string, file: string): Record<string, unknown> {
  return JSON.parse(readFileSync(join(folder, file), 'utf8')) as Record<string, unknown>;
}

describe('an exported folder', () => {
  it.each(['copy', 'link', 'embed'] as const)('runs in transformers.js, weights: %s', async (weights) => {
    const { folder, files } = await exportTo(weights, { labels, weights });
    const examples = [...TEXTS.filter(({ pair }) => pair === undefined), ENDLESS];
    const expected = await probabilities(examples);
    const actual = await classify(
      folder,
      examples.map(({ text }) => text),
    );
    expect(distance(actual.flat(), expected)).toBeLessThan(1e-5);
    expect(new Set(expected.map((score) => score.toFixed(3))).size).toBeGreaterThan(6);
    const present = files.map((file) => [file, existsSync(join(folder, file))]);
    expect(present).toEqual(files.map((file) => [file, true]));
    expect(files.includes('onnx/model.onnx_data')).toBe(weights !== 'embed');
    expect(readdirSync(join(folder, 'onnx'))).toHaveLength(weights === 'embed' ? 1 : 2);
  });

  it('refers to the bytes of the original', () => {
    const original = join(source, 'onnx/model.onnx');
    const data = (name: string): string => join(workplace.folder, name, 'onnx/model.onnx_data');
    expect(readFileSync(data('copy')).equals(readFileSync(original))).toBe(true);
    expect(statSync(data('copy')).ino).not.toBe(statSync(original).ino);
    expect(statSync(data('link')).ino).toBe(statSync(original).ino);
    expect(statSync(join(workplace.folder, 'copy', 'onnx/model.onnx')).size).toBeLessThan(400_000);
  });

  it('runs where it is moved to, without the original', async () => {
    const { folder } = await exportTo('moving', { labels });
    await mkdir(join(workplace.folder, 'elsewhere'));
    const moved = join(workplace.folder, 'elsewhere', 'moved');
    await rename(folder, moved);
    const [answer] = await classify(moved, ['dull']);
    expect(distance(answer ?? [], await probabilities([{ text: 'dull' }]))).toBeLessThan(1e-5);
  });

  it('says what it is', async () => {
    const { folder, maximumTokens } = await exportTo('telling', { labels });
    const config = json(folder, 'config.json');
    expect(config).toMatchObject({
      model_type: 'bert',
      hidden_size: 256,
      architectures: ['BertForSequenceClassification'],
      num_labels: 3,
      id2label: { 0: 'bad', 1: 'fair', 2: 'good' },
      label2id: { bad: 0, fair: 1, good: 2 },
    });
    expect(maximumTokens).toBe(128 - slots);
    expect(json(folder, 'tokenizer_config.json')).toMatchObject({
      tokenizer_class: 'BertTokenizer',
      model_max_length: maximumTokens,
    });
    expect(json(folder, 'dynamic_prompt.json')).toEqual({
      format: 1,
      backbone: { name: 'mini-bert', family: 'bert', revision: backbone.description.revision },
      configuration: prompt.configuration,
      readsFeatures: true,
      head: { kind: 'linear', pooling: 'mean' },
      labels,
      maximumTokens,
      padding: 'right',
      onnx: {
        operatorSets: { 'ai.onnx': 17 },
        inputs: ['input_ids', 'attention_mask', 'token_type_ids'],
        outputs: ['logits'],
        data: ['model.onnx_data'],
      },
    });
  });

  it('is the same for the same prompt', async () => {
    const folders = [await exportTo('first', { labels }), await exportTo('second', { labels })];
    const [first, second] = folders.map(({ folder, files }) =>
      files.map((file) => readFileSync(join(folder, file)).toString('latin1')),
    );
    expect(first?.join() === second?.join()).toBe(true);
  });

  it('holds the template of a verbaliser', async () => {
    const words = ['bad', 'fair', 'good'];
    const wording: TextEncoderOptions = {
      ...options,
      head: { kind: 'verbalizer', template: 'in short : {mask} . {text}', words },
    };
    const encoder = await createTextEncoder(miniBert, wording);
    const moved = await tunedPrompt(encoder, dynamic, 2);
    const target = join(workplace.folder, 'template');
    const tuned = { prompt: moved, head: new Map() };
    const { folder, maximumTokens } = await exportTunedEncoder(source, wording, tuned, target, {
      labels,
      weights: 'link',
    });
    expect(maximumTokens).toBe(128 - slots - 5);
    const examples = [{ text: 'a gorgeous , witty film' }, ENDLESS, { text: 'dull' }];
    const { plan } = moved.plan(await encoder.features(examples), 3, { training: false });
    const logits = await encoder.predict(examples, plan, new Map());
    const actual = await classify(
      folder,
      examples.map(({ text }) => text),
    );
    actual.forEach(([bad = 0, fair = 0, good = 0], row) => {
      const logit = (index: number): number => at(logits, 3 * row + index);
      expect(Math.log(good / bad)).toBeCloseTo(logit(2) - logit(0), 3);
      expect(Math.log(fair / bad)).toBeCloseTo(logit(1) - logit(0), 3);
    });
    await encoder.release();
  });
});

describe('an export that fails', () => {
  it('leaves a folder that holds something as it is', async () => {
    const target = join(workplace.folder, 'occupied');
    await mkdir(target);
    writeFileSync(join(target, 'notes.txt'), 'mine');
    await expect(exportTo('occupied')).rejects.toThrow(/occupied: the folder is not empty/);
    expect(readdirSync(target)).toEqual(['notes.txt']);
    rmSync(target, { recursive: true });
    writeFileSync(target, 'a file');
    await expect(exportTo('occupied')).rejects.toThrow('no folder');
  });

  it('leaves nothing behind', async () => {
    const before = readdirSync(workplace.folder);
    const bad = new Map(head);
    bad.delete('head.bias');
    const target = join(workplace.folder, 'deep/inside/nothing');
    const attempt = (more: object): Promise<unknown> =>
      exportTunedEncoder(source, options, { prompt, head, ...more }, target);
    await expect(attempt({ head: bad })).rejects.toThrow('head.bias: has no saved value');
    await expect(exportTo('nothing', { labels: ['one', 'two'] })).rejects.toThrow('not 3 different names');
    await expect(exportTo('nothing', { labels: ['a', 'b', 'a'] })).rejects.toThrow('not 3 different names');
    const narrow = { ...options, reserve: slots - 1 };
    await expect(exportTunedEncoder(source, narrow, { prompt, head }, target)).rejects.toThrow(
      `leaves no room for a prompt of ${slots} slots`,
    );
    expect(readdirSync(workplace.folder)).toEqual(before);
  });

  it('writes into an empty folder', async () => {
    await mkdir(join(workplace.folder, 'empty'));
    const { folder } = await exportTo('empty');
    expect(existsSync(join(folder, 'onnx/model.onnx'))).toBe(true);
    expect(readdirSync(workplace.folder).filter((name) => name.startsWith('.'))).toEqual([]);
  });
});
