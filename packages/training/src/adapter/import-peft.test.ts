import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';

import {
  createDynamicPrompt,
  DataError,
  ModelError,
  restoreParameters,
  selectBackend,
} from '@dynaprompt/core';

import { ToyBackbone } from '../testing/toy-backbone.test.fixture.js';
import { exportPeft } from './export-peft.js';
import { importPeft } from './import-peft.js';
import { adapterWith, drawnPrompt, width } from './toy-adapter.test.fixture.js';

let folder: string;

beforeAll(async () => {
  await selectBackend();
});

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'dynaprompt-import-'));
});

afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

interface RawTensor {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly data: Uint8Array;
}

/** A PEFT adapter as another program writes it. */
async function peftFolder(
  configuration: object,
  tensors: Readonly<Record<string, RawTensor>>,
): Promise<string> {
  const header: Record<string, unknown> = {};
  let end = 0;
  for (const [name, { dtype, shape, data }] of Object.entries(tensors)) {
    header[name] = { dtype, shape, data_offsets: [end, end + data.length] };
    end += data.length;
  }
  const text = Buffer.from(JSON.stringify(header));
  const prefix = Buffer.alloc(8);
  prefix.writeBigUInt64LE(BigInt(text.length));
  await writeFile(join(folder, 'adapter_config.json'), JSON.stringify(configuration));
  const parts = Object.values(tensors).map(({ data }) => data);
  await writeFile(join(folder, 'adapter_model.safetensors'), Buffer.concat([prefix, text, ...parts]));
  return folder;
}

const bytesOf = (values: { buffer: ArrayBufferLike }): Uint8Array => new Uint8Array(values.buffer);
const floats = (rows: number, columns = width): RawTensor => ({
  dtype: 'F32',
  shape: [rows, columns],
  data: bytesOf(Float32Array.from({ length: rows * columns }, (_, index) => index / 8)),
});
const tuning = { peft_type: 'PROMPT_TUNING', num_virtual_tokens: 2, token_dim: width, task_type: 'SEQ_CLS' };
const eighths = (count: number): number[] => Array.from({ length: count }, (_, index) => index / 8);

describe('importPeft', () => {
  it('reads prompt tuning, and names what it does not use', async () => {
    const tensors = { prompt_embeddings: floats(2), 'base_model.classifier.weight': floats(2) };
    const imported = await importPeft(await peftFolder(tuning, tensors), { width });
    expect(imported).toMatchObject({
      configuration: {
        slots: 2,
        position: { level: 'none', candidate: 'front' },
        representation: { kind: 'fixed' },
      },
      peftType: 'PROMPT_TUNING',
      taskType: 'SEQ_CLS',
      baseModel: undefined,
      ignored: ['base_model.classifier.weight'],
    });
    const tensor = imported.parameters.prompt.get('representation.prompt');
    expect(tensor?.shape).toEqual([2, width]);
    expect([...(tensor?.values ?? [])]).toEqual(eighths(2 * width));
  });

  it.each([
    ['F16', Uint16Array.from({ length: 2 * width }, (_, index) => 0x3c00 + 0x40 * index), 1 / 16],
    ['BF16', Uint16Array.from({ length: 2 * width }, (_, index) => 0x3f80 + index), 1 / 128],
  ])('widens %s', async (dtype, bits, step) => {
    const tensors = { prompt_embeddings: { dtype, shape: [2, width], data: bytesOf(bits) } };
    const { parameters } = await importPeft(await peftFolder(tuning, tensors), { width });
    const values = parameters.prompt.get('representation.prompt')?.values ?? [];
    expect([...values]).toEqual(Array.from({ length: 2 * width }, (_, index) => 1 + index * step));
  });

  it("reads P-tuning and takes an encoder-decoder's encoder half", async () => {
    const configuration = { ...tuning, peft_type: 'P_TUNING', num_transformer_submodules: 2 };
    const place = await peftFolder(configuration, { prompt_embeddings: floats(4) });
    const { parameters, peftType } = await importPeft(place, { width });
    expect(peftType).toBe('P_TUNING');
    const values = parameters.prompt.get('representation.prompt')?.values ?? [];
    expect([...values]).toEqual(eighths(2 * width));
  });

  it.each(['PREFIX_TUNING', 'MULTITASK_PROMPT_TUNING', 'CPT', 'LORA'])('refuses %s by name', async (type) => {
    const place = await peftFolder({ ...tuning, peft_type: type }, { prompt_embeddings: floats(2) });
    await expect(importPeft(place, { width })).rejects.toThrow(`${type} cannot be imported`);
  });

  it('refuses another width', async () => {
    const place = await peftFolder({ ...tuning, token_dim: null }, { prompt_embeddings: floats(2, 4) });
    const loading = importPeft(place, { width });
    await expect(loading).rejects.toThrow(ModelError);
    await expect(loading).rejects.toThrow('its prompt has width 4, the backbone has 8');
    await expect(importPeft(await peftFolder(tuning, {}), { width: 16 })).rejects.toThrow(ModelError);
  });

  it.each<[string, object, Readonly<Record<string, RawTensor>>, string]>([
    ['no prompt', tuning, { other: floats(2) }, 'it has no prompt_embeddings'],
    [
      'another number of tokens',
      tuning,
      { prompt_embeddings: floats(3) },
      'is [3, 8] where [2, 8] is expected',
    ],
    ['a vector', tuning, { prompt_embeddings: { ...floats(2), shape: [16] } }, 'is [16] where'],
    ['no number of tokens', { ...tuning, num_virtual_tokens: null }, {}, 'num_virtual_tokens is not'],
    ['no type', {}, {}, 'peft_type is not a text'],
    [
      'infinite values',
      tuning,
      { prompt_embeddings: { ...floats(2), data: bytesOf(new Float32Array(16).fill(Infinity)) } },
      'value 0 of tensor prompt_embeddings is Infinity',
    ],
    [
      'whole numbers',
      tuning,
      { prompt_embeddings: { dtype: 'I64', shape: [2, 8], data: new Uint8Array(128) } },
      'of floating-point numbers',
    ],
  ])('refuses %s', async (_, configuration, tensors, message) => {
    const loading = importPeft(await peftFolder(configuration, tensors), { width });
    await expect(loading).rejects.toThrow(DataError);
    await expect(loading).rejects.toThrow(message);
  });

  it('refuses a pickle and an empty folder by the file', async () => {
    await expect(importPeft(folder, { width })).rejects.toThrow('adapter_config.json');
    await writeFile(join(folder, 'adapter_config.json'), JSON.stringify(tuning));
    await writeFile(join(folder, 'adapter_model.bin'), '');
    await expect(importPeft(folder, { width })).rejects.toThrow('safe_serialization=True');
  });

  it('gives back the logits of an exported prompt in front', async () => {
    const prompt = await drawnPrompt({ slots: 3 });
    const out = join(folder, 'exported');
    await exportPeft(out, adapterWith(prompt));
    const { configuration, parameters } = await importPeft(out, { width });
    const given = parameters.prompt.get('representation.prompt')?.values;
    const again = await createDynamicPrompt(configuration, { width, seed: 1, given });
    restoreParameters(again.parameters, parameters.prompt);
    const backbone = new ToyBackbone();
    const [before, after] = await Promise.all(
      [prompt, again].map((each) => {
        const { plan } = each.plan(undefined, 1, { training: false });
        return backbone.predict([[1, 2, 3]], plan, backbone.initialHead(1));
      }),
    );
    expect(after).toEqual(before);
  });
});
