import { metrics, type TextTable } from '@dynaprompt/benchmarks';

import { markdownTable } from './markdown-table.js';
import { measureNames, measureText } from './measures.js';
import { reference, type StudyResults, type StudyRow } from './results.js';

/**
 * The page of a study: a table for each task, then what is needed to repeat it. `notes` is kept as it is; `input` is what
 * prompts are put into.
 */
export function renderStudy(results: StudyResults, notes: string, input: string): string {
  const parts = [
    '# Results',
    notes,
    explanation(results, input),
    ...results.tasks.flatMap((task) => taskParts(results, task)),
    '## How to repeat it',
    fence('sh', [results.command]),
    fence('', configurationLines(results)),
    fence('', [
      ...Object.entries(results.backbone).map(([name, value]) => `backbone ${name}: ${value}`),
      ...Object.entries(results.versions).map(([name, version]) => `${name}: ${version}`),
      ...results.machines.map((machine) => `machine: ${machine}`),
    ]),
  ];
  return `${parts.join('\n\n')}\n`;
}

function explanation({ configuration }: StudyResults, input: string): string {
  const { seeds, tuningSeeds, holdout, steps, batch, slots, rates } = configuration;
  const part =
    holdout < 1 ? `${percent(holdout, 0)} % of the training examples` : `${holdout} training examples`;
  const lines = [
    `Every run: ${steps} steps of ${batch} examples, the same examples in the same order for all methods of a seed; ` +
      `prompts have up to ${slots} tokens.`,
    `Rates: the best of ${rates.prompt.length} settings for every method, by the score on ${part} ` +
      `that were held out of training, seeds ${tuningSeeds.join(', ')}; of equal scores the first setting. ` +
      'The validation examples had no part in it.',
    `Scores: validation examples after the last step, mean ± standard deviation over seeds ${seeds.join(', ')}, percent; ` +
      '`best` is the mean of the best score of each run, picked on the same examples, so it flatters.',
    `\`p\`: exact two-sided paired permutation test over the seeds against \`${reference}\`, Holm-corrected over the ` +
      `methods of the task. With ${seeds.length} seeds no uncorrected p is below ${significant(2 / 2 ** seeds.length)}.`,
    `\`length\`: mean of the active tokens. \`position\`: the most frequent numbers of tokens that stand before ${input}.`,
  ];
  return lines.map((line) => `- ${line}`).join('\n');
}

function taskParts(
  results: StudyResults,
  { task, methods, penalties }: StudyResults['tasks'][number],
): string[] {
  const { name, metric, train, validation, majority, labels } = task;
  const failed = [...methods, ...penalties].flatMap((row) => failureLines(row));
  return [
    `## ${name}`,
    `${metrics[metric].title}; ${train} training and ${validation} validation examples, ` +
      (labels.length > 0
        ? `${labels.length} classes; always the most frequent class: ${percent(majority)}.`
        : `no classes; always the same answer: ${percent(majority)}.`),
    markdownTable(methodTable(methods, results.configuration.seeds.length)),
    ...(penalties.length === 0
      ? []
      : [
          `### Length penalty, \`${penalties[0]?.method ?? ''}\``,
          markdownTable(penaltyTable(penalties, results.configuration.seeds.length)),
        ]),
    ...(failed.length === 0 ? [] : ['Failed runs:', fence('', failed)]),
  ];
}

