import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { ConfigurationError, DataError } from '@dynaprompt/core';
import { exampleResults, multitaskResults, resultsWithUsage } from '../testing/example-results.js';
import { inspectedPicture, inspectedText } from '../testing/example-inspections.js';
import { withFolder } from '../testing/temporary-folder.js';
import { parseInspections } from './inspections.js';
import { methodResult } from './method-result.js';
import { parseResults } from './schema.js';
import { readResults, writeRun } from './write-run.js';

describe('methodResult', () => {
  it('takes the last and the best score of each seed and sums up the last', () => {
    const validation = (scores: readonly number[]) => scores.map((value, step) => ({ step, value }));
    const result = methodResult(
      [
        { seed: 4, loss: [], validation: validation([0.5, 0.9, 0.8]), seconds: 1 },
        { seed: 5, loss: [], validation: validation([0.6, 0.7]), seconds: 2 },
      ],
      12,
    );
    expect(result).toMatchObject({ seeds: [4, 5], final: [0.8, 0.7], best: [0.9, 0.7], seconds: [1, 2] });
    expect(result.mean).toBeCloseTo(0.75, 14);
    // |0.8 − 0.7| / √2
    expect(result.std).toBeCloseTo(0.07071067811865482, 14);
    expect(result.trainableParameters).toBe(12);
    expect(result).not.toHaveProperty('skipped');
  });

  it('says which steps were left out', () => {
    const run = { loss: [], validation: [{ step: 9, value: 1 }], seconds: 1 };
    const step = { step: 3, quantity: 'the loss', exampleIds: ['a', 'b'] };
    const result = methodResult([{ ...run, seed: 4 }, { ...run, seed: 5, skipped: [step] }], 1);
    expect(result.skipped).toEqual([{ seed: 5, ...step }]);
    const results = { ...exampleResults(), methods: { fixed: result } };
    expect(parseResults(JSON.parse(JSON.stringify(results)), 'here').methods.fixed).toEqual(result);
  });
});

describe('parseResults', () => {
  it.each([
    ['of one task', exampleResults],
    ['with choices', resultsWithUsage],
    ['of several tasks', multitaskResults],
  ])('accepts what a run writes, %s', (_, make) => {
    const results = make();
    expect(parseResults(JSON.parse(JSON.stringify(results)), 'here')).toEqual(results);
  });

  it('names the field at fault', () => {
    const results = exampleResults();
    const broken = { ...results, majority: { label: 'no', score: Number.NaN } };
    expect(() => parseResults(broken, 'out/results.json')).toThrow(DataError);
    expect(() => parseResults(broken, 'out/results.json')).toThrow(/out\/results\.json: majority\.score: /);
    expect(() => parseResults([], 'here')).toThrow(/here: the whole: /);
  });
});

