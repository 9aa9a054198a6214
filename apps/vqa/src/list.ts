import type { TextTable } from '@dynaprompt/benchmarks';
import { bundledModels } from '@dynaprompt/mini-models';
import { formatSections, leftColumns, methodCatalogue, methodsTable } from '@dynaprompt/runner';

import { taskNotes } from './data/tasks.js';

/** Bundled models that read texts and see pictures. */
const dualEncoders = [bundledModels['mini-clip']];

/** What there is to choose from, for people. */
export function formatCatalogue(): string {
  return formatSections({
    Tasks: taskTable(),
    Methods: methodsTable(),
    'Bundled backbones': backboneTable(),
  });
}

/** The same for programs. */
export function catalogue(): unknown {
  return { tasks: taskNotes, methods: methodCatalogue(), backbones: dualEncoders };
}

function taskTable(): TextTable {
  return {
    columns: leftColumns('task', 'score', 'data'),
    rows: taskNotes.map(({ name, score, files }) => [name, score, files]),
  };
}

function backboneTable(): TextTable {
  return {
    columns: leftColumns('backbone', 'family', 'parameters', 'pictures', 'tokens', 'licence'),
    rows: dualEncoders.map(({ name, family, parameters, imageSize, maximumTokens, license }) => [
      name,
      family,
      parameters.toLocaleString('en-US'),
      `${imageSize} × ${imageSize}`,
      `${maximumTokens}`,
      license,
    ]),
  };
}
