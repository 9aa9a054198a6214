import { formatTable, metrics, type TaskDefinition, tasks, type TextTable } from '@dynaprompt/benchmarks';
import { preset, presetNames } from '@dynaprompt/core';
import { bundledModels } from '@dynaprompt/mini-models';
import { type BaselineName, baselineNames } from '@dynaprompt/training';

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
    tasks: tasks.map(({ name, description, license, source, metric, measures, answer, layout }) => ({
      name,
      description,
      license,
      source,
      metric,
      measures: measures ?? { headline: ['accuracy'] },
      answer: answer ?? 'class',
      data: layout.kind,
      columns: layout.columns ?? null,
      fields: layout.kind === 'folder' ? (layout.fields ?? null) : null,
      labels: layout.labels ?? null,
    })),
    methods: [
      ...baselineNames.map((name) => ({ name, configuration: null })),
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
      classesOf(task),
      filesOf(task),
    ]),
  };
}

function classesOf({ answer = 'class', layout }: TaskDefinition): string {
  if (answer === 'candidate') return "each example's own candidates";
  if (answer === 'number' && layout.kind === 'folder')
    return `a number, ${layout.range?.join(' to ') ?? 'any'}`;
  return layout.labels?.map(({ name }) => name).join(', ') ?? 'those in the training file';
}

/** The files of the first way that they may lie, and the formats of the others. */
function filesOf({ layout }: TaskDefinition): string {
  if (layout.kind === 'bundled') return 'bundled';
  const [first] = layout.variants;
  if (first === undefined) return '';
  const others = new Set(
    layout.variants.map(({ format }) => format).filter((format) => format !== first.format),
  );
  const files =
    first.format === 'parquet'
      ? 'parquet'
      : [...new Set([first.train.path, first.validation.path])].join(', ');
  return [files, ...others].join(' or ');
}

function columnsOf({ layout }: TaskDefinition): string {
  if (layout.kind === 'folder' && layout.fields !== undefined) return layout.fields.join(', ');
  const { columns } = layout;
  if (columns === undefined) return 'named by you';
  return [columns.text, columns.pair, columns.label].filter((column) => column !== undefined).join(', ');
}

function methodsTable(): TextTable {
  return {
    columns: left('method', 'position', 'length', 'representation'),
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
