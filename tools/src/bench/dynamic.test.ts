import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { miniBert } from '@dynaprompt/mini-models';
import { createTextEncoder } from '@dynaprompt/text';
import { backboneAround } from './bare-model.js';
import { benchDynamic } from './dynamic.js';

const small = { batch: 2, tokens: 12, slots: 4, rounds: 1 };

describe('the benchmark of a dynamic step', () => {
  it('reports steps, their parts, every factor, and predictions of every length', async () => {
    const model = join(miniBert, 'onnx', 'model.onnx');
    const report = (await benchDynamic({ ...small, model, factors: true })) as {
      readonly shape: unknown;
      readonly milliseconds: Readonly<Record<string, { readonly median: number }>>;
      readonly parts: Readonly<Record<string, Readonly<Record<string, number>>>>;
      readonly ratios: Readonly<Record<string, number>>;
      readonly lengths: readonly { readonly active: number }[];
    };
    expect(report.shape).toEqual({ ...small, rounds: undefined, width: 256 });
    const variants = ['fixed', 'dynamic', 'position', 'length', 'pool'];
    expect(Object.keys(report.milliseconds)).toEqual(variants);
    expect(Object.keys(report.parts)).toEqual(variants);
    const parts = ['plan', 'backbone', 'networks', 'optimiser'];
    for (const name of variants) expect(Object.keys(report.parts[name] ?? {})).toEqual(parts);
    const [fixed, dynamic] = variants.map((name) => report.milliseconds[name]?.median ?? Number.NaN);
    expect(report.ratios.dynamicToFixed).toBeCloseTo((dynamic ?? Number.NaN) / (fixed ?? Number.NaN), 2);
    expect(report.lengths.map(({ active }) => active)).toEqual([4, 2, 1, 0]);
  });

  it('refuses examples that do not fit, and a reference of another size', async () => {
    await expect(benchDynamic({ ...small, tokens: 120, slots: 20 })).rejects.toThrow(
      'mini-bert: an example has 108 tokens, not 120',
    );
    await expect(benchDynamic({ ...small, reference: true })).rejects.toThrow('the reference is BERT-base');
  });
});

describe('a backbone around a bare model', () => {
  it('opens like a folder, with the given number of positions, and can be removed', async () => {
    const temporary = backboneAround(join(miniBert, 'onnx', 'model.onnx'), 24);
    const head = { kind: 'linear', classes: 2 } as const;
    const backbone = await createTextEncoder(temporary.folder, { head, reserve: 4 });
    const published = await createTextEncoder(miniBert, { head, reserve: 4 });
    const { name, maximumTokens, revision } = backbone.description;
    expect([name, maximumTokens, revision]).toEqual(['model', 24, published.description.revision]);
    const examples = [{ text: 'a good film' }];
    expect(await backbone.features(examples)).toEqual(await published.features(examples));
    await Promise.all([backbone.release(), published.release()]);
    temporary.remove();
    expect(existsSync(temporary.folder)).toBe(false);
  });
});
