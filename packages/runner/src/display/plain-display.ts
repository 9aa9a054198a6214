import type { TrainingEvent } from '@dynaprompt/training';

import {
  type Display,
  type DisplayPlan,
  type DisplayStream,
  finishedLine,
  hundredths,
  RunCounter,
} from './display.js';

/** Lines for a log: about ten for each run. */
export class PlainDisplay implements Display {
  private metric = '';
  private counter = new RunCounter(0);
  private announced = '';

  constructor(private readonly stream: DisplayStream) {}

  begin({ metric, runs }: DisplayPlan): void {
    this.metric = metric;
    this.counter = new RunCounter(runs);
  }

  show(event: TrainingEvent): void {
    const label = this.counter.label(event);
    switch (event.type) {
      case 'features':
        if (this.announced !== label) this.line(`${label}: computing features of ${event.total} examples`);
        this.announced = label;
        break;
      case 'step':
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
        break;
    }
  }

  end(): void {
    this.announced = '';
  }

  private line(text: string): void {
    this.stream.write(`${text}\n`);
  }
}
