import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { ConfigurationError, DataError } from '@dynaprompt/core';
import sharp from 'sharp';
import { withFolder } from '../../testing/temporary-folder.js';
import { loadVqa } from '../load-vqa.js';
import { languagePrior, vqaScores } from '../metrics/accuracy.js';
import { colors } from './concepts.js';
import { heldOutList } from './held-out.test.fixture.js';
import { scenePainter } from './painter.js';
import { writeScenes } from './write-scenes.js';

const few = { seed: 1, train: 24, validation: 12, test: 12 };

function withList<T>(use: (folder: string, heldOut: string) => Promise<T>): Promise<T> {
  return withFolder({ 'heldout.json': heldOutList }, (folder) => use(folder, join(folder, 'heldout.json')));
}

/** One hash of all names and contents below a folder. */
async function hashOf(folder: string): Promise<string> {
  const names = (await readdir(folder, { recursive: true })).sort();
  const hash = createHash('sha256');
  for (const name of names) {
    hash.update(name);
    hash.update(await readFile(join(folder, name)).catch(() => 'folder'));
  }
  return hash.digest('hex');
}

describe('writeScenes', () => {
  it('writes the layout of VQA, which is read as it was made', async () => {
    await withList(async (folder, heldOut) => {
      const target = join(folder, 'scenes');
      const written = await writeScenes(target, { ...few, heldOut });
      expect(written).toMatchObject({ folder: target, scenes: { train: 24, validation: 12, test: 12 } });
      expect((await readdir(target)).sort()).toEqual([
        'OpenEnded_scenes_test_questions.json',
        'OpenEnded_scenes_train_questions.json',
        'OpenEnded_scenes_validation_questions.json',
        'README.md',
        'scenes_test_annotations.json',
        'scenes_train_annotations.json',
        'scenes_validation_annotations.json',
        'test',
        'train',
        'validation',
      ]);
      expect(await readFile(join(target, 'README.md'), 'utf8')).toMatch(/OpenMoji.*CC BY-SA 4\.0/s);
      const data = await loadVqa('scenes', target, { seed: 1 });
      expect([data.train.length, data.validation.length, data.test?.length]).toEqual([24, 12, 12]);
      expect(data.faults.count).toBe(0);
      expect(data.attribution).toMatch(/OpenMoji/);
      for (const { image, answers, answer = '', question, group } of [...data.train, ...data.validation]) {
        const { width, height, channels, format } = await sharp(
          image.kind === 'file' ? image.path : '',
        ).metadata();
        expect([width, height, channels, format]).toEqual([64, 64, 3, 'png']);
        expect([answers.length, answers.includes(answer), question.endsWith('?')]).toEqual([10, true, true]);
        expect(['seen', 'held-out']).toContain(group);
      }
      const right = data.validation.map(({ answer = '' }) => answer);
      expect(vqaScores(right, data.validation, data).overall).toBeGreaterThan(0.95);
    });
  });

  it('writes the same bytes for the same seed, others for another', async () => {
    await withList(async (folder, heldOut) => {
      const hashes: string[] = [];
      for (const [name, seed] of [
        ['a', 1],
        ['b', 1],
        ['c', 2],
      ] as const) {
        await writeScenes(join(folder, name), { ...few, seed, heldOut });
        hashes.push(await hashOf(join(folder, name)));
      }
      expect(hashes[0]).toBe(hashes[1]);
      expect(hashes[0]).not.toBe(hashes[2]);
    });
  });

  it('has a prior that a guess without pictures finds, and that is small', async () => {
    await withList(async (folder, heldOut) => {
      const target = join(folder, 'scenes');
      await writeScenes(target, { seed: 1, train: 240, validation: 120, test: 0, size: 32, heldOut });
      const data = await loadVqa('scenes', target, { seed: 1 });
      const { overall, byAnswerType } = languagePrior(data.train, data.validation, data);
      expect(overall).toBeGreaterThan(0.15);
      expect(overall).toBeLessThan(0.35);
      expect(byAnswerType.find(({ name }) => name === 'yes/no')?.score).toBeCloseTo(0.6, 6);
    });
  });

  it('leaves nothing behind when it fails, and what was there as it was', async () => {
    await withList(async (folder, heldOut) => {
      const target = join(folder, 'taken');
      await mkdir(target);
      await writeFile(join(target, 'mine.txt'), 'mine');
      await expect(writeScenes(target, { ...few, heldOut })).rejects.toThrow(
        /taken: the folder is not empty/,
      );
      // A package without the drawings fails in the middle of the writing.
      const broken = join(folder, 'node_modules', 'openmoji');
      await mkdir(broken, { recursive: true });
      await writeFile(join(broken, 'package.json'), '{"name": "openmoji", "version": "17.0.0"}');
      const attempt = writeScenes(join(folder, 'new'), { ...few, heldOut, from: join(folder, 'app.js') });
      await expect(attempt).rejects.toThrow(DataError);
      await expect(attempt).rejects.toThrow(/\.svg: the drawing cannot be rendered/);
      await writeFile(join(folder, 'file'), '');
      await expect(writeScenes(join(folder, 'file', 'x'), { ...few, heldOut })).rejects.toThrow(
        ConfigurationError,
      );
      expect((await readdir(folder)).sort()).toEqual(['file', 'heldout.json', 'node_modules', 'taken']);
      expect(await readdir(target)).toEqual(['mine.txt']);
    });
  });

  it('fills an empty folder', async () => {
    await withList(async (folder, heldOut) => {
      const target = join(folder, 'empty');
      await mkdir(target);
      await writeScenes(target, { ...few, validation: 0, test: 0, heldOut });
      expect((await readdir(target)).sort()).toEqual([
        'OpenEnded_scenes_train_questions.json',
        'README.md',
        'scenes_train_annotations.json',
        'train',
      ]);
    });
  });

  it.each([
    [{ train: -1 }, /train -1: this is not a number of scenes/],
    [{ test: 1.5 }, /test 1\.5: /],
    [{ train: 0, validation: 0, test: 0 }, /none are asked for/],
    [{ size: 16 }, /size 16: /],
    [{ heldOut: '/nowhere.json' }, /\/nowhere\.json: it cannot be used/],
    [{ from: '/nowhere/app.js' }, /openmoji, which has its pictures, is not installed/],
  ])('refuses %j', async (options, message) => {
    await withList(async (folder, heldOut) => {
      await expect(writeScenes(join(folder, 'x'), { ...few, heldOut, ...options })).rejects.toThrow(message);
      expect(await readdir(folder)).toEqual(['heldout.json']);
    });
  });
});

