import { compareMethods } from '../results/compare-methods.js';
import type { Comparisons, MethodComparison, RunResults } from '../results/schema.js';
import type { TextTable } from './method-table.js';

/** Differences from the reference, and what to read them with. */
export interface ComparisonTable {
  /** One sentence that names the reference, the tests and the correction. */
  readonly title: string;
  readonly table: TextTable;
}

/** Below this an adjusted p-value is said to tell the methods apart. */
export const SIGNIFICANCE = 0.05;

/** The comparisons that results hold; of results without any, those that their scores allow. */
export function comparisonsOf({ comparisons, methods }: RunResults): Comparisons | undefined {
  return comparisons ?? compareMethods(methods);
}

/** Every method against the reference, with intervals and tests; undefined for a single method. */
export function comparisonTable(results: RunResults): ComparisonTable | undefined {
  const comparisons = comparisonsOf(results);
  if (comparisons === undefined || comparisons.methods.length === 0) return undefined;
  const { reference, methods } = comparisons;
  const level = methods.find(({ interval }) => interval !== null)?.interval?.level ?? 0.95;
  const percent = `${Number((level * 100).toFixed(2))}%`;
  const titles = [
    `method − ${reference}`,
    'difference × 100',
    `${percent} over seeds`,
    'p over seeds',
    `${percent} over examples`,
    'p over examples',
  ];
  return {
    title: sentence(comparisons),
    table: {
      columns: titles.map((title, place) => ({ title, align: place === 0 ? 'left' : 'right' })),
      rows: methods.map((each) => [
        each.method,
        signed(each.difference, 2),
        intervalText(each.interval),
        pText(each.overSeeds),
        intervalText(each.bootstrap),
        pText(each.overExamples),
      ]),
    },
  };
}

/** `+1.40`, in hundredths of the score. */
export function signed(value: number, digits: number): string {
  const text = (100 * value).toFixed(digits);
  return value < 0 ? text.replace('-', '−') : `+${text}`;
}

/** `0.031`, `< 0.001`. */
export function formatP(value: number): string {
  return value < 0.001 ? '< 0.001' : value.toFixed(3);
}

function intervalText(interval: { readonly low: number; readonly high: number } | null): string {
  return interval === null ? '–' : `[${signed(interval.low, 1)}, ${signed(interval.high, 1)}]`;
}

function pText(test: { readonly adjusted: number } | null): string {
  if (test === null) return '–';
  return `${formatP(test.adjusted)}${test.adjusted < SIGNIFICANCE ? ' *' : ''}`;
}

function sentence({ reference, methods }: Comparisons): string {
  const seeds = methods.some(({ overSeeds }) => overSeeds !== null)
    ? ['over seeds, a permutation test of paired scores with Student’s interval of the differences']
    : [];
  const names = { 'McNemar mid-p': 'McNemar’s mid-p test', 'paired permutation': 'a permutation test' };
  const kinds = [...new Set(methods.flatMap(({ overExamples }) => overExamples?.test ?? []))];
  const examples =
    kinds.length === 0
      ? []
      : [
          `over examples, ${kinds.map((kind) => names[kind]).join(' or ')} of paired right answers with the bootstrap interval of the score`,
        ];
  const tests = [...seeds, ...examples];
  if (tests.length === 0)
    return `Differences from ${reference}; one seed without predictions allows no test.`;
  return `Differences from ${reference}, tested ${tests.join('; ')}. All tests are paired and two-sided, p-values are Holm-corrected over the methods, * is p < ${SIGNIFICANCE}.${fewSeeds(methods)}`;
}

/** The smallest p-value that so few seeds can give. */
function fewSeeds(methods: readonly MethodComparison[]): string {
  const most = Math.max(...methods.map(({ seeds }) => seeds.length));
  const smallest = 2 ** (1 - most);
  if (most < 2 || smallest < SIGNIFICANCE) return '';
  return ` With ${most} seeds p over seeds cannot be below ${formatP(smallest)}.`;
}
