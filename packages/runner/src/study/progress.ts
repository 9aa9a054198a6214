import { describeRates } from './rates.js';
import { type Cell, choose, type KeyedRun, type Outcome } from './run-plan.js';

/** Lines that say how far a study is and how long it will take. */
export class Progress {
  private done: number;
  private readonly seconds = new Map<string, number[]>();
  private readonly began = performance.now();
  private readonly expected: ReadonlyMap<string, Cell>;

  constructor(
    private readonly cells: readonly Cell[],
    private readonly outcomes: ReadonlyMap<string, Outcome>,
    private readonly workers: number,
  ) {
    this.expected = new Map(
      cells.flatMap((cell) => [...cell.tuning.flat(), ...cell.finals.flat()].map(({ key }) => [key, cell])),
    );
    this.done = [...this.expected.keys()].filter((key) => outcomes.has(key)).length;
    for (const cell of cells) {
      for (const { key } of [...cell.tuning.flat(), ...cell.finals.flat()])
        this.learn(cell, outcomes.get(key));
    }
  }

  /** The line of a run that has just ended; `outcomes` knows it already. */
  line({ key, run }: KeyedRun, outcome: Outcome): string {
    const cell = this.expected.get(key);
    this.done++;
    if (cell !== undefined) this.learn(cell, outcome);
    // Runs that choose rates belong to all penalties alike.
    const penalty = cell?.penalty == null || run.phase === 'tuning' ? '' : ` μ ${cell.penalty}`;
    const rates = describeRates(cell?.kind ?? 'none', run.rates);
    const result = outcome.ok
      ? `${(100 * outcome.final).toFixed(2)} % in ${outcome.seconds.toFixed(1)} s`
      : `failed: ${outcome.message}`;
    const remaining = this.remaining();
    const total = this.done + remaining.runs;
    const left = remaining.runs === 0 ? '' : `; about ${duration(remaining.seconds)} left`;
    return `[${this.done}/${total}] ${run.task} ${run.method}${penalty} ${run.phase} seed ${run.seed}, ${rates}: ${result}${left}`;
  }

  /** Seconds since the study was started this time. */
  get elapsed(): number {
    return (performance.now() - this.began) / 1000;
  }

  private learn(cell: Cell, outcome: Outcome | undefined): void {
    if (outcome?.ok !== true) return;
    const name = `${cell.task} ${cell.method}`;
    this.seconds.set(name, [...(this.seconds.get(name) ?? []), outcome.seconds]);
  }

  /** Runs that are still to do, with the time that finished runs of the same row, or else all runs, took. */
  private remaining(): { readonly runs: number; readonly seconds: number } {
    const all = meanOf([...this.seconds.values()].flat()) ?? 0;
    const left = new Map<string, number>();
    for (const cell of this.cells) {
      const each = meanOf(this.seconds.get(`${cell.task} ${cell.method}`) ?? []) ?? all;
      const choice = choose(cell, this.outcomes);
      if (choice.state === 'failed') continue;
      const candidate = choice.state === 'chosen' ? choice.candidate : 0;
      for (const { key } of [...cell.tuning.flat(), ...(cell.finals[candidate] ?? [])]) {
        if (!this.outcomes.has(key)) left.set(key, each);
      }
    }
    const seconds = [...left.values()].reduce((sum, each) => sum + each, 0) / this.workers;
    return { runs: left.size, seconds };
  }
}

function meanOf(values: readonly number[]): number | undefined {
  return values.length === 0 ? undefined : values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** `45 s`, `12 min` or `3 h 20 min`. */
export function duration(seconds: number): string {
  if (seconds < 90) return `${Math.ceil(seconds)} s`;
  const minutes = Math.ceil(seconds / 60);
  return minutes < 90 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
