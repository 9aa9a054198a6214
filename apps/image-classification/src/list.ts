import type { TextTable } from '@dynaprompt/benchmarks';
import { clipPreset, clipPresetNames } from '@dynaprompt/clip';
import { bundledModels } from '@dynaprompt/mini-models';
import { formatSections, leftColumns, methodCatalogue, methodsTable } from '@dynaprompt/runner';

import { splitNotes } from './data/load-data.js';
import { taskNotes } from './data/tasks.js';

/** Bundled models that see pictures. */
const seers = [bundledModels['mini-clip']];

/** What there is to choose from, for people. */
export function formatCatalogue(): string {
  return formatSections({
    Tasks: taskTable(),
    Splits: splitTable(),
    Methods: methodsTable(),
    'Published methods of --head clip': presetTable(),
    'Bundled backbones': backboneTable(),
  });
}

/** The same for programs. */
export function catalogue(): unknown {
  return {
    tasks: taskNotes,
    splits: splitNotes,
    methods: methodCatalogue(),
    prompts: presets(),
    backbones: seers,
  };
}

/** What `--prompts` chooses from. */
function presets() {
  return clipPresetNames.map((name) => {
    const { prompts, conditioned, configuration } = clipPreset(name);
    const { slots, layers } = configuration;
    return { name, towers: prompts, slots, layers, perPicture: conditioned };
  });
}

function presetTable(): TextTable {
  return {
    columns: leftColumns('--prompts', 'towers', 'slots', 'layers', 'depends on the picture'),
    rows: presets().map(({ name, towers, slots, layers, perPicture }) => [
      name,
      towers,
      `${slots}`,
      `${layers}`,
      perPicture ? 'yes' : 'no',
    ]),
  };
}

function taskTable(): TextTable {
  return {
    columns: leftColumns('task', 'classes', 'data'),
    rows: taskNotes.map(({ name, classes, files }) => [name, classes, files]),
  };
}

function splitTable(): TextTable {
  return {
    columns: leftColumns('--split', 'trains on', 'with --evaluation validation', 'with --evaluation test'),
    rows: splitNotes.map(({ name, train, validation, test }) => [name, train, validation, test]),
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
