import { formatTable, type TextTable } from '@dynaprompt/benchmarks';
import { preset, presetNames } from '@dynaprompt/core';
import { type BaselineName, baselineNames } from '@dynaprompt/training';

/** Tables under their titles. */
export function formatSections(tables: Readonly<Record<string, TextTable>>): string {
  return Object.entries(tables)
    .map(([title, table]) => `${title}\n\n${formatTable(table)}`)
    .join('\n\n');
}

/** Every method with what is learned of its prompt, for people. */
export function methodsTable(): TextTable {
  return {
    columns: leftColumns('method', 'position', 'length', 'representation'),
    rows: [
      ...baselineNames.map((name) => [name, '–', '–', baselineTexts[name]]),
      ...presetNames.map((name) => {
        const { position, length, representation } = preset(name);
        return [name, position.level, length.level, representation.kind];
      }),
    ],
  };
}

const baselineTexts: Readonly<Record<BaselineName, string>> = {
  frozen: 'no prompt: head alone, or zero-shot without one',
  'linear-probe': 'no prompt: head alone',
  'fine-tuning': 'no prompt: head and all weights',
};

/** The same for programs. */
export function methodCatalogue(): readonly { readonly name: string; readonly configuration: unknown }[] {
  return [
    ...baselineNames.map((name) => ({ name, configuration: null })),
    ...presetNames.map((name) => ({ name, configuration: preset(name) })),
  ];
}

/** Columns whose cells begin at the left. */
export function leftColumns(...titles: readonly string[]): TextTable['columns'] {
  return titles.map((title) => ({ title, align: 'left' }));
}