function methodTable(rows: readonly StudyRow[], seeds: number): TextTable {
  const measured = measureNames(rows);
  return {
    columns: [
      { title: 'method', align: 'left' },
      { title: 'trained', align: 'right' },
      { title: 'rates', align: 'left' },
      { title: 'score', align: 'right' },
      { title: '95% interval', align: 'right' },
      { title: 'best', align: 'right' },
      { title: `to ${reference}`, align: 'right' },
      { title: 'p', align: 'right' },
      { title: 's/run', align: 'right' },
      { title: 'length', align: 'right' },
      { title: 'position', align: 'left' },
      ...measured.map((title) => ({ title, align: 'right' as const })),
    ],
    rows: rows.map((row) => [
      `\`${row.method}\``,
      row.trainableParameters === null ? '–' : row.trainableParameters.toLocaleString('en-US'),
      row.ratesText,
      scoreOf(row, seeds),
      row.confidence === null ? '–' : `${percent(row.confidence.low)} … ${percent(row.confidence.high)}`,
      meanText(row.best, percent),
      row.difference === null ? '–' : signed(row.difference.mean),
      row.difference === null ? '–' : significant(row.difference.adjusted),
      meanText(row.seconds, (value) => value.toFixed(1)),
      row.meanLength === null ? '–' : row.meanLength.toFixed(1),
      positionText(row.positions),
      ...measured.map((name) => measureText(row, name, percent)),
    ]),
  };
}

function penaltyTable(rows: readonly StudyRow[], seeds: number): TextTable {
  return {
    columns: [
      { title: 'μ', align: 'right' },
      { title: 'score', align: 'right' },
      { title: '95% interval', align: 'right' },
      { title: 'length', align: 'right' },
      { title: 's/run', align: 'right' },
    ],
    rows: rows.map((row) => [
      `${row.penalty ?? 0}`,
      scoreOf(row, seeds),
      row.confidence === null ? '–' : `${percent(row.confidence.low)} … ${percent(row.confidence.high)}`,
      row.meanLength === null ? '–' : row.meanLength.toFixed(2),
      meanText(row.seconds, (value) => value.toFixed(1)),
    ]),
  };
}

/** `83.10 ± 0.52`; says so where seeds are missing. */
function scoreOf({ mean, std, final }: StudyRow, seeds: number): string {
  if (mean === null) return 'failed';
  const missing = final.length < seeds ? ` (${final.length} of ${seeds} seeds)` : '';
  return `${percent(mean)}${std === null ? '' : ` ± ${percent(std)}`}${missing}`;
}

/** The three most frequent positions with their shares. */
function positionText(positions: readonly number[] | null): string {
  if (positions === null) return '–';
  const total = positions.reduce((sum, count) => sum + count, 0);
  return positions
    .map((count, position) => ({ count, position }))
    .filter(({ count }) => count > 0)
    .sort((first, second) => second.count - first.count)
    .slice(0, 3)
    .map(({ count, position }) => `${position}: ${percent(count / total, 0)} %`)
    .join(', ');
}

function failureLines({ method, penalty, failures }: StudyRow): string[] {
  const name = penalty === null ? method : `${method} μ ${penalty}`;
  return failures.map(({ phase, seed, rates, message }) => {
    return `${name}, ${phase}, seed ${seed}, ${rates}: ${message.replace(/\s+/g, ' ')}`;
  });
}

function configurationLines({ configuration, tasks }: StudyResults): string[] {
  return [
    ...Object.entries(configuration).map(([name, value]) => `${name}: ${JSON.stringify(value)}`),
    ...tasks.map(({ task }) => `examples of ${task.name}: sha256 ${task.fingerprint}`),
  ];
}

function fence(language: string, lines: readonly string[]): string {
  return ['```' + language, ...lines, '```'].join('\n');
}

function meanText(values: readonly number[], format: (value: number) => string): string {
  if (values.length === 0) return '–';
  return format(values.reduce((sum, value) => sum + value, 0) / values.length);
}

function percent(share: number, digits = 2): string {
  return (100 * share).toFixed(digits).replace('-', '−');
}

function signed(difference: number): string {
  const text = percent(Math.abs(difference));
  if (Number(text) === 0) return text;
  return `${difference < 0 ? '−' : '+'}${text}`;
}

/** Three digits behind the point, more for what is smaller. */
function significant(value: number): string {
  return value < 0.001 ? value.toExponential(1) : value.toFixed(3);
}
