import { copyFile, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';

import {
  ConfigurationError,
  DataError,
  type DynamicPrompt,
  ModelError,
  type PlanOptions,
  type PromptConfigurationInput,
  selectBackend,
  stream,
} from '@dynaprompt/core';

import { ToyBackbone } from '../testing/toy-backbone.test.fixture.js';
import { loadAdapter } from './load-adapter.js';
import { requireBackbone } from './require-backbone.js';
import { restorePrompt } from './restore.js';
import { pendingFile, saveAdapter } from './save-adapter.js';
import { adapterWith, drawnPrompt, width } from './toy-adapter.test.fixture.js';

let folder: string;

beforeAll(async () => {
  await selectBackend();
});

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'dynaprompt-adapter-'));
});

afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

const learned = {
  position: { level: 'instance' },
  length: { level: 'instance' },
  representation: { kind: 'select', pool: 3 },
} as const;

const configurations: readonly [string, PromptConfigurationInput][] = [
  ['a fixed prompt', { slots: 4 }],
  ['everything learned for every example', { slots: 4, ...learned }],
  ['a hard pool', { slots: 3, representation: { kind: 'select', pool: 2, mixture: 'hard' } }],
  ['task levels', { slots: 4, position: { level: 'task' }, length: { level: 'task' } }],
  ['anchors', { slots: 2, position: { level: 'instance', mode: 'insert', anchors: 5 } }],
  ['a generated prompt', { slots: 3, representation: { kind: 'generate', rank: 2 } }],
  ['given values', { slots: 3, initialisation: { kind: 'uniform' }, ...learned }],
  ['a reparameterised prompt', { slots: 3, reparameterisation: { kind: 'mlp', hidden: 5 } }],
  ['deep prompts', { slots: 3, layers: 3, representation: { kind: 'generate', rank: 2 } }],
  ['deep prompts of all layers, several tasks', { slots: 2, layers: 'all', tasks: 3, ...learned }],
];

const examples = [
  [1, 2, 3],
  [4, 5, 6, 7],
];

function plansOf(prompt: DynamicPrompt): unknown {
  const random = stream(9, 'features');
  const features = Float32Array.from({ length: 2 * width }, () => random.normal());
  const task = prompt.configuration.tasks === undefined ? undefined : 1;
  const sampled: PlanOptions = { training: true, temperature: 0.7, random: stream(5, 'gumbel'), task };
  return [{ training: false, task } as const, sampled].map((options) => {
    const { plan, choices, penalty } = prompt.plan(features, 2, options);
    return { plan, choices, penalty };
  });
}

describe('saveAdapter and loadAdapter', () => {
  it.each(configurations)('keep %s bit for bit', async (_, configuration) => {
    const prompt = await drawnPrompt(configuration);
    const saved = adapterWith(prompt);
    await saveAdapter(join(folder, 'deep', 'adapter'), saved);
    const loaded = await loadAdapter(join(folder, 'deep', 'adapter'));
    expect(loaded).toEqual(saved);
    const restored = await restorePrompt(loaded);
    expect(restored.configuration).toEqual(prompt.configuration);
    expect(plansOf(restored)).toEqual(plansOf(prompt));
    if (prompt.layers > 1) return;
    const backbone = new ToyBackbone();
    const logits = async (each: DynamicPrompt): Promise<Float32Array> => {
      const features = await backbone.features(examples);
      const { plan } = each.plan(features, 2, { training: false });
      return backbone.predict(examples, plan, loaded.parameters.head);
    };
    expect(await logits(restored)).toEqual(await logits(prompt));
  });

  it('keep a given initialisation', async () => {
    const prompt = await drawnPrompt({ slots: 3, ...learned });
    const configuration = { ...prompt.configuration, initialisation: { kind: 'given' } } as const;
    await saveAdapter(folder, { ...adapterWith(prompt), configuration });
    const restored = await restorePrompt(await loadAdapter(folder));
    expect(restored.configuration.initialisation).toEqual({ kind: 'given' });
    expect(plansOf(restored)).toEqual(plansOf(prompt));
  });

  it('keep a head alone, and what the optimiser remembers', async () => {
    const values = Float32Array.of(0.25, -3);
    const optimiser = { step: 12, tensors: new Map([['head.bias/first', { shape: [2], values }]]) };
    const saved = adapterWith(undefined, { optimiser });
    await saveAdapter(folder, saved);
    const loaded = await loadAdapter(folder);
    expect(loaded).toEqual(saved);
    await expect(restorePrompt(loaded)).rejects.toThrow('it has a head alone');
  });

  it('leave other files alone and give plain names', async () => {
    await writeFile(join(folder, 'README.md'), 'model card');
    for (const slots of [2, 3]) await saveAdapter(folder, adapterWith(await drawnPrompt({ slots })));
    const names = ['README.md', 'dynamic_prompt.json', 'dynamic_prompt.safetensors'];
    expect((await readdir(folder)).sort()).toEqual(names);
    expect((await loadAdapter(folder)).configuration?.slots).toBe(3);
  });

  it('leave nothing behind where writing fails', async () => {
    const adapter = adapterWith(await drawnPrompt({ slots: 2 }));
    await writeFile(join(folder, 'file'), '');
    await expect(saveAdapter(join(folder, 'file', 'adapter'), adapter)).rejects.toThrow(ConfigurationError);
    const taken = join(folder, 'taken');
    await mkdir(join(taken, 'dynamic_prompt.json', 'folder'), { recursive: true });
    await expect(saveAdapter(taken, adapter)).rejects.toThrow('cannot be written');
    expect(await readdir(taken)).toEqual(['dynamic_prompt.json']);
    const values = Float32Array.of(NaN, 0);
    const head = new Map([['head.bias', { shape: [2], values }]]);
    const unfit = { ...adapter, parameters: { ...adapter.parameters, head } };
    await expect(saveAdapter(join(folder, 'new'), unfit)).rejects.toThrow('value 0 of tensor head/head.bias');
    expect((await readdir(folder)).sort()).toEqual(['file', 'taken']);
  });
});

