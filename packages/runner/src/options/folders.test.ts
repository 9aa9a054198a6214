import { describe, expect, it } from '@jest/globals';

import { ConfigurationError } from '@dynaprompt/core';

import { assignFolders, foldersOf } from './folders.js';

const isBundled = (name: string): boolean => name === 'bundled';

describe('foldersOf', () => {
  it('leaves the commas of a single folder alone', () => {
    expect(foldersOf(['one'], 'my,folder')).toEqual(['my,folder']);
    expect(foldersOf(['one', 'two'], 'a, b')).toEqual(['a', 'b']);
    expect(foldersOf(['one'], undefined)).toEqual([]);
  });
});

describe('assignFolders', () => {
  it('passes over tasks that need none', () => {
    expect(assignFolders(['one', 'bundled', 'two'], ['a', 'b'], isBundled)).toEqual([
      { name: 'one', folder: 'a' },
      { name: 'bundled', folder: undefined },
      { name: 'two', folder: 'b' },
    ]);
  });

  it('leaves a folder too few to the task, and refuses one too many', () => {
    expect(assignFolders(['one', 'two'], ['a'], isBundled)[1]).toEqual({ name: 'two', folder: undefined });
    expect(assignFolders(['bundled'], ['a'], isBundled)).toEqual([{ name: 'bundled', folder: 'a' }]);
    expect(() => assignFolders(['one', 'bundled'], ['a', 'b', 'c'], isBundled)).toThrow(ConfigurationError);
    expect(() => assignFolders(['one', 'bundled'], ['a', 'b', 'c'], isBundled)).toThrow('2 more folders');
  });
});
