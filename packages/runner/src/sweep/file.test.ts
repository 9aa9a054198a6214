import { describe, expect, it } from '@jest/globals';

import { ConfigurationError } from '@dynaprompt/core';

import { parseSweepFile, readSweepFile } from './file.js';

const small = 'tasks: [sst2]\nmethods: [fixed]\nseeds: [1, 2]\n';

describe('parseSweepFile', () => {
  it('fills in what is left out', () => {
    expect(parseSweepFile(small, 'sweep.yaml')).toEqual({
      tasks: ['sst2'],
      methods: ['fixed'],
      seeds: [1, 2],
      options: {},
      folders: {},
    });
  });

  it.each([
    ['a key that nobody knows', `${small}method: [fixed]\n`, /sweep\.yaml, method: .*Did you mean methods/],
    ['a key like no other', `${small}zzzzzzzz: 1\n`, /zzzzzzzz: .*Use one of tasks, backbones, methods/],
    ['a missing list', 'tasks: [sst2]\nseeds: [1]\n', /sweep\.yaml, methods: it is missing/],
    ['an empty list', small.replace('[sst2]', '[]'), /sweep\.yaml, tasks/],
    ['a seed that is none', small.replace('[1, 2]', '[1, x]'), /sweep\.yaml, seeds 1/],
    ['a seed twice', small.replace('[1, 2]', '[1, 1]'), /seeds: 1 is there twice/],
    ['no values of an option', `${small}options: { steps: [] }\n`, /sweep\.yaml, options/],
    ['no YAML', 'tasks: [sst2\nmethods: x: y', /sweep\.yaml: it is no YAML/],
    ['no object', '- 1\n', /sweep\.yaml/],
  ])('refuses %s', (_, text, message) => {
    expect(() => parseSweepFile(text, 'sweep.yaml')).toThrow(ConfigurationError);
    expect(() => parseSweepFile(text, 'sweep.yaml')).toThrow(message);
  });

  it('says which file is not there', async () => {
    await expect(readSweepFile('/nowhere/sweep.yaml')).rejects.toThrow(
      /\/nowhere\/sweep\.yaml: it cannot be read/,
    );
  });
});
