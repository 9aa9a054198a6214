import { mkdtemp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';

import { ToyBackbone, type ToyExample } from '../testing/toy-backbone.test.fixture.js';
import { defaultCacheFolder, FeatureCache } from './features.js';

const examples: readonly ToyExample[] = [[1, 2], [3, 4, 5], [6], [7, 8]];
let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'dynaprompt-features-'));
});

afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

async function filesOf(kind: string, revision = 'toy-1'): Promise<readonly string[]> {
  const place = join(folder, 'features', `${revision}-fp64`, kind);
  return (await readdir(place)).map((name) => join(place, name));
}

async function onlyFile(): Promise<string> {
  const [file] = await filesOf('features');
  return file ?? '';
}

describe('FeatureCache', () => {
  it('computes every example once and reads the rest from memory', async () => {
    const backbone = new ToyBackbone();
    const cache = new FeatureCache(backbone, { folder: false });
    const rows = await cache.read('features', examples);
    expect(rows).toEqual(await backbone.features(examples));
    const passes = backbone.passes;
    await cache.read('features', [...examples, ...examples]);
    expect(backbone.passes).toBe(passes);
  });

  it('keeps features and pooled apart, on disk, for the next run', async () => {
    const first = new FeatureCache(new ToyBackbone(), { folder });
    const features = await first.read('features', examples);
    const pooled = await first.read('pooled', examples);
    const backbone = new ToyBackbone();
    const second = new FeatureCache(backbone, { folder });
    expect(await second.read('features', examples)).toEqual(features);
    expect(await second.read('pooled', examples)).toEqual(pooled);
    expect(features).not.toEqual(pooled);
    expect(backbone.passes).toBe(0);
  });

  it('computes only what is missing', async () => {
    await new FeatureCache(new ToyBackbone(), { folder }).prepare('features', examples.slice(0, 3));
    const backbone = new ToyBackbone();
    await new FeatureCache(backbone, { folder }).prepare('features', examples);
    expect(backbone.passes).toBe(1);
  });

  it('does not mix backbones', async () => {
    const one = await new FeatureCache(new ToyBackbone({ seed: 1 }), { folder }).read('features', examples);
    const two = await new FeatureCache(new ToyBackbone({ seed: 2 }), { folder }).read('features', examples);
    expect(two).not.toEqual(one);
    expect(await filesOf('features', 'toy-2')).toHaveLength(1);
  });

  it.each([
    [
      'a flipped bit',
      async (file: string) => {
        const bytes = await readFile(file);
        bytes[bytes.length - 40] = (bytes[bytes.length - 40] ?? 0) ^ 1;
        await writeFile(file, bytes);
      },
    ],
    [
      'a flipped bit among the keys',
      async (file: string) => {
        const bytes = await readFile(file);
        bytes[20] = (bytes[20] ?? 0) ^ 1;
        await writeFile(file, bytes);
      },
    ],
    ['a truncated file', (file: string) => truncate(file, 60)],
    ['an empty file', (file: string) => truncate(file, 0)],
    ['another file', (file: string) => writeFile(file, 'version https://git-lfs.github.com/spec/v1')],
  ])('recognises %s and computes anew', async (_, damage) => {
    const rows = await new FeatureCache(new ToyBackbone(), { folder }).read('features', examples);
    await damage(await onlyFile());
    const backbone = new ToyBackbone();
    expect(await new FeatureCache(backbone, { folder }).read('features', examples)).toEqual(rows);
    expect(backbone.passes).toBeGreaterThan(0);
    const repaired = new ToyBackbone();
    expect(await new FeatureCache(repaired, { folder }).read('features', examples)).toEqual(rows);
    expect(repaired.passes).toBe(0);
  });

  it('lets concurrent runs share one folder', async () => {
    const rows = await Promise.all(
      Array.from({ length: 8 }, () =>
        new FeatureCache(new ToyBackbone(), { folder }).read('features', examples),
      ),
    );
    for (const other of rows) expect(other).toEqual(rows[0]);
    expect(await filesOf('features')).toHaveLength(1);
  });

  it('goes on without a folder that cannot be used, and says so once', async () => {
    const file = join(folder, 'not-a-folder');
    await writeFile(file, '');
    const warnings: string[] = [];
    const cache = new FeatureCache(new ToyBackbone(), {
      folder: file,
      warn: (message) => warnings.push(message),
    });
    await cache.read('features', examples);
    await cache.read('pooled', examples);
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toContain('DYNAPROMPT_CACHE');
  });

  it('rejects features that are not finite', async () => {
    const backbone = new ToyBackbone();
    backbone.features = () => Promise.resolve(new Float32Array(8).fill(Number.NaN));
    const cache = new FeatureCache(backbone, { folder: false });
    await expect(cache.read('features', [[1]])).rejects.toThrow('not finite');
  });

  it('stops at a signal', async () => {
    const cache = new FeatureCache(new ToyBackbone(), { folder: false });
    const signal = AbortSignal.abort();
    await expect(cache.prepare('features', examples, { signal })).rejects.toThrow('abort');
  });
});

describe('defaultCacheFolder', () => {
  it('follows DYNAPROMPT_CACHE', () => {
    expect(defaultCacheFolder({ DYNAPROMPT_CACHE: '/somewhere' })).toBe('/somewhere');
    expect(defaultCacheFolder({ DYNAPROMPT_CACHE: '' })).toMatch(/\.cache.dynaprompt$/);
  });
});
