import { formatTable, metrics, type TaskDefinition, tasks, type TextTable } from '@dynaprompt/benchmarks';
import { preset, presetNames } from '@dynaprompt/core';
import { bundledModels } from '@dynaprompt/mini-models';

/** What there is to choose from, for people. */
export function formatCatalogue(): string {
  return [
    section('Tasks', taskTable()),
    section('Methods', methodsTable()),
    section('Bundled backbones', backboneTable()),
  ].join('\n\n');
}

/** The same for programs. */
export function catalogue(): unknown {
  return {
    tasks: tasks.map(({ name, description, license, source, metric, layout }) => ({
      name,
      description,
      license,
      source,
      metric,
      data: layout.kind,
      columns: layout.columns ?? null,
      labels: layout.labels ?? null,
    })),
    methods: [
      { name: 'frozen', configuration: null },
      ...presetNames.map((name) => ({ name, configuration: preset(name) })),
    ],
    backbones: Object.values(bundledModels),
  };
}

function section(title: string, table: TextTable): string {
  return `${title}\n\n${formatTable(table)}`;
}

function taskTable(): TextTable {
  return {
    columns: left('task', 'metric', 'columns', 'classes', 'data'),
    rows: tasks.map((task) => [
      task.name,
      metrics[task.metric].title,
      columnsOf(task),
      task.layout.labels?.map(({ value }) => value).join(', ') ?? 'those in train.tsv',
      task.layout.kind === 'bundled'
        ? 'bundled'
        : `${task.layout.files.train}, ${task.layout.files.validation}`,
    ]),
  };
}

function columnsOf({ layout: { columns } }: TaskDefinition): string {
  if (columns === undefined) return 'named by you';
  return [columns.text, columns.pair, columns.label].filter((column) => column !== undefined).join(', ');
}

function methodsTable(): TextTable {
  return {
    columns: left('method', 'position', 'length', 'representation'),
    rows: [
      ['frozen', '–', '–', 'no prompt: head alone'],
      ...presetNames.map((name) => {
        const { position, length, representation } = preset(name);
        return [name, position.level, length.level, representation.kind];
      }),
    ],
  };
}

function backboneTable(): TextTable {
  return {
    columns: left('backbone', 'family', 'parameters', 'tokens', 'licence'),
    rows: Object.values(bundledModels).map(({ name, family, parameters, maximumTokens, license }) => [
      name,
      family,
      parameters.toLocaleString('en-US'),
      `${maximumTokens}`,
      license,
    ]),
  };
}

function left(...titles: readonly string[]): TextTable['columns'] {
  return titles.map((title) => ({ title, align: 'left' }));
}
