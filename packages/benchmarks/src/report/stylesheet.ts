import { inspectorRules } from './inspector-rules.js';

/** Colours of the methods' lines: light background, dark background, dash pattern. Told apart without colour too. */
const SERIES: readonly (readonly [light: string, dark: string, dashes: string])[] = [
  ['#5b6472', '#a9b4c4', '2 4'],
  ['#b4540a', '#f2a65a', '9 4'],
  ['#1f5fbf', '#7fb2ff', 'none'],
  ['#18794e', '#63cf9b', '12 3 2 3'],
  ['#8a3fb8', '#cf9cf2', '5 3'],
  ['#b0254e', '#ff8fab', '3 2'],
];

/** Number of line styles; more methods than this share styles. */
export const seriesStyles = SERIES.length;

const variables = (column: 0 | 1) =>
  SERIES.map((style, index) => `--series-${index}:${style[column]}`).join(';');

const light =
  '--page:#fff;--ink:#1b1f24;--quiet:#59636e;--rule:#d5dae0;--panel:#f6f8fa;--accent:#6b3fa0;--accent-page:#efe7fa;--focus:#1f5fbf;--right:#146c43;--wrong:#b0254e;--number:#000000;--number-middle:#000000;--number-strong:#ffffff';
const dark =
  '--page:#0f1318;--ink:#e6eaf0;--quiet:#9aa5b1;--rule:#313943;--panel:#181e25;--accent:#d3b2ff;--accent-page:#33264a;--focus:#7fb2ff;--right:#63cf9b;--wrong:#ff8fab;--number:#ffffff;--number-middle:#000000;--number-strong:#000000';

/** Style of the report; follows the reader's choice of light or dark. */
export const stylesheet = `
:root{color-scheme:light dark;${light};${variables(0)}}
@media (prefers-color-scheme:dark){:root{${dark};${variables(1)}}}
@media (prefers-reduced-motion:no-preference){html{scroll-behavior:smooth}}
*{box-sizing:border-box}
body{margin:0 auto;padding:2rem 1.25rem 4rem;max-width:60rem;background:var(--page);color:var(--ink);font:16px/1.5 system-ui,sans-serif}
h1{margin:0 0 .25rem;font-size:1.7rem;line-height:1.2}
h2{margin:2.5rem 0 .5rem;padding-top:.75rem;border-top:1px solid var(--rule);font-size:1.3rem}
h3{margin:1.5rem 0 .4rem;font-size:1.05rem}
h4{margin:.75rem 0 .25rem;font-size:.9rem;color:var(--quiet)}
nav{display:flex;flex-wrap:wrap;gap:.35rem .5rem}
nav a{padding:.15rem .7rem;border:1px solid var(--rule);border-radius:1rem;color:var(--ink);font-size:.9rem;text-decoration:none}
nav a:hover{border-color:var(--quiet)}
:focus-visible{outline:3px solid var(--focus);outline-offset:2px;border-radius:.25rem}
.visually-hidden{position:absolute;width:1px;height:1px;margin:-1px;overflow:hidden;clip-path:inset(50%);white-space:nowrap}
p{margin:.4rem 0}
.note{color:var(--quiet);font-size:.9rem}
dl{display:grid;grid-template-columns:max-content 1fr;gap:.25rem 1.25rem;margin:1.25rem 0;padding:1rem;background:var(--panel);border-radius:.5rem}
dt{color:var(--quiet)}
dd{margin:0;overflow-wrap:anywhere}
.scroll{overflow-x:auto}
table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}
th,td{padding:.4rem .75rem;border-bottom:1px solid var(--rule);text-align:left;white-space:nowrap}
th{color:var(--quiet);font-weight:600;font-size:.9rem}
.right{text-align:right}
figure{margin:1rem 0}
@media (max-width:44rem){figure{overflow-x:auto}figure>svg{min-width:34rem}}
figcaption{color:var(--quiet);font-size:.9rem}
.legend{display:flex;flex-wrap:wrap;gap:.25rem 1.5rem;margin:.25rem 0;padding:0;list-style:none;font-size:.9rem}
.legend svg{width:2.5rem;height:.75rem;vertical-align:middle;margin-right:.5rem}
svg{display:block;width:100%;height:auto}
.legend svg{display:inline-block}
svg text{fill:var(--quiet);font:12px system-ui,sans-serif}
svg .row-name{fill:var(--ink);font-size:13px}
.grid{stroke:var(--rule);stroke-width:1}
.axis{stroke:var(--quiet);stroke-width:1}
.reference{stroke:var(--ink);stroke-width:1.5;stroke-dasharray:1 4;stroke-linecap:round}
svg .reference-name{fill:var(--ink)}
polyline{fill:none;stroke-linejoin:round}
.seed{stroke-width:1;opacity:.4}
.mean{stroke-width:2.5}
.interval{stroke-width:8;opacity:.25;stroke-linecap:round}
.whisker{stroke-width:2}
.halo{stroke:var(--page);stroke-width:5}
.mean-mark{stroke-width:3}
.dot{fill-opacity:.85;stroke:var(--page);stroke-width:1.5}
${SERIES.map(
  ([, , dashes], index) =>
    `.series-${index}{stroke:var(--series-${index})}.mean.series-${index}{stroke-dasharray:${dashes}}.dot.series-${index}{fill:var(--series-${index});stroke:var(--page)}`,
).join('\n')}
.bar,.key{fill:var(--series-2)}
.matrix{fill:var(--page);stroke:var(--quiet);stroke-width:1}
.cell{fill:var(--series-2)}
.guide{stroke:var(--quiet);stroke-width:1;stroke-opacity:.4}
svg .class-name{fill:var(--ink)}
svg .cell-count{fill:var(--number)}
svg .cell-count.middle{fill:var(--number-middle)}
svg .cell-count.strong{fill:var(--number-strong)}
.bar.second,.key.second{fill:var(--series-1)}
details{margin:.5rem 0}
summary{cursor:pointer;color:var(--quiet)}
pre{overflow-x:auto;padding:1rem;background:var(--panel);border-radius:.5rem;font-size:.85rem}
${inspectorRules}
@media print{body{max-width:none;padding:0}nav,.choices{display:none}.panel{display:block}details,.panel{break-inside:avoid}}
`;
