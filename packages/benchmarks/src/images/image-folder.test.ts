import { symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { DataError } from '@dynaprompt/core';
import { withFolder } from '../testing/temporary-folder.js';
import { readImageFolder } from './image-folder.js';

/** Empty files of these names. */
function files(...names: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(names.map((name) => [name, '']));
}

const ids = (entries: readonly { id: string; label: number }[] | undefined) =>
  entries?.map(({ id, label }) => `${label} ${id}`);

describe('readImageFolder', () => {
  it('takes classes, splits and nested pictures from folders, and names every other file', async () => {
    const content = files(
      'train/dog/b.PNG',
      'train/dog/a.jpeg',
      'train/Cat/deep/er/x.webp',
      'train/Cat/notes.txt',
      'train/Cat/.DS_Store',
      'train/loose.png',
      'val/dog/v.svg',
      'test/Cat/t.tif',
      'README.md',
    );
    await withFolder(content, async (root) => {
      const read = await readImageFolder(root);
      // Capital letters come before small ones, as in the folders of torchvision.
      expect(read.classes).toEqual(['Cat', 'dog']);
      expect(ids(read.train)).toEqual([
        '0 train/Cat/deep/er/x.webp',
        '1 train/dog/a.jpeg',
        '1 train/dog/b.PNG',
      ]);
      expect(ids(read.validation)).toEqual(['1 val/dog/v.svg']);
      expect(ids(read.test)).toEqual(['0 test/Cat/t.tif']);
      expect(read.train[1]?.image).toEqual({ kind: 'file', path: join(root, 'train/dog/a.jpeg') });
      expect(read.faults.count).toBe(4);
      expect([...read.faults.first].sort()).toEqual([
        'README.md: it is outside of the splits',
        'train/Cat/.DS_Store: its ending is not that of a picture',
        'train/Cat/notes.txt: its ending is not that of a picture',
        'train/loose.png: it is in no folder of a class',
      ]);
    });
  });

  it('takes a folder without splits as training pictures', async () => {
    await withFolder(files('b/1.png', 'a/1.png', 'list.csv'), async (root) => {
      const read = await readImageFolder(root);
      expect(ids(read.train)).toEqual(['0 a/1.png', '1 b/1.png']);
      expect([read.validation, read.test]).toEqual([undefined, undefined]);
      expect(read.faults).toEqual({ count: 1, first: ['list.csv: it is in no folder of a class'] });
    });
  });

  it('follows links to pictures and to folders of classes, not those further down', async () => {
    await withFolder(files('store/1.png', 'root/a/2.png'), async (folder) => {
      const root = join(folder, 'root');
      await symlink(join(folder, 'store'), join(root, 'b'));
      await symlink(join(folder, 'store/1.png'), join(root, 'a/3.png'));
      await symlink(root, join(root, 'a/again'));
      const read = await readImageFolder(root);
      expect(ids(read.train)).toEqual(['0 a/2.png', '0 a/3.png', '1 b/1.png']);
      expect(read.faults.first).toEqual(['a/again: it is a link to a folder']);
    });
  });

  it.each([
    [{}, /it holds no folder of a class/],
    [files('train/a/1.png', 'train/b/1.txt'), /class "b" of .* no picture to train on/],
    [files('train/a/1.png', 'val/b/1.png'), /val\/b: the training split has no class of that name/],
  ])('refuses what cannot be trained on: %#', async (content, message) => {
    await withFolder(content, async (root) => {
      await expect(readImageFolder(root)).rejects.toThrow(DataError);
      await expect(readImageFolder(root)).rejects.toThrow(message);
    });
  });

  it('refuses a folder that is missing', async () => {
    await expect(readImageFolder('/nowhere/at/all')).rejects.toThrow(/\/nowhere\/at\/all: .*cannot be read/);
  });
});
