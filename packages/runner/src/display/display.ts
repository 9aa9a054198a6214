import type { TrainingEvent } from '@dynaprompt/training';

/** What a display has to know of a comparison. */
export interface DisplayPlan {
  /** Title of the metric, for a score's name. */
  readonly metric: string;
  /** Runs to come: methods × seeds. */
  readonly runs: number;
}

/** Shows how a comparison goes. */
export interface Display {
  begin(plan: DisplayPlan): void;
  show(event: TrainingEvent): void;
  /** Shows a line that is no event. */
  note(line: string): void;
  /** Leaves the terminal as it was; nothing is shown afterwards. */
  end(): void;
}

/** Where a display writes. */
export interface DisplayStream {
  readonly isTTY?: boolean;
  write(text: string): unknown;
}

/** Which run an event belongs to, such as `[2/6] fixed, seed 1`. */
export class RunCounter {
  private current = '';
  private count = 0;

  constructor(private readonly runs: number) {}

  label({ method, seed }: TrainingEvent): string {
    const name = `${method}, seed ${seed}`;
    if (name !== this.current) {
      this.current = name;
      this.count++;
    }
    return `[${this.count}/${this.runs}] ${name}`;
  }
}

/** A score as hundredths. */
export function hundredths(score: number): string {
  return (100 * score).toFixed(2);
}

/** One line for the end of a run. */
export function finishedLine(
  label: string,
  metric: string,
  event: TrainingEvent & { type: 'finished' },
): string {
  const { final, best, seconds } = event;
  return `${label}: ${metric} ${hundredths(final)} (best ${hundredths(best)}) after ${seconds.toFixed(1)} s`;
}
