/** Tells how long a run has taken, and how long it will take yet. */
export class RunClock {
  private readonly began: number;
  private last: { readonly steps: number; readonly at: number } | undefined;

  /** @param now seconds; for tests. */
  constructor(
    private readonly steps: number,
    private readonly behind: number,
    private readonly now: () => number = () => performance.now() / 1000,
  ) {
    this.began = now();
  }

  /** Steps behind the run. */
  reach(step: number): void {
    this.last = { steps: step, at: this.now() };
  }

  /** Seconds since the run began or went on. */
  get elapsed(): number {
    return this.now() - this.began;
  }

  /** Seconds, at the pace so far, evaluations included; undefined before the first step. */
  get remaining(): number | undefined {
    if (this.last === undefined || this.last.steps <= this.behind) return undefined;
    const { steps, at } = this.last;
    const pace = (at - this.began) / (steps - this.behind);
    return Math.max(0, pace * (this.steps - steps) - (this.now() - at));
  }
}

/** Seconds as `0:07`, `12:34` or `1:02:03`. */
export function clockTime(seconds: number): string {
  const whole = Math.round(seconds);
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60];
  const two = (value: number): string => `${value}`.padStart(2, '0');
  return hours > 0 ? `${hours}:${two(minutes)}:${two(whole % 60)}` : `${minutes}:${two(whole % 60)}`;
}
