import type { Phase } from './pipeline.js';
import type { Verdict } from './supervisor.js';

/** One mutation that something is to be said of. */
export interface Finding {
  readonly index: number;
  readonly case: string;
  readonly edits: readonly string[];
  readonly phase: Phase;
  readonly what: string;
  readonly milliseconds: number;
}

/** Counts of a run, and the mutations behind those that matter. */
export interface Summary {
  readonly seed: number;
  readonly tried: number;
  fine: number;
  /** Refused by an error of the engine, by its class. */
  readonly refused: Record<string, number>;
  /** Workers that a model took along, by signal. */
  readonly deaths: Record<string, number>;
  timeouts: number;
  /** Ended for its memory. */
  memory: number;
  /** What the engine must not do: errors without a type, and hangs or memory before onnxruntime has the graph. */
  readonly defects: Finding[];
  /** Deaths, timeouts and memory of onnxruntime. */
  readonly findings: Finding[];
  slowest: Finding | undefined;
  peakMegabytes: number;
  seconds: number;
}

export function emptySummary(seed: number, tried: number): Summary {
  return {
    seed,
    tried,
    fine: 0,
    refused: {},
    deaths: {},
    timeouts: 0,
    memory: 0,
    defects: [],
    findings: [],
    slowest: undefined,
    peakMegabytes: 0,
    seconds: 0,
  };
}

/** Adds a verdict; says whether the mutation is worth keeping. */
export function count(
  summary: Summary,
  verdict: Verdict,
  mutation: Pick<Finding, 'index' | 'case' | 'edits'>,
): boolean {
  const { outcome, phase, type = '', message = '', milliseconds } = verdict;
  const finding = { ...mutation, phase, what: `${outcome} ${type} ${message}`.trim(), milliseconds };
  if (milliseconds > (summary.slowest?.milliseconds ?? 0)) summary.slowest = finding;
  if (outcome === 'fine') summary.fine++;
  else if (outcome === 'refused') add(summary.refused, type);
  else {
    if (outcome === 'died') add(summary.deaths, type);
    else if (outcome === 'timeout') summary.timeouts++;
    else if (outcome === 'memory') summary.memory++;
    (isDefect(verdict) ? summary.defects : summary.findings).push(finding);
    return true;
  }
  return false;
}

/** V8 ends a process that outgrows its heap by an abort too. */
function isDefect({ outcome, phase, message = '' }: Verdict): boolean {
  if (outcome === 'untyped' || message.includes('heap out of memory')) return true;
  return phase === 'prepare';
}

function add(counts: Record<string, number>, name: string): void {
  counts[name] = (counts[name] ?? 0) + 1;
}

/** The summary in lines. */
export function describe(summary: Summary): string {
  const list = (counts: Readonly<Record<string, number>>): string =>
    Object.entries(counts)
      .map(([name, number]) => `${number} ${name}`)
      .join(', ') || 'none';
  const line = ({ index, case: name, edits, phase, what }: Finding): string =>
    `  ${index} ${name} [${edits.join(', ')}] while it was to ${phase}: ${what}`;
  return [
    `${summary.tried} mutations, seed ${summary.seed}, ${Math.round(summary.seconds)} s`,
    `fine     ${summary.fine}`,
    `refused  ${list(summary.refused)}`,
    `died     ${list(summary.deaths)}; timeouts ${summary.timeouts}; ended for memory ${summary.memory}`,
    ...summary.findings.map(line),
    `slowest  ${summary.slowest ? `${Math.round(summary.slowest.milliseconds)} ms${line(summary.slowest)}` : 'none'}`,
    `peak     ${Math.round(summary.peakMegabytes)} MB`,
    `defects  ${summary.defects.length}`,
    ...summary.defects.map(line),
  ].join('\n');
}
