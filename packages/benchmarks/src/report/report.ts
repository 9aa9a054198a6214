import type { Inspection } from '../results/inspections.js';
import type { RunResults } from '../results/schema.js';
import { choiceHistories } from './choice-history.js';
import { comparisonTable } from './comparison-table.js';
import { confusionChart } from './confusion-chart.js';
import { curveCharts, curveTable } from './curve-charts.js';
import { differenceChart } from './difference-chart.js';
import { historyChart } from './history-chart.js';
import { inspector, inspectorStyles } from './inspector.js';
import { leftOut } from './left-out.js';
import { Markup, markup } from './markup.js';
import { classTable, measuresTable } from './measures-table.js';
import { methodTable, taskTable, type TextTable } from './method-table.js';
import { scoreChart } from './score-chart.js';
import { formatCount, formatNames, formatScore, formatSeconds, metricTitle } from './score-format.js';
import { stylesheet } from './stylesheet.js';
import { usageGroups } from './usage.js';
import { usageChart } from './usage-chart.js';

/**
 * The report of a run as one HTML page: what was run, the comparison of methods with its tests, learning curves, what the prompts
 * chose, single examples, the numbers behind them. It holds no script, loads nothing, and is readable in light and dark.
 *
 * @param inspections examples for the prompt inspector.
 */
export function renderReport(results: RunResults, inspections: readonly Inspection[] = []): string {
  const sections = [
    { id: 'comparison', title: 'Comparison', content: comparison(results) },
    { id: 'tasks', title: 'Tasks', content: tasks(results) },
    { id: 'curves', title: 'Learning curves', content: curveCharts(results) },
    { id: 'choices', title: 'What the prompts chose', content: choices(results) },
    { id: 'inspector', title: 'Prompt inspector', content: inspector(inspections) },
    { id: 'measures', title: 'Further measures', content: measured(results) },
    { id: 'classes', title: 'Accuracy by class (%)', content: classes(results) },
    { id: 'confusions', title: 'Which classes are confused', content: confusions(results) },
    { id: 'details', title: 'Details', content: details(results) },
  ].filter(({ content }) => content.text !== '');
  return markup`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:">
<title>${results.task} on ${results.backbone}: DynaPrompt report</title>
<style>${new Markup(stylesheet)}${new Markup(inspectorStyles(inspections.length))}</style>
</head>
<body>
<header>
<h1>${results.task} on ${results.backbone}</h1>
<p>${results.data.description}</p>
${facts(results)}
<nav aria-label="Sections">${sections.map(({ id, title }) => markup`<a href="#${id}">${title}</a>`)}</nav>
</header>
<main>
${sections.map(({ id, title, content }) => markup`<section aria-labelledby="${id}"><h2 id="${id}">${title}</h2>\n${content}</section>\n`)}</main>
</body>
</html>
`.text;
}

function comparison(results: RunResults): Markup {
  const tests = comparisonTable(results);
  return markup`${scrolling('Comparison of methods', methodTable(results))}
<p class="note">Scores are on the ${formatCount(results.data.validation)} validation examples after the last step: mean ± sample
standard deviation over seeds, and Student's interval for the mean. “Best” is the mean of each seed's best validation; it is
picked on the same examples, so it flatters. “Trained” counts the parameters that were tuned; the backbone stays frozen
unless a method says otherwise.</p>
<figure>${scoreChart(results)}
<figcaption>Dots are seeds, upright marks are means, bands are intervals, cut at the edge of the chart.</figcaption></figure>
${
  tests === undefined
    ? ''
    : markup`<h3>Differences</h3>
${scrolling('Differences between methods', tests.table)}
<p class="note">${tests.title}</p>
<figure>${differenceChart(results)}
<figcaption>Dots are mean differences; wide bands are intervals over seeds, cut at the edge of the chart, thin lines intervals over
examples. An interval that holds 0 leaves open which is better.</figcaption></figure>`
}`;
}

function details(results: RunResults): Markup {
  return markup`<details><summary>Numbers of the learning curves</summary>${scrolling('Numbers of the learning curves', curveTable(results))}</details>
<details><summary>Versions</summary><pre tabindex="0">${JSON.stringify(results.versions, null, 2)}</pre></details>
<details><summary>Configuration</summary><pre tabindex="0">${JSON.stringify(results.config, null, 2)}</pre></details>`;
}

