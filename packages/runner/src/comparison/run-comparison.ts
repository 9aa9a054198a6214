import {
  formatTable,
  measuresTable,
  methodTable,
  scoreTitle,
  taskTable,
  writeRun,
} from '@dynaprompt/benchmarks';
import { type Adapter, methodNamed } from '@dynaprompt/training';

import type { Display } from '../display/display.js';
import { PlainDisplay } from '../display/plain-display.js';
import { TerminalDisplay } from '../display/terminal-display.js';
import type { Domain } from '../domain.js';
import type { ComparisonOptions, OutputOptions } from '../options/comparison.js';
import { requireOutputFolder } from '../output/output-folder.js';
import { saveAdapters } from '../output/save-adapters.js';
import { compare, type ComparisonScene } from './comparison.js';
import { metricOf } from './summary.js';

/**
 * Compares, shows how it goes, and writes the results. People read on stdout; with `json`, stdout holds the results alone and
 * people read on stderr. Files are written at the very end.
 */
export async function runComparison<Example, Options extends ComparisonOptions>(
  domain: Pick<Domain<Example, Options>, 'application' | 'load' | 'measure'>,
  options: Options,
  { output, json, force }: OutputOptions,
  signal: AbortSignal,
): Promise<void> {
  for (const name of options.methods) methodNamed(name);
  const { application } = domain;
  await requireOutputFolder(application.name, output, force);
  const people = json ? process.stderr : process.stdout;
  const display: Display = people.isTTY ? new TerminalDisplay(people) : new PlainDisplay(people);
  let adapters: readonly Adapter[] = [];
  try {
    const results = await compare(
      domain,
      options,
      {
        opened: (scene) => {
          people.write(`${introduction(application.faults, options, scene)}\n\n`);
          display.begin({
            metric: scoreTitle(metricOf(scene.data)),
            runs: options.methods.length * options.seeds.length,
          });
        },
        event: (event) => {
          display.show(event);
        },
        trained: (trained) => {
          adapters = trained;
        },
      },
      signal,
    );
    signal.throwIfAborted();
    const written = await writeRun(output, results);
    const saved = adapters.length > 0 ? `adapters ${await saveAdapters(output, adapters)}\n` : '';
    people.write(`\n${formatTable(methodTable(results))}\n\n`);
    for (const table of [taskTable(results), measuresTable(results)]) {
      if (table !== undefined) people.write(`${formatTable(table)}\n\n`);
    }
    people.write(`results  ${written.results}\nreport   ${written.report}\n${saved}`);
    if (json) process.stdout.write(`${JSON.stringify(results, null, 2)}\n`);
  } finally {
    display.end();
  }
}

function introduction(
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
      ...(set.labels.length > 0 ? [['classes', set.labels.join(', ')]] : []),
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
