import type { TextTable } from '@dynaprompt/benchmarks';
import { bundledModels } from '@dynaprompt/mini-models';
import { formatSections, leftColumns, methodCatalogue, methodsTable } from '@dynaprompt/runner';

import { taskNotes } from './data/tasks.js';

/** Bundled models that see pictures. */
const seers = [bundledModels['mini-clip']];

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
  return { tasks: taskNotes, methods: methodCatalogue(), backbones: seers };
}

function taskTable(): TextTable {
  return {
    columns: leftColumns('task', 'classes', 'data'),
    rows: taskNotes.map(({ name, classes, files }) => [name, classes, files]),
  };
}

function backboneTable(): TextTable {
  return {
    columns: leftColumns('backbone', 'family', 'parameters', 'pictures', 'licence'),
    rows: seers.map(({ name, family, parameters, imageSize, license }) => [
      name,
      family,
      parameters.toLocaleString('en-US'),
      `${imageSize} × ${imageSize}`,
      license,
    ]),
  };
}