function facts(results: RunResults): Markup {
  const { backboneDetails: backbone, data } = results;
  const seeds = [...new Set(Object.values(results.methods).flatMap((method) => method.seeds))].join(', ');
  const entries: readonly (readonly [string, string])[] = [
    [
      'Backbone',
      `${results.backbone} (${backbone.family}, ${formatCount(backbone.parameters)} parameters, ${backbone.dtype}, ${backbone.revision}${backbone.commit === undefined ? '' : `, commit ${backbone.commit}`})`,
    ],
    ['Data', `${data.source}; licence: ${data.license}`],
    ...(data.attribution === undefined ? [] : [['Attribution', data.attribution] as const]),
    ['Examples', `${formatCount(data.train)} for training, ${formatCount(data.validation)} for validation`],
    ...leftOut(results).map((what) => ['Left out', what] as const),
    ['Classes', formatNames(data.labels)],
    ['Metric', metricTitle(results.metric)],
    ['Majority class', `${results.majority.label}: ${formatScore(results.majority.score)}`],
    ['Seeds', seeds],
    ['Run', `${results.app}, ${results.startedAt}, ${formatSeconds(results.seconds)}`],
  ];
  return markup`<dl>${entries.map(([name, value]) => markup`<dt>${name}</dt><dd>${value}</dd>`)}</dl>`;
}

/** A table that is scrolled sideways, with the keyboard too, where the screen is narrow. */
function scrolling(title: string, content: TextTable): Markup {
  return markup`<div class="scroll" role="region" aria-label="${title}" tabindex="0">${table(content)}</div>`;
}

function table({ columns, rows }: TextTable): Markup {
  const side = (position: number) => columns[position]?.align ?? 'left';
  return markup`<table><thead><tr>${columns.map(({ title, align }) => markup`<th scope="col" class="${align}">${title}</th>`)}</tr></thead>
<tbody>${rows.map((row) => markup`<tr>${row.map((cell, position) => markup`<td class="${side(position)}">${cell}</td>`)}</tr>`)}</tbody></table>`;
}

/** Scores of single tasks, where there are several. */
function tasks(results: RunResults): Markup {
  const content = taskTable(results);
  if (content === undefined) return markup``;
  return markup`${scrolling('Scores by task', content)}
<p class="note">One prompt is shared by all tasks; each has a head of its own. The scores of the comparison are means over the
tasks, each counting alike.</p>`;
}

/** What dynamic prompts chose, where any of them did. */
function choices(results: RunResults): Markup {
  const groups = usageGroups(results);
  const histories = choiceHistories(results);
  if (groups.length === 0) return markup``;
  return markup`<p class="note">Shares of the validation examples after the last step, over all seeds. A position is the number of prompt tokens in
front of the input, or the anchor that they stand at. A pool is healthy where no entry takes nearly all examples, or none.</p>
${groups.map((group) => markup`<figure>${usageChart(group)}<figcaption>${group.name}</figcaption></figure>`)}
${histories.length === 0 ? '' : markup`<h3>Over training</h3>\n<p class="note">After every evaluation, means over the seeds; the line is the mean choice.</p>`}
${histories.map((history) => markup`<figure>${historyChart(history)}<figcaption>${history.name}</figcaption></figure>`)}`;
}

/** What was measured beside the score. */
function measured(results: RunResults): Markup {
  const all = measuresTable(results);
  return all === undefined ? markup`` : scrolling('Further measures', all);
}

/** The accuracy of every class. */
function classes(results: RunResults): Markup {
  const content = classTable(results);
  if (content === undefined) return markup``;
  return markup`${scrolling('Accuracy by class', content)}
<p class="note">Over the validation examples of each class after the last step, all seeds together.</p>`;
}

/** Confusion matrices of the methods that have one; the first stands open. */
function confusions({ methods, data }: RunResults): Markup {
  const known = Object.entries(methods).flatMap(([name, { confusion }]) =>
    confusion === undefined ? [] : [{ name, confusion }],
  );
  if (known.length === 0) return markup``;
  return markup`<p class="note">Rows are true classes, columns are what was predicted on the validation examples after the last step; counts are sums over
the seeds, and the colour is the share of the row.</p>
${known.map(({ name, confusion }, index) => {
  const title = `Confusion matrix of ${name}`;
  const content = markup`<summary>${name}</summary><figure class="scroll" role="region" aria-label="${title}" tabindex="0">${confusionChart(title, confusion, data.labels)}</figure>`;
  return index === 0 ? markup`<details open>${content}</details>` : markup`<details>${content}</details>`;
})}`;
}
