import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';

import { ConfigurationError, decodeSafetensors, selectBackend } from '@dynaprompt/core';

import { exportPeft } from './export-peft.js';
import { adapterWith, drawnPrompt, width } from './toy-adapter.test.fixture.js';

let folder: string;
let out: string;

beforeAll(async () => {
  await selectBackend();
});

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'dynaprompt-peft-'));
  out = join(folder, 'exported');
});

afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

async function exported(): Promise<{
  configuration: unknown;
  names: string[];
  prompt: number[];
  shape: unknown;
}> {
  const file = join(out, 'adapter_model.safetensors');
  const { tensors, metadata } = decodeSafetensors(await readFile(file), file);
  expect(metadata).toEqual({ format: 'pt' });
  const tensor = tensors.get('prompt_embeddings');
  return {
    configuration: JSON.parse(await readFile(join(out, 'adapter_config.json'), 'utf8')),
    names: [...tensors.keys()],
    prompt: Array.from(tensor?.values ?? [], Number),
    shape: tensor?.shape,
  };
}

const front = 'PEFT puts the prompt before the whole input';

describe('exportPeft', () => {
  it('writes a fixed prompt as PEFT does', async () => {
    const prompt = await drawnPrompt({ slots: 4 });
    const { warnings } = await exportPeft(out, adapterWith(prompt));
    expect((await readdir(folder)).sort()).toEqual(['exported']);
    expect((await readdir(out)).sort()).toEqual(['adapter_config.json', 'adapter_model.safetensors']);
    expect(await exported()).toEqual({
      configuration: {
        auto_mapping: null,
        base_model_name_or_path: 'toy',
        inference_mode: true,
        num_attention_heads: null,
        num_layers: null,
        num_transformer_submodules: 1,
        num_virtual_tokens: 4,
        peft_type: 'PROMPT_TUNING',
        prompt_tuning_init: 'RANDOM',
        prompt_tuning_init_text: null,
        revision: null,
        task_type: 'SEQ_CLS',
        token_dim: width,
        tokenizer_kwargs: null,
        tokenizer_name_or_path: null,
      },
      names: ['prompt_embeddings'],
      prompt: [...(prompt.parameters.get('representation.prompt')?.values ?? [])],
      shape: [4, width],
    });
    expect(warnings).toHaveLength(2);
    expect(warnings.join()).toContain(front);
    expect(warnings.join()).toContain('head is not exported');
  });

  it('takes task type and base model from the caller', async () => {
    const head = { kind: 'verbalizer', classes: 2, labels: [], options: {} };
    const adapter = adapterWith(await drawnPrompt({ slots: 2 }), { head });
    const { configuration } = await exportPeft(out, adapter);
    expect(configuration).toMatchObject({ task_type: null, base_model_name_or_path: 'toy' });
    const options = { taskType: 'CAUSAL_LM', baseModel: 'me/model' } as const;
    const other = await exportPeft(join(folder, 'other'), adapter, options);
    expect(other.configuration).toMatchObject({
      task_type: 'CAUSAL_LM',
      base_model_name_or_path: 'me/model',
    });
  });

  it('wants an entry of a pool', async () => {
    const prompt = await drawnPrompt({ slots: 2, representation: { kind: 'select', pool: 3 } });
    const adapter = adapterWith(prompt);
    await expect(exportPeft(out, adapter)).rejects.toThrow('Choose an entry of the pool, 0..2');
    await expect(exportPeft(out, adapter, { entry: 3 })).rejects.toThrow(ConfigurationError);
    await expect(exportPeft(out, adapter, { base: true, entry: 1 })).rejects.toThrow('Leave out base');
    expect(await readdir(folder)).toEqual([]);
    const { warnings } = await exportPeft(out, adapter, { entry: 1 });
    expect(warnings.join()).toContain('One entry of the pool');
    const pool = [...(prompt.parameters.get('representation.pool')?.values ?? [])];
    expect((await exported()).prompt).toEqual(pool.slice(2 * width, 4 * width));
  });

  it('wants to be told to leave out the update of a generated prompt', async () => {
    const prompt = await drawnPrompt({ slots: 2, representation: { kind: 'generate', rank: 2 } });
    await expect(exportPeft(out, adapterWith(prompt))).rejects.toThrow('Choose base');
    await exportPeft(out, adapterWith(prompt), { base: true });
    const base = [...(prompt.parameters.get('representation.prompt')?.values ?? [])];
    expect((await exported()).prompt).toEqual(base);
  });

  it('applies a reparameterisation, P = E + W₃ relu(W₂ relu(W₁ E + b₁) + b₂) + b₃', async () => {
    const prompt = await drawnPrompt({ slots: 2, reparameterisation: { kind: 'mlp', hidden: 3 } });
    await exportPeft(out, adapterWith(prompt));
    const values = (name: string): number[] => [...(prompt.parameters.get(name)?.values ?? [])];
    const dense = (layer: string, input: number[]): number[] =>
      values(`reparameterisation.${layer}.bias`).map((bias, row) =>
        input.reduce(
          (sum, value, column) =>
            sum + value * (values(`reparameterisation.${layer}.weight`)[row * input.length + column] ?? NaN),
          bias,
        ),
      );
    const relu = (input: number[]): number[] => input.map((value) => Math.max(0, value));
    const { prompt: written } = await exported();
    for (const slot of [0, 1]) {
      const row = values('representation.prompt').slice(slot * width, (slot + 1) * width);
      const update = dense('output', relu(dense('hidden', relu(dense('input', row)))));
      row.forEach((value, column) => {
        expect(written[slot * width + column]).toBeCloseTo(value + (update[column] ?? NaN), 4);
      });
    }
  });

  it('cuts a prompt to the length that the task learned', async () => {
    const prompt = await drawnPrompt({ slots: 4, length: { level: 'task' }, tasks: 2 });
    prompt.parameters.get('length.bias')?.values.set([0, 1, 5, 2, 0, 9, 1, 1, 1, 1]);
    const at = (index: number) =>
      adapterWith(prompt, { task: { name: 'halves', metric: 'accuracy', index } });
    const { configuration } = await exportPeft(out, at(0));
    expect(configuration.num_virtual_tokens).toBe(2);
    const whole = [...(prompt.parameters.get('representation.prompt')?.values ?? [])];
    expect(await exported()).toMatchObject({ prompt: whole.slice(0, 2 * width), shape: [2, width] });
    await expect(exportPeft(join(folder, 'none'), at(1))).rejects.toThrow('no token is best');
  });

  it('says what PEFT cannot express', async () => {
    const says = async (name: string, configuration: Parameters<typeof drawnPrompt>[0]): Promise<string> =>
      (await exportPeft(join(folder, name), adapterWith(await drawnPrompt(configuration)))).warnings.join();
    expect(await says('place', { slots: 2, position: { level: 'instance' } })).toContain(
      'position was learned',
    );
    expect(await says('back', { slots: 2, position: { candidate: 'back' } })).toContain(
      'does not stand in front',
    );
    expect(await says('index', { slots: 2, position: { candidate: 2 } })).not.toContain(
      'stand in front here;',
    );
    expect(await says('length', { slots: 2, length: { level: 'instance' } })).toContain(
      'all slots are exported',
    );
  });

  it('refuses what has no prompt at the input, and a folder that holds files', async () => {
    await expect(exportPeft(out, adapterWith(undefined))).rejects.toThrow('it has no prompt');
    const deep = adapterWith(await drawnPrompt({ slots: 2, layers: 2 }));
    await expect(exportPeft(out, deep)).rejects.toThrow('deep prompts');
    await mkdir(out);
    await writeFile(join(out, 'thesis.tex'), '');
    const adapter = adapterWith(await drawnPrompt({ slots: 2 }));
    await expect(exportPeft(out, adapter)).rejects.toThrow('the folder holds files');
    expect(await readdir(out)).toEqual(['thesis.tex']);
    await rm(join(out, 'thesis.tex'));
    await exportPeft(out, adapter);
    expect(await readdir(out)).toHaveLength(2);
  });
});
