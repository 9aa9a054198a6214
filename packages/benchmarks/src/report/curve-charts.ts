import type { CurvePoint, LearningCurve, RunResults } from '../results/schema.js';
import { meanCurve, thinned } from './curves.js';
import { lineChart, type ChartSeries } from './line-chart.js';
import { type Markup, markup } from './markup.js';
import type { TextTable } from './method-table.js';
import { formatScore, metricTitle, scoreTitle } from './score-format.js';
import { seriesStyles } from './stylesheet.js';

/** Charts of validation scores and losses, with a legend. */
export function curveCharts(results: RunResults): Markup {
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
export function curveTable(results: RunResults): TextTable {
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
