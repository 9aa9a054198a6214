import type { CurvePoint, LearningCurve, RunResults } from '../results/schema.js';
import { confusionChart } from './confusion-chart.js';
import { meanCurve, thinned } from './curves.js';
import { lineChart, type ChartSeries } from './line-chart.js';
import { Markup, markup } from './markup.js';
import { classTable, measuresTable } from './measures-table.js';
import { methodTable, taskTable, type TextTable } from './method-table.js';
import { scoreChart } from './score-chart.js';
import { formatCount, formatScore, formatSeconds, metricTitle, scoreTitle } from './score-format.js';
import { seriesStyles, stylesheet } from './stylesheet.js';
import { usageGroups } from './usage.js';
import { usageChart } from './usage-chart.js';

/**
 * The report of a run as one HTML page: what was run, the comparison of methods, learning curves, the numbers behind them.
 * It holds no script, loads nothing, and is readable in light and dark.
 */
export function renderReport(results: RunResults): string {
  return markup`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>${results.task} on ${results.backbone}: DynaPrompt report</title>
<style>${new Markup(stylesheet)}</style>
</head>
<body>
<header>
<h1>${results.task} on ${results.backbone}</h1>
<p>${results.data.description}</p>
${facts(results)}
</header>
<main>
<h2>Comparison</h2>
${scrolling('Comparison of methods', methodTable(results))}
<p class="note">Scores are on the ${formatCount(results.data.validation)} validation examples after the last step: mean ± sample
standard deviation over seeds, and Student's interval for the mean. “Best” is the mean of each seed's best validation; it is
picked on the same examples, so it flatters. “Trained” counts the parameters that were tuned; the backbone stays frozen
unless a method says otherwise.</p>
<figure>${scoreChart(results)}
<figcaption>Dots are seeds, upright marks are means, bands are intervals, cut at the edge of the chart.</figcaption></figure>
${tasks(results)}
<h2>Learning curves</h2>
${curves(results)}
${choices(results)}
${measured(results)}
${confusions(results)}
<h2>Details</h2>
<details><summary>Numbers of the learning curves</summary>${scrolling('Numbers of the learning curves', curveTable(results))}</details>
<details><summary>Versions</summary><pre>${JSON.stringify(results.versions, null, 2)}</pre></details>
<details><summary>Configuration</summary><pre>${JSON.stringify(results.config, null, 2)}</pre></details>
</main>
</body>
</html>
`.text;
}

