import { formatTable, methodTable } from '../report/method-table.js';
import { comparisonTable } from '../report/comparison-table.js';
import { leftOut } from '../report/left-out.js';
import { formatCount, formatNames, scoreTitle } from '../report/score-format.js';
import { runName } from './names.js';
import type { MethodResult, RunResults } from './schema.js';

/** What a model card says that results do not. */
export interface CardOptions {
  /** Task as the Hub names it, e.g. `text-classification`. */
  readonly pipeline?: string | undefined;
  /** How a command of the application begins, e.g. `npm run glue --`. */
  readonly command?: string | undefined;
}

/** Names of metrics on the Hub, where they are others. */
const hubMetrics: Readonly<Partial<Record<RunResults['metric'], string>>> = {
  matthews: 'matthews_correlation',
  pearson: 'pearsonr',
  spearman: 'spearmanr',
  'macro-f1': 'f1',
  'exact-match': 'exact_match',
};

/** By this a card is known to be one of ours. */
export const CARD_MARK = 'library_name: dynaprompt';

/** The card of a run's adapters as the Hugging Face Hub reads it: metadata with a `model-index`, then what a reader has to know. */
export function modelCard(results: RunResults, { pipeline = 'other', command }: CardOptions = {}): string {
  const { task, backbone, backboneDetails, data, config } = results;
  const { family, revision, commit, dtype, parameters } = backboneDetails;
  const methods = Object.entries(results.methods);
  const comparison = comparisonTable(results);
  const head = [
    '---',
    CARD_MARK,
    // The Hub links models by the name of owner and repository only.
    ...(/^[\w.-]+\/[\w.-]+$/.test(backbone)
      ? [`base_model: ${yaml(backbone)}`, 'base_model_relation: adapter']
      : []),
    ...(pipeline === 'other' ? [] : [`pipeline_tag: ${yaml(pipeline)}`]),
    'tags:',
    ...['prompt-tuning', 'soft-prompt', 'onnx', 'dynaprompt'].map((tag) => `  - ${tag}`),
    'metrics:',
    `  - ${yaml(hubMetrics[results.metric] ?? results.metric)}`,
    'model-index:',
    ...methods.flatMap(([name, method]) => indexEntry(name, method, results, pipeline)),
    '---',
  ];
  const lines = [
    ...head,
    '',
    `# ${plain(task)} on ${plain(backbone)}`,
    '',
    plain(data.description),
    '',
    `- **Backbone**: ${plain(backbone)} (${plain(family)}, ${formatCount(parameters)} parameters, ${dtype}), revision \`${revision}\`${commit === undefined ? '' : `, commit \`${commit}\``}; frozen`,
    `- **Data**: ${plain(data.source)}; ${formatCount(data.train)} examples for training, ${formatCount(data.validation)} for validation`,
    ...leftOut(results).map((what) => `- **Left out**: ${plain(what)}`),
    `- **Licence of the data**: ${plain(data.license)}`,
    ...(data.attribution === undefined ? [] : [`- **Attribution**: ${plain(data.attribution)}`]),
    `- **Classes**: ${formatNames(data.labels.map(plain)) || 'none: the answer is not a class'}`,
    `- **Methods**: ${methods.map(([name]) => plain(name)).join(', ')}`,
    `- **Seeds**: ${[...new Set(methods.flatMap(([, { seeds }]) => seeds))].join(', ')}`,
    `- **Run**: ${results.startedAt}, ${plain(results.app)}; ${Object.entries(results.versions)
      .map(([name, version]) => `${plain(name)} ${plain(version)}`)
      .join(', ')}`,
    '',
    '## Scores',
    '',
    `On the validation examples after the last step: ${plain(scoreTitle(results.metric))} × 100, mean ± sample standard deviation over the seeds.`,
    '',
    '```',
    formatTable(methodTable(results)),
    '```',
    ...(comparison === undefined
      ? []
      : ['', comparison.title, '', '```', formatTable(comparison.table), '```']),
    '',
    ...usage(results, command),
    '## Configuration',
    '',
    '```json',
    JSON.stringify(config, null, 2),
    '```',
    '',
  ];
  return lines.join('\n');
}

/** One `model` of the `model-index`. */
function indexEntry(
  name: string,
  { mean, std, seeds }: MethodResult,
  { task, metric, data }: RunResults,
  pipeline: string,
): readonly string[] {
  const counted = seeds.length === 1 ? 'one seed' : `mean of ${seeds.length} seeds`;
  const spread = std === null ? '' : `, standard deviation ${Number(std.toPrecision(4))}`;
  return [
    `  - name: ${yaml(`${name} on ${task}`)}`,
    '    results:',
    '      - task:',
    `          type: ${yaml(pipeline)}`,
    '        dataset:',
    `          name: ${yaml(data.source)}`,
    `          type: ${yaml(task)}`,
    '          split: validation',
    '        metrics:',
    `          - type: ${yaml(hubMetrics[metric] ?? metric)}`,
    `            value: ${mean}`,
    `            name: ${yaml(`validation ${scoreTitle(metric)}, ${counted}${spread}`)}`,
    '            verified: false',
  ];
}

/** How the adapters are put to work. */
function usage({ methods }: RunResults, command: string | undefined): readonly string[] {
  const runs = Object.entries(methods)
    .filter(([, { trainableParameters }]) => trainableParameters > 0)
    .flatMap(([name, { seeds }]) => seeds.map((seed) => `adapters/${runName(name, seed)}`));
  const example = runs.at(-1);
  if (example === undefined) return [];
  return [
    '## Use',
    '',
    'Adapters lie in `adapters/METHOD-seedN`, of several tasks in a folder each below it, unless the method tuned the backbone itself.',
    '',
    '```ts',
    "import { loadAdapter, restorePrompt } from '@dynaprompt/training';",
    '',
    `const adapter = await loadAdapter('${example}', { backbone }); // the backbone above, opened with the head of the adapter`,
    'const prompt = await restorePrompt(adapter); // of an adapter with a prompt',
    '```',
    ...(command === undefined ? [] : ['', '```sh', `${command} predict ${example}`, '```']),
    '',
  ];
}

/** A scalar that YAML reads as this text, whatever is in it: JSON strings are YAML. */
function yaml(text: string): string {
  return JSON.stringify(text);
}

/** Text on one line without a meaning in Markdown or HTML. */
function plain(text: string): string {
  return text.replace(/\s+/g, ' ').replace(/[\\`*_[\]<>|#]/g, '\\$&');
}
