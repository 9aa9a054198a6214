import cliProgress from 'cli-progress';

import type { TrainingEvent } from '@dynaprompt/training';

import { type Display, type DisplayPlan, finishedLine, hundredths, RunCounter } from './display.js';

/** A live bar for the run at hand; a line stays for each run that is done. */
export class TerminalDisplay implements Display {
  private metric = '';
  private counter = new RunCounter(0);
  private bar: cliProgress.SingleBar | undefined;
  private score = '–';

  constructor(private readonly stream: NodeJS.WriteStream) {}

  begin({ metric, runs }: DisplayPlan): void {
    this.metric = metric;
    this.counter = new RunCounter(runs);
  }

  show(event: TrainingEvent): void {
    const label = this.counter.label(event);
    switch (event.type) {
      case 'features':
        this.bar ??= this.start(`${label}: features {bar} {value}/{total}`, event.total);
        this.bar.update(event.done);
        break;
      case 'started':
        this.end();
        this.score = '–';
        this.bar = this.start(
          `${label} {bar} {value}/{total}  loss {loss}  ${this.metric} {score}  {speed} ex/s  {eta_formatted} left`,
          Math.max(1, event.steps),
        );
        break;
      case 'step':
        this.bar?.update(event.step, {
          loss: event.loss.toFixed(3),
          score: this.score,
          speed: event.examplesPerSecond.toFixed(0),
        });
        break;
      case 'evaluated':
        this.score = hundredths(event.score);
        this.bar?.update({ score: this.score });
        break;
      case 'notice':
        this.end();
        this.stream.write(`${label}: ${event.message}\n`);
        break;
      case 'finished':
        this.end();
        this.stream.write(`${finishedLine(label, this.metric, event)}\n`);
        break;
    }
  }

  end(): void {
    this.bar?.stop();
    this.bar = undefined;
  }

  private start(format: string, total: number): cliProgress.SingleBar {
    const bar = new cliProgress.SingleBar(
      {
        format,
        stream: this.stream,
        clearOnComplete: true,
        hideCursor: true,
        gracefulExit: false,
        barsize: Math.min(24, Math.max(8, this.stream.columns - 80)),
        linewrap: false,
        etaBuffer: 20,
      },
      cliProgress.Presets.shades_classic,
    );
    bar.start(total, 0, { loss: '–', score: this.score, speed: '–' });
    return bar;
  }
}
