import { formatNames } from '@dynaprompt/benchmarks';

import type { ComparisonOptions } from '../options/comparison.js';
import type { ComparisonScene } from './comparison.js';

/** What people are told before the first run. */
export function introduction(
  faults: string,
  options: ComparisonOptions,
  { data, backbone, networks }: ComparisonScene,
): string {
  const { family, dtype, revision, parameters } = backbone;
  const { steps, batch, accumulation, slots } = options;
  const examples = accumulation === 1 ? `${batch}` : `${batch} × ${accumulation}`;
  const lines = [
    [
      'backbone',
      `${backbone.name} (${family}, ${count(parameters)} frozen parameters, ${dtype}, ${revision})`,
    ],
    ...data.flatMap((set) => [
      [
        'data',
        `${set.source}; ${count(set.train.length)} to train, ${count(set.validation.length)} to validate`,
      ],
      ['task', `${set.name}: ${set.description}`],
      ...(set.attribution === undefined ? [] : [['credits', set.attribution]]),
      ...(set.labels.length > 0 ? [['classes', formatNames(set.labels)]] : []),
      ...(set.skipped
        ? [['left out', `${count(set.skipped.count)} ${faults}: ${set.skipped.first.join('; ')}`]]
        : []),
    ]),
    ['methods', options.methods.join(', ')],
    ['seeds', options.seeds.join(', ')],
    [
      'training',
      `${steps} steps of ${examples} examples, ${slots} prompt slots, ${options.head} head, ${networks}`,
    ],
  ];
  return lines.map(([name = '', text = '']) => `${name.padEnd(9)} ${text}`).join('\n');
}

function count(value: number): string {
  return value.toLocaleString('en-US');
}
