import type { TrainingEvent } from '@dynaprompt/training';

import {
  type Display,
  type DisplayPlan,
  type DisplayStream,
  finishedLine,
  hundredths,
  RunCounter,
} from './display.js';

/** Milliseconds without a line after which there is one that says that work goes on. */
const patience = 60_000;

/** Lines for a log: about ten for each run, and one a minute where nothing else is to be said. */
export class PlainDisplay implements Display {
  private metric = '';
  private counter = new RunCounter(0);
  private announced = '';
  private place = '';
  private wrote = performance.now();
  private timer: NodeJS.Timeout | undefined;

  constructor(private readonly stream: DisplayStream) {}

  begin({ metric, runs }: DisplayPlan): void {
    this.metric = metric;
    this.counter = new RunCounter(runs);
    this.timer ??= setInterval(() => {
      if (performance.now() - this.wrote >= patience) this.line(`${this.place}: still at work`);
    }, patience).unref();
  }

  show(event: TrainingEvent): void {
    const label = this.counter.label(event);
    this.place = label;
    switch (event.type) {
      case 'features':
        if (this.announced !== label) this.line(`${label}: computing features of ${event.total} examples`);
        this.announced = label;
        break;
      case 'step':
        this.place = `${label}: step ${event.step}/${event.steps} is done`;
        if (event.step === 1 || event.step % Math.ceil(event.steps / 5) === 0) {
          const { step, steps, loss, examplesPerSecond } = event;
          this.line(
            `${label}: step ${step}/${steps}, loss ${loss.toFixed(4)}, ${examplesPerSecond.toFixed(0)} examples/s`,
          );
        }
        break;
      case 'evaluated':
        this.line(`${label}: step ${event.step}, ${this.metric} ${hundredths(event.score)}`);
        break;
      case 'notice':
        this.line(`${label}: ${event.message}`);
        break;
      case 'finished':
        this.line(finishedLine(label, this.metric, event));
        break;
      case 'started':
        this.line(`${label}: ${event.trainableParameters.toLocaleString('en-US')} trainable parameters`);
        if (event.resumedFrom !== undefined)
          this.line(`${label}: goes on after step ${event.resumedFrom}/${event.steps}`);
        break;
    }
  }

  note(line: string): void {
    this.line(line);
  }

  end(): void {
    this.announced = '';
    clearInterval(this.timer);
    this.timer = undefined;
  }

  private line(text: string): void {
    this.wrote = performance.now();
    this.stream.write(`${text}\n`);
  }
}
