/** Examples per second over the last steps. */
export class Speedometer {
  private readonly marks: { readonly time: number; readonly examples: number }[] = [];

  /** @param window steps that count. */
  constructor(private readonly window = 10) {
    this.marks.push({ time: performance.now(), examples: 0 });
  }

  /** Begins anew, so that time spent on something else does not count. */
  restart(): void {
    this.marks.splice(0, this.marks.length, { time: performance.now(), examples: 0 });
  }

  /** Counts a step's examples; returns the speed. */
  count(examples: number): number {
    this.marks.push({ time: performance.now(), examples });
    if (this.marks.length > this.window + 1) this.marks.shift();
    const first = this.marks[0];
    const last = this.marks.at(-1);
    const seconds = ((last?.time ?? 0) - (first?.time ?? 0)) / 1000;
    const counted = this.marks.slice(1).reduce((sum, mark) => sum + mark.examples, 0);
    return seconds > 0 ? counted / seconds : 0;
  }
}
