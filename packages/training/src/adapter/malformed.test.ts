import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';

import { DataError, decodeSafetensors, encodeSafetensors, type ParameterSet } from '@dynaprompt/core';

import { loadAdapter } from './load-adapter.js';
import { saveAdapter } from './save-adapter.js';
import { adapterWith, drawnPrompt } from './toy-adapter.test.fixture.js';

let folder: string;
let description: string;
let tensors: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'dynaprompt-malformed-'));
  const prompt = await drawnPrompt({ slots: 4, position: { level: 'instance' } });
  ({ description, tensors } = await saveAdapter(folder, adapterWith(prompt)));
});

afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

async function expectRefusal(file: string, message: string): Promise<void> {
  const error = await loadAdapter(folder).then(
    () => undefined,
    (reason: unknown) => reason as Error,
  );
  expect(error).toBeInstanceOf(DataError);
  expect(error?.message).toContain(file);
  expect(error?.message).toContain(message);
  expect(error?.message).not.toContain('\n');
}

type Description = Record<string, unknown>;

async function changeDescription(change: (value: Description) => unknown): Promise<void> {
  const value = JSON.parse(await readFile(description, 'utf8')) as Description;
  await writeFile(description, JSON.stringify(change(value)));
}

/** Replaces the tensors and describes the new ones, as a writer with bad intent would. */
async function changeTensors(
  change: (tensors: Map<string, { shape: number[]; values: Float32Array }>) => void,
): Promise<void> {
  const held = decodeSafetensors(await readFile(tensors), tensors).tensors as unknown as ParameterSet;
  const copies = new Map(
    [...held].map(([name, { shape, values }]) => [name, { shape: [...shape], values: values.slice() }]),
  );
  change(copies);
  const bytes = encodeSafetensors(copies);
  await writeFile(tensors, bytes);
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  await changeDescription((value) => ({ ...value, tensors: { sha256 } }));
}

describe('loadAdapter', () => {
  it('names the file that is missing', async () => {
    await rm(tensors);
    await expectRefusal(tensors, 'there is no such file');
    await rm(description);
    await expectRefusal(description, 'there is no such file');
  });

  it('names tensors that are truncated, changed or of another adapter', async () => {
    const bytes = await readFile(tensors);
    await truncate(tensors, bytes.length - 4);
    await expectRefusal(tensors, 'truncated within tensor');
    await truncate(tensors, 40);
    await expectRefusal(tensors, 'truncated in its header');
    await truncate(tensors, 3);
    await expectRefusal(tensors, 'too short');
    bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1;
    await writeFile(tensors, bytes);
    await expectRefusal(tensors, 'SHA-256 differs');
  });

  it('refuses tensors that are too large before it reads them', async () => {
    await truncate(tensors, 2 ** 30 + 1);
    await expectRefusal(tensors, '1073741825 bytes');
  });

  it.each<[string, (value: Description) => unknown, string]>([
    ['a list', () => [], 'it is not an object'],
    ['another format', (value) => ({ ...value, format: 'lora' }), 'format is not'],
    ['a later version', (value) => ({ ...value, format_version: 2 }), 'later version'],
    ['no method', (value) => ({ ...value, method: null }), 'method is not a text'],
    ['half a step', (value) => ({ ...value, steps: 0.5 }), 'steps is not a whole number'],
    [
      'no backbone',
      ({ backbone, ...value }) => ({ ...value, nothing: backbone }),
      'backbone is not an object',
    ],
    [
      'no width',
      (value) => ({ ...value, backbone: { ...(value.backbone as object), width: -1 } }),
      'backbone.width is not',
    ],
    [
      'too few labels',
      (value) => ({ ...value, head: { ...(value.head as object), labels: ['one'] } }),
      'head.labels has 1 names for 2 classes',
    ],
    [
      'an option that does not exist',
      (value) => ({ ...value, configuration: { ...(value.configuration as object), slot: 3 } }),
      'configuration',
    ],
    ['an optimiser that is not there', (value) => ({ ...value, optimiser_step: 3 }), 'optimiser_step'],
    ['no configuration', (value) => ({ ...value, configuration: null }), 'it has a prompt'],
  ])('refuses a description with %s', async (_, change, message) => {
    await changeDescription(change);
    await expectRefusal(folder, message);
  });

  it('refuses a description that is no JSON', async () => {
    await writeFile(description, '{"format":');
    await expectRefusal(description, 'it is no JSON');
  });

  it.each([
    ['slots', { slots: 2 ** 40 }],
    ['layers', { layers: 2 ** 40 }],
    ['anchors', { position: { level: 'task', mode: 'insert', anchors: 2 ** 40 } }],
    ['pool', { representation: { kind: 'select', pool: 2 ** 40 } }],
    ['rank', { representation: { kind: 'generate', rank: 2 ** 40 } }],
    ['tasks', { tasks: 2 ** 40 }],
    ['hidden', { reparameterisation: { kind: 'mlp', hidden: 2 ** 30 } }],
  ])('refuses a configuration of huge %s before it makes anything of that size', async (_, change) => {
    await changeDescription((value) => ({
      ...value,
      configuration: { ...(value.configuration as object), ...change },
      backbone: { ...(value.backbone as object), layers: 2 ** 41 },
    }));
    await expectRefusal('adapter drawn of toy', 'its configuration asks for');
  });

  it('refuses tensors that are not finite, of another shape, unknown or missing', async () => {
    await changeTensors((held) => held.get('prompt/position.weight')?.values.set([NaN], 5));
    await expectRefusal(tensors, 'value 5 of tensor prompt/position.weight is NaN');
    await changeTensors((held) => held.get('prompt/position.weight')?.values.set([1], 5));
    await changeTensors((held) =>
      held.set('prompt/position.bias', { shape: [5, 1], values: new Float32Array(5) }),
    );
    await expectRefusal('position.bias', 'shape [5, 1], expected [5]');
    await changeTensors((held) => held.delete('prompt/position.bias'));
    await changeTensors((held) => held.set('prompt/odd', { shape: [5], values: new Float32Array(5) }));
    await expectRefusal('odd', 'is not a parameter here');
    await changeTensors((held) => held.delete('features/std'));
    await expectRefusal(tensors, 'features/mean and features/std');
    await changeTensors((held) => held.set('odd', { shape: [1], values: new Float32Array(1) }));
    await expectRefusal(tensors, 'tensor odd is none of an adapter');
  });
});