function facts(results: RunResults): Markup {
  const { backboneDetails: backbone, data } = results;
  const seeds = [...new Set(Object.values(results.methods).flatMap((method) => method.seeds))].join(', ');
  const entries: readonly (readonly [string, string])[] = [
    [
      'Backbone',
      `${results.backbone} (${backbone.family}, ${formatCount(backbone.parameters)} parameters, ${backbone.dtype}, ${backbone.revision})`,
    ],
    ['Data', `${data.source}; licence: ${data.license}`],
    ...(data.attribution === undefined ? [] : [['Attribution', data.attribution] as const]),
    ['Examples', `${formatCount(data.train)} for training, ${formatCount(data.validation)} for validation`],
    ['Classes', data.labels.join(', ')],
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
  return markup`<h2>Tasks</h2>
${scrolling('Scores by task', content)}
<p class="note">One prompt is shared by all tasks; each has a head of its own. The scores of the comparison are means over the
tasks, each counting alike.</p>`;
}

/** What dynamic prompts chose, where any of them did. */
function choices(results: RunResults): Markup {
  const groups = usageGroups(results);
  if (groups.length === 0) return markup``;
  return markup`<h2>What the prompts chose</h2>
<p class="note">Shares of the validation examples after the last step, over all seeds. A position is the number of prompt tokens in
front of the input, or the anchor that they stand at. A pool is healthy where no entry takes nearly all examples, or none.</p>
${groups.map(
  (group) => markup`<figure>${usageChart(group)}<figcaption>${group.name}</figcaption></figure>`,
)}`;
}

/** What was measured beside the score, and the accuracy of every class. */
function measured(results: RunResults): Markup {
  const all = measuresTable(results);
  const classes = classTable(results);
  return markup`${all === undefined ? '' : markup`<h2>Further measures</h2>\n${scrolling('Further measures', all)}`}
${
  classes === undefined
    ? ''
    : markup`<h2>Accuracy by class (%)</h2>
${scrolling('Accuracy by class', classes)}
<p class="note">Over the validation examples of each class after the last step, all seeds together.</p>`
}`;
}

/** Confusion matrices of the methods that have one; the first stands open. */
function confusions({ methods, data }: RunResults): Markup {
  const known = Object.entries(methods).flatMap(([name, { confusion }]) =>
    confusion === undefined ? [] : [{ name, confusion }],
  );
  if (known.length === 0) return markup``;
  return markup`<h2>Which classes are confused</h2>
<p class="note">Rows are true classes, columns are what was predicted on the validation examples after the last step; counts are sums over
the seeds, and the colour is the share of the row.</p>
${known.map(({ name, confusion }, index) => {
  const title = `Confusion matrix of ${name}`;
  const content = markup`<summary>${name}</summary><figure class="scroll" role="region" aria-label="${title}" tabindex="0">${confusionChart(title, confusion, data.labels)}</figure>`;
  return index === 0 ? markup`<details open>${content}</details>` : markup`<details>${content}</details>`;
})}`;
}

function curves(results: RunResults): Markup {
  const windows = Object.values(results.methods).flatMap((method) =>
    method.curves.map((curve) => thinned(curve.loss).window),
  );
  const window = Math.max(1, ...windows);
  const lastStep = lastStepOf(results);
  const averaged = window > 1 ? ` Each point of the loss is the mean of up to ${window} measurements.` : '';
  return markup`
${legend(results)}
<figure>${lineChart({
    title: `${scoreTitle(results.metric)} on the validation split over training`,
    valueTitle: `validation ${metricTitle(results.metric)}`,
    format: (value) => `${Number((value * 100).toFixed(1))}`,
    series: seriesOf(results, (curve) => curve.validation),
    lastStep,
    reference: { name: 'majority class', value: results.majority.score },
  })}</figure>
<figure>${lineChart({
    title: 'Training loss over training',
    valueTitle: 'training loss (nats)',
    format: (value) => `${value}`,
    series: seriesOf(results, (curve) => thinned(curve.loss).points),
    lastStep,
  })}
<figcaption>Thick lines are means over seeds, thin lines are single seeds.${averaged}</figcaption></figure>`;
}

function lastStepOf(results: RunResults): number {
  const curves = Object.values(results.methods).flatMap((method) => method.curves);
  return Math.max(
    0,
    ...curves.flatMap(({ loss, validation }) => [...loss, ...validation].map(({ step }) => step)),
  );
}

function seriesOf(
  results: RunResults,
  pointsOf: (curve: LearningCurve) => readonly CurvePoint[],
): readonly ChartSeries[] {
  return Object.entries(results.methods).map(([name, method], position) => {
    const seeds = method.curves.map((curve) => ({ seed: curve.seed, points: pointsOf(curve) }));
    return { name, style: position % seriesStyles, seeds, mean: meanCurve(seeds.map((seed) => seed.points)) };
  });
}

function legend(results: RunResults): Markup {
  return markup`<ul class="legend">${Object.keys(results.methods).map(
    (name, position) =>
      markup`<li><svg viewBox="0 0 40 12" aria-hidden="true"><line class="mean series-${position % seriesStyles}" x1="1" x2="39" y1="6" y2="6"/></svg>${name}</li>`,
  )}</ul>`;
}

/** Validation scores and thinned losses, a row for each method, seed and step. */
function curveTable(results: RunResults): TextTable {
  const rows = Object.entries(results.methods).flatMap(([name, method]) =>
    method.curves.flatMap((curve) => [
      ...thinned(curve.loss).points.map((point) => [
        name,
        `${curve.seed}`,
        `${point.step}`,
        point.value.toFixed(4),
        '',
      ]),
      ...curve.validation.map((point) => [
        name,
        `${curve.seed}`,
        `${point.step}`,
        '',
        formatScore(point.value),
      ]),
    ]),
  );
  return {
    columns: [
      { title: 'method', align: 'left' },
      { title: 'seed', align: 'right' },
      { title: 'step', align: 'right' },
      { title: 'training loss', align: 'right' },
      { title: `validation ${metricTitle(results.metric)}`, align: 'right' },
    ],
    rows,
  };
}