describe('scenePainter', () => {
  it('paints squares of the colours where the things stand, white elsewhere', async () => {
    const { createRequire } = await import('node:module');
    const openMoji = createRequire(import.meta.url).resolve('openmoji/package.json');
    const { paint } = await scenePainter(join(openMoji, '..', 'color', 'svg'), 64);
    const concept = { name: 'cat', category: 'animal', one: 'a cat', plural: 'cats', drawings: [] };
    const thing = { concept, drawing: '1F408', scale: 0.75, shift: [0.5, 0.5] as const };
    const png = await paint([{ ...thing, color: 'red' }, undefined, undefined, { ...thing, color: 'blue' }]);
    const data = await sharp(png).raw().toBuffer();
    const at = (x: number, y: number) => [...data.subarray((y * 64 + x) * 3, (y * 64 + x) * 3 + 3)];
    expect([at(2, 2), at(29, 2), at(0, 0), at(31, 10), at(40, 10), at(10, 50)]).toEqual([
      [...colors.red],
      [...colors.red],
      ...Array<number[]>(4).fill([255, 255, 255]),
    ]);
    expect(at(34, 34)).toEqual([...colors.blue]);
    // The drawing is there, with black outlines, and the same in both squares where they have one colour.
    const red = { ...thing, color: 'red' } as const;
    const twice = await sharp(await paint([red, undefined, undefined, red]))
      .raw()
      .toBuffer();
    const first = Array.from({ length: 32 }, (_, y) => [...twice.subarray(y * 192, y * 192 + 96)]);
    const second = Array.from({ length: 32 }, (_, y) => [
      ...twice.subarray((y + 32) * 192 + 96, (y + 33) * 192),
    ]);
    expect(second).toEqual(first);
    const black = first.flat().filter((value, index, all) => {
      return index % 3 === 0 && value + (all[index + 1] ?? 0) + (all[index + 2] ?? 0) < 200;
    });
    expect(black.length).toBeGreaterThan(20);
    // A single thing fills the picture.
    const single = await sharp(await paint([{ ...thing, color: 'green' }]))
      .raw()
      .toBuffer();
    expect([...single.subarray(0, 3)]).toEqual([...colors.green]);
  });
});
