import { statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { ConfigurationError, DataError } from '@dynaprompt/core';
import { withFolder } from '../testing/temporary-folder.js';
import { openMojiAttribution, readOpenMoji } from './openmoji.js';

const listed = (file: string, source = 'openmoji') => ({ source, file, caption: '', group: '' });
/** A cat and a rooster, a flag, and a stamp of another set that is called like a drawing. */
const heldOut = [
  listed('1F408.svg'),
  listed('1F413.svg'),
  listed('1F1E8-1F1FF.svg'),
  listed('1F437.svg', 'tux'),
];

function withList<T>(list: unknown, use: (path: string) => Promise<T>): Promise<T> {
  return withFolder({ 'heldout.json': JSON.stringify(list) }, (folder) => use(join(folder, 'heldout.json')));
}

describe('readOpenMoji', () => {
  it('tests on what was held out and trains on all others of the same groups', async () => {
    const { train, test, classes, faults, ...facts } = await withList(heldOut, (path) =>
      readOpenMoji({ heldOut: path }),
    );
    expect(classes).toEqual(['animals-nature', 'flags']);
    expect(test?.map(({ id, label }) => [id, label])).toEqual([
      ['1F408.svg', 0],
      ['1F413.svg', 0],
      ['1F1E8-1F1FF.svg', 1],
    ]);
    // 160 animals and plants and 270 flags in the data of the package, counted with jq.
    expect(train).toHaveLength(160 + 270 - 3);
    expect(train.filter(({ label }) => label === 1)).toHaveLength(269);
    expect(train.map(({ id }) => id)).toContain('1F437.svg');
    // 2,465 pictures have no skin tone.
    expect(faults.count).toBe(2465 - 430);
    expect(faults.first[0]).toBe('1F600.svg: class "smileys-emotion" has no picture to test on');
    expect(facts).toMatchObject({ license: 'CC BY-SA 4.0', attribution: openMojiAttribution });
    expect(facts.source).toMatch(/^npm package openmoji 17\./);
    for (const { image } of test ?? []) {
      expect(image.kind === 'file' && statSync(image.path).size).toBeGreaterThan(100);
    }
  });

  it('leaves out skin-tone variants', async () => {
    const hands = [listed('1F44B.svg'), listed('1F44B-1F3FB.svg')];
    const { train, test, faults } = await withList(hands, (path) => readOpenMoji({ heldOut: path }));
    expect(test?.map(({ id }) => id)).toEqual(['1F44B.svg']);
    expect(train.length).toBe(388 - 1);
    expect(train.filter(({ id }) => /1F3F[B-F]/.test(id))).toEqual([]);
    expect(faults.count).toBe(2465 - 388 + 1);
  });

  it('has subgroups as classes too', async () => {
    const { classes, train, test } = await withList(heldOut, (path) =>
      readOpenMoji({ heldOut: path, by: 'subgroups' }),
    );
    expect(classes).toEqual([
      'animals-nature/animal-bird',
      'animals-nature/animal-mammal',
      'flags/country-flag',
    ]);
    expect(train).toHaveLength(22 + 66 + 259 - 3);
    expect(test?.map(({ label }) => label)).toEqual([1, 0, 2]);
  });

  it('has as concepts the subgroups with two held-out pictures and twenty others', async () => {
    // Two mammals of 66; one bird of 22; two of the six phones.
    const few = [...heldOut, listed('1F405.svg'), listed('1F4F1.svg'), listed('260E.svg')];
    const { classes, train, test, faults, description } = await withList(few, (path) =>
      readOpenMoji({ heldOut: path, by: 'concepts' }),
    );
    expect(classes).toEqual(['animals-nature/animal-mammal']);
    expect([train.length, test?.map(({ id }) => id)]).toEqual([66 - 2, ['1F408.svg', '1F405.svg']]);
    expect(faults.count).toBe(2465 - 66);
    expect(description).toContain('2 and more pictures to test on and 20 others');
  });

  it('refuses a list that names no picture, or is none', async () => {
    await withList([listed('1F437.svg', 'tux')], async (path) => {
      await expect(readOpenMoji({ heldOut: path })).rejects.toThrow(/heldout\.json: it names no picture/);
    });
    await withList({ files: [] }, async (path) => {
      await expect(readOpenMoji({ heldOut: path })).rejects.toThrow(DataError);
    });
    await expect(readOpenMoji({ heldOut: '/nowhere.json' })).rejects.toThrow(
      /\/nowhere\.json: it cannot be used/,
    );
  });

  it('says how to get the package where it is not installed', async () => {
    await withList(heldOut, async (path) => {
      const attempt = readOpenMoji({ heldOut: path, from: path });
      await expect(attempt).rejects.toThrow(ConfigurationError);
      await expect(attempt).rejects.toThrow(/not installed.*npm install openmoji/);
    });
  });
});