describe('writeRun', () => {
  it('writes both files into a new folder, and reads them back', async () => {
    await withFolder({}, async (parent) => {
      const written = await writeRun(join(parent, 'deep', 'out'), exampleResults());
      expect(await readdir(join(parent, 'deep'))).toEqual(['out']);
      expect((await readdir(join(parent, 'deep', 'out'))).sort()).toEqual([
        'README.md',
        'report.html',
        'results.csv',
        'results.json',
        'tensorboard',
      ]);
      expect(await readResults(written.results)).toEqual(exampleResults());
      expect(await readFile(written.results, 'utf8')).toContain(
        '\n            { "step": 10, "value": 0.6 },\n',
      );
      expect(await readFile(written.report, 'utf8')).toMatch(/^<!doctype html>/);
    });
  });

  it('replaces the files of an earlier run and keeps others', async () => {
    await withFolder({}, async (parent) => {
      const target = join(parent, 'out');
      await mkdir(target);
      await writeFile(join(target, 'results.json'), 'old');
      await writeFile(join(target, 'notes.txt'), 'mine');
      await writeRun(target, exampleResults());
      expect((await readdir(target)).sort()).toEqual([
        'README.md',
        'notes.txt',
        'report.html',
        'results.csv',
        'results.json',
        'tensorboard',
      ]);
      expect(await readResults(join(target, 'results.json'))).toEqual(exampleResults());
      expect(await readdir(parent)).toEqual(['out']);
    });
  });

  it('takes away what an earlier run had written alone, and nothing else', async () => {
    await withFolder({}, async (parent) => {
      const target = join(parent, 'out');
      const results = exampleResults();
      const examples = [{ id: 'a', label: 0, prediction: 0, probabilities: [1, 0] }];
      const predictions = [{ method: 'single', seed: 1, metric: 'accuracy' as const, examples }];
      await writeRun(target, results, { predictions, inspections: [inspectedText()] });
      await writeFile(join(target, 'predictions', 'mine.jsonl'), '');
      expect(await readdir(join(target, 'predictions'))).toContain('single-seed1.jsonl');
      expect(await readdir(target)).toContain('inspections.json');
      const { single, ...others } = results.methods;
      await writeRun(target, { ...results, methods: { ...others } });
      expect(single?.seeds).toEqual([1]);
      expect(await readdir(join(target, 'predictions'))).toEqual(['mine.jsonl']);
      expect((await readdir(join(target, 'tensorboard'))).sort()).toEqual([
        'dynamic-seed1',
        'dynamic-seed2',
        'frozen-seed1',
        'frozen-seed2',
      ]);
      expect(await readdir(target)).not.toContain('inspections.json');
    });
  });

  it('leaves a README alone that is none of its cards', async () => {
    await withFolder({ 'out/README.md': '# mine' }, async (parent) => {
      const target = join(parent, 'out');
      const { card } = await writeRun(target, exampleResults());
      expect(card).toBe(join(target, 'MODEL_CARD.md'));
      expect(await readFile(join(target, 'README.md'), 'utf8')).toBe('# mine');
      const own = join(parent, 'own');
      await writeRun(own, exampleResults());
      expect((await writeRun(own, exampleResults())).card).toBe(join(own, 'README.md'));
    });
  });

  it('refuses inspections that do not fit, and writes nothing', async () => {
    await withFolder({}, async (parent) => {
      const many = Array.from({ length: 21 }, inspectedText);
      const attempt = writeRun(join(parent, 'out'), exampleResults(), { inspections: many });
      await expect(attempt).rejects.toThrow(/inspections\.json/);
      const elsewhere = {
        ...inspectedPicture(),
        input: { kind: 'picture', rows: 2, columns: 2, thumbnail: 'http://x/y.png' },
      };
      expect(() => parseInspections([elsewhere], 'here')).toThrow(/here: 0\.input\.thumbnail/);
      expect(await readdir(parent)).toEqual([]);
    });
  });

  it('leaves nothing behind when the results do not fit', async () => {
    await withFolder({}, async (parent) => {
      const broken = { ...exampleResults(), seconds: Number.POSITIVE_INFINITY };
      await expect(writeRun(join(parent, 'out'), broken)).rejects.toThrow(/out\/results\.json: seconds/);
      expect(await readdir(parent)).toEqual([]);
    });
  });

  it('leaves nothing behind when the folder cannot be written', async () => {
    await withFolder({ file: 'in the way' }, async (parent) => {
      const attempt = writeRun(join(parent, 'file'), exampleResults());
      await expect(attempt).rejects.toThrow(ConfigurationError);
      await expect(attempt).rejects.toThrow(/file: the results cannot be written/);
      expect(await readdir(parent)).toEqual(['file']);
      expect(await readFile(join(parent, 'file'), 'utf8')).toBe('in the way');
    });
  });
});

describe('readResults', () => {
  it('names a file that is no JSON', async () => {
    await withFolder({ 'results.json': '{"app":' }, async (folder) => {
      const path = join(folder, 'results.json');
      await expect(readResults(path)).rejects.toThrow(/results\.json: it cannot be read as JSON/);
    });
  });
});
