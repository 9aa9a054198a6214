import { metrics, type TaskDefinition, tasks, type TextTable } from '@dynaprompt/benchmarks';
import { bundledModels } from '@dynaprompt/mini-models';
import { formatSections, leftColumns, methodCatalogue, methodsTable } from '@dynaprompt/runner';

import { headKindsOf } from './head.js';

/** Bundled models that read texts. */
const readers = [bundledModels['mini-bert']];

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
  return {
    tasks: tasks.map(({ name, description, license, source, metric, measures, answer, layout, prompt }) => ({
      name,
      description,
      license,
      source,
      metric,
      measures: measures ?? { headline: ['accuracy'] },
      answer: answer ?? 'class',
      heads: headKindsOf({ ...(answer && { answer }), ...(prompt && { prompt }) }),
      prompt: prompt ?? null,
      data: layout.kind,
      columns: layout.columns ?? null,
      fields: layout.kind === 'folder' ? (layout.fields ?? null) : null,
      labels: layout.labels ?? null,
    })),
    methods: methodCatalogue(),
    backbones: readers,
  };
}

function taskTable(): TextTable {
  return {
    columns: leftColumns('task', 'metric', 'columns', 'classes', 'heads', 'prompt', 'data'),
    rows: tasks.map((task) => [
      task.name,
      metrics[task.metric].title,
      columnsOf(task),
      classesOf(task),
      Object.values(headKindsOf(task)).join(', '),
      promptOf(task),
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

/** The wording of the head that asks the model itself, with the words that it chooses from. */
function promptOf(task: TaskDefinition): string {
  const { prompt } = task;
  if (prompt === undefined || headKindsOf(task).verbalizer === undefined) return '–';
  return prompt.words.length === 0 ? prompt.template : `${prompt.template} → ${prompt.words.join(', ')}`;
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

function backboneTable(): TextTable {
  return {
    columns: leftColumns('backbone', 'family', 'parameters', 'tokens', 'licence'),
    rows: readers.map(({ name, family, parameters, maximumTokens, license }) => [
      name,
      family,
      parameters.toLocaleString('en-US'),
      `${maximumTokens}`,
      license,
    ]),
  };
}