describe('an adapter whose writer died', () => {
  /** Two adapters and the name that the second one's tensors have before they are renamed. */
  async function twoAdapters(): Promise<{ older: string; newer: string; pending: string }> {
    const [older, newer] = [join(folder, 'older'), join(folder, 'newer')];
    await saveAdapter(older, adapterWith(await drawnPrompt({ slots: 2 })));
    await saveAdapter(newer, adapterWith(await drawnPrompt({ slots: 2 }, 4), { steps: 99 }));
    const { tensors } = JSON.parse(await readFile(join(newer, 'dynamic_prompt.json'), 'utf8')) as {
      tensors: { sha256: string };
    };
    const pending = join(older, pendingFile(tensors.sha256));
    await copyFile(join(newer, 'dynamic_prompt.safetensors'), pending);
    return { older, newer, pending };
  }

  it('is the old one before the description is renamed', async () => {
    const { older, pending } = await twoAdapters();
    expect((await loadAdapter(older)).steps).toBe(20);
    await writeFile(pending, 'half a file');
    expect((await loadAdapter(older)).steps).toBe(20);
    await saveAdapter(older, adapterWith(undefined));
    expect(await readdir(older)).toHaveLength(2);
  });

  it('is the new one from then on', async () => {
    const { older, newer } = await twoAdapters();
    const expected = await loadAdapter(newer);
    await copyFile(join(newer, 'dynamic_prompt.json'), join(older, 'dynamic_prompt.json'));
    expect(await loadAdapter(older)).toEqual(expected);
    await saveAdapter(older, expected);
    expect(await readdir(older)).toHaveLength(2);
    expect(await loadAdapter(older)).toEqual(expected);
  });
});

describe('loadAdapter with a backbone', () => {
  const host = (): ToyBackbone => new ToyBackbone();
  const change = (description: object): ToyBackbone => {
    const backbone = host();
    return Object.assign(backbone, { description: { ...backbone.description, layers: 4, ...description } });
  };

  beforeEach(async () => {
    await saveAdapter(folder, adapterWith(await drawnPrompt({ slots: 2 })));
  });

  it('takes the one that it was trained on', async () => {
    expect((await loadAdapter(folder, { backbone: change({ name: 'moved' }) })).method).toBe('drawn');
  });

  it.each([
    ['family', { family: 'bert' }, 'its family is bert, the adapter was trained on toy'],
    ['layers', { layers: 1 }, 'its layers is 1'],
    ['revision', { revision: 'other' }, 'anyRevision'],
    ['dtype', { dtype: 'int8' }, 'its dtype is int8'],
  ])('refuses another %s', async (_, description, message) => {
    const loading = loadAdapter(folder, { backbone: change(description) });
    await expect(loading).rejects.toThrow(ModelError);
    await expect(loading).rejects.toThrow(message);
  });

  it('takes another export of the model where that is allowed, but no other model', async () => {
    const backbone = change({ revision: 'other', dtype: 'int8' });
    expect((await loadAdapter(folder, { backbone, anyRevision: true })).method).toBe('drawn');
    const other = change({ family: 'bert' });
    await expect(loadAdapter(folder, { backbone: other, anyRevision: true })).rejects.toThrow(ModelError);
  });

  it('refuses another width, other classes and another head', async () => {
    const adapter = await loadAdapter(folder);
    const described = (backbone: ToyBackbone): ToyBackbone =>
      Object.assign(backbone, { description: change({}).description });
    expect(() => {
      requireBackbone(adapter, described(new ToyBackbone({ width: 4 })));
    }).toThrow('its width is 4, the adapter was trained on 8');
    expect(() => {
      requireBackbone(adapter, described(new ToyBackbone({ classes: 3 })));
    }).toThrow(ConfigurationError);
    expect(() => {
      requireBackbone(adapter, described(new ToyBackbone({ head: 'fixed' })));
    }).toThrow(DataError);
  });
});
