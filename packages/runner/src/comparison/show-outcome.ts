import {
  comparisonTable,
  formatTable,
  measuresTable,
  methodTable,
  taskTable,
  type TextTable,
} from '@dynaprompt/benchmarks';

import type { ComparisonOutcome } from './perform.js';

/** The tables of a comparison and where its files are, for people. */
export function outcomeText({ results, written, adapters }: ComparisonOutcome): string {
  const differences = comparisonTable(results);
  const tables: readonly (string | undefined)[] = [
    formatTable(methodTable(results)),
    differences && `${formatTable(differences.table)}\n${differences.title}`,
    formatted(taskTable(results)),
    formatted(measuresTable(results)),
  ];
  const shown = tables.filter((table) => table !== undefined).map((table) => `\n${table}\n`);
  const files = [
    `results  ${written.results}`,
    `report   ${written.report}`,
    ...(adapters === undefined ? [] : [`adapters ${adapters}`]),
  ];
  return `${shown.join('')}\n${files.join('\n')}\n`;
}

function formatted(table: TextTable | undefined): string | undefined {
  return table && formatTable(table);
}
