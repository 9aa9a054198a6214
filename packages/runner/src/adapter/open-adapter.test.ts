import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

import { type FrozenBackbone, ModelError, type ParameterSet, selectBackend } from '@dynaprompt/core';
import { type Adapter, saveAdapter } from '@dynaprompt/training';

import { type AdapterOpener, type AdapterPlace, openAdapter } from './open-adapter.js';

const width = 2;
const description = { name: 'owner/model', family: 'toy', layers: 1 };
const head = (): ParameterSet =>
  new Map([['head.weight', { shape: [2, width], values: new Float32Array(4) }]]);
let folder: string;

beforeAll(async () => {
  await selectBackend();
  folder = await mkdtemp(join(tmpdir(), 'dynaprompt-open-'));
});

afterAll(() => rm(folder, { recursive: true, force: true }));

/** Saves an adapter without a prompt, of a backbone that said `dtype` of itself. */
async function saved(dtype: string, revision: string, commit?: string): Promise<string> {
  const place = join(folder, `${dtype}-${revision}-${commit ?? ''}`);
  await saveAdapter(place, {
    method: 'linear-probe',
    configuration: undefined,
    seed: 1,
    steps: 1,
    backbone: { ...description, revision, dtype, width, ...(commit === undefined ? {} : { commit }) },
    head: { kind: 'linear', classes: 2, labels: ['a', 'b'], options: {} },
    task: { name: 'toy', metric: 'accuracy' },
    parameters: { prompt: new Map(), head: head() },
    featureStatistics: undefined,
    optimiser: undefined,
    versions: {},
  });
  return place;
}

/** What a folder with a float32 and an int8 file makes of a place; `opened` and `released` are told. */
function opener(opened: AdapterPlace[], released: string[], files: readonly string[]): AdapterOpener<never> {
  return {
    bundled: [],
    open(_: Adapter, place: AdapterPlace): Promise<FrozenBackbone<never>> {
      const { compute, dtype = 'fp32' } = place;
      opened.push(place);
      if (!files.includes(dtype)) {
        throw new ModelError({
          packageName: 'toy',
          subject: dtype,
          problem: 'the file is missing',
          remedy: 'Make it',
        });
      }
      const said = compute === 'float32' ? dtype : dtype === 'fp32' ? 'int8' : `${dtype}, products in int8`;
      return Promise.resolve({
        description: { ...description, revision: `file of ${dtype}`, dtype: said },
        width,
        classes: 2,
        initialHead: head,
        release: () => {
          released.push(dtype);
          return Promise.resolve();
        },
      } as unknown as FrozenBackbone<never>);
    },
  };
}

describe('an adapter opens the file that it was trained on', () => {
  it.each([
    ['fp32', 'fp32', 'float32', undefined],
    ['q4', 'q4', 'float32', 'q4'],
    ['q4, products in int8', 'q4', 'int8', 'q4'],
    ['int8', 'fp32', 'int8', undefined],
    ['int8', 'int8', 'float32', 'int8'],
  ] as const)('as %s of the file of %s: %s, %s', async (described, file, compute, dtype) => {
    const place = await saved(described, `file of ${file}`);
    const [opened, released]: [AdapterPlace[], string[]] = [[], []];
    const options = { folder: place, backbone: undefined, anyRevision: false };
    const found = await openAdapter(options, opener(opened, released, ['fp32', 'q4', 'int8']));
    expect(found.place).toMatchObject({ compute, dtype });
    expect(found.backbone.description).toMatchObject({ dtype: described, revision: `file of ${file}` });
    // Whatever else was opened on the way is closed.
    expect(released).toHaveLength(opened.length - 1);
  });

  it('of the commit that it was trained at, unless another backbone is named', async () => {
    const place = await saved('fp32', 'file of fp32', 'c0ffee');
    const opened: AdapterPlace[] = [];
    for (const backbone of [undefined, 'owner/model'])
      await openAdapter({ folder: place, backbone, anyRevision: false }, opener(opened, [], ['fp32']));
    expect(opened.map(({ location }) => location)).toEqual(['owner/model@c0ffee', 'owner/model']);
  });

  it('and says what is wrong with the likeliest one where none is it', async () => {
    const place = await saved('int8', 'another file');
    const released: string[] = [];
    const options = { folder: place, backbone: undefined, anyRevision: false };
    const asked = openAdapter(options, opener([], released, ['fp32']));
    await expect(asked).rejects.toThrow(/another file.*file of fp32|file of fp32.*another file/);
    expect(released).toEqual(['fp32']);
  });
});
