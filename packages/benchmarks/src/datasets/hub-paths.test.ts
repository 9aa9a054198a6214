import { describe, expect, it } from '@jest/globals';
import { hubPathsOf, hubPicturePathsOf } from './hub-paths.js';

const shard = (stem: string, of = 1): string[] =>
  Array.from({ length: of }, (_, index) => `${stem}-0000${index}-of-0000${of}.parquet`);

/** As `nyu-mll/glue` has them, shortened. */
const glue = [
  '.gitattributes',
  'README.md',
  ...['sst2', 'mnli', 'ax'].flatMap((name) =>
    (name === 'ax'
      ? ['test']
      : name === 'mnli'
        ? ['train', 'validation_matched']
        : ['train', 'test']
    ).flatMap((split) => shard(`${name}/${split}`)),
  ),
  ...shard('sst2/validation', 2),
  ...shard('mnli/validation_mismatched'),
];

describe('hubPathsOf', () => {
  it.each([
    ['sst2', 'validation', [...shard('sst2/train'), ...shard('sst2/validation', 2)]],
    ['sst2', 'test', [...shard('sst2/train'), ...shard('sst2/test')]],
    ['mnli', 'validation', [...shard('mnli/train'), ...shard('mnli/validation_matched')]],
    ['mnli-mm', 'validation', [...shard('mnli/train'), ...shard('mnli/validation_mismatched')]],
    ['cola', 'validation', []],
    ['spam-assassin', 'validation', []],
  ] as const)('%s, %s', (task, evaluation, expected) => {
    expect(hubPathsOf(task, glue, evaluation)).toEqual(expected);
  });

  it('takes files of other formats, and those that lie in no folder', () => {
    const paths = ['train.jsonl', 'test.jsonl', 'dev.jsonl', 'README.md'];
    expect(hubPathsOf('jsonl', paths)).toEqual(['train.jsonl', 'dev.jsonl']);
    expect(hubPathsOf('mr', ['train.parquet', 'validation.parquet'])).toEqual([
      'train.parquet',
      'validation.parquet',
    ]);
    expect(hubPathsOf('boolq', ['BoolQ/train.jsonl', 'BoolQ/val.jsonl'])).toEqual([
      'BoolQ/train.jsonl',
      'BoolQ/val.jsonl',
    ]);
  });
});

describe('hubPicturePathsOf', () => {
  const cifar = [...shard('cifar100/train'), ...shard('cifar100/test')];
  it.each([
    ['its only folder', ['README.md', ...cifar], cifar],
    ['data', [...shard('data/train', 2), ...cifar], shard('data/train', 2)],
    ['itself', ['train.parquet', ...cifar], ['train.parquet']],
    ['none of several', [...cifar, ...shard('other/train')], []],
    ['none', ['README.md', 'data/pictures.zip'], []],
  ])('takes those of %s', (_, paths, expected) => {
    expect(hubPicturePathsOf(paths)).toEqual(expected);
  });
});
