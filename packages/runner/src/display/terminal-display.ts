import cliProgress from 'cli-progress';

import type { TrainingEvent } from '@dynaprompt/training';

import { type Display, type DisplayPlan, finishedLine, hundredths, RunCounter } from './display.js';
import { clockTime, RunClock } from './run-clock.js';

/** What the bar at hand shows. */
interface Stage {
  readonly format: string;
  readonly total: number;
  readonly clock: RunClock;
  value: number;
  payload: Record<string, string>;
}

/** A live bar for the run at hand, whose clock goes on while a step is computed; a line stays for each run that is done. */
export class TerminalDisplay implements Display {
  private metric = '';
  private counter = new RunCounter(0);
  private stage: Stage | undefined;
  private bar: cliProgress.SingleBar | undefined;
  private timer: NodeJS.Timeout | undefined;
  /** Shows the cursor again where the process exits in the middle of a run. */
  private readonly leave = (): void => {
    this.hide();
  };

  constructor(private readonly stream: NodeJS.WriteStream) {}

  begin({ metric, runs }: DisplayPlan): void {
    this.metric = metric;
    this.counter = new RunCounter(runs);
    process.off('exit', this.leave).on('exit', this.leave);
  }

  show(event: TrainingEvent): void {
    const label = this.counter.label(event);
    switch (event.type) {
      case 'features':
        if (this.stage === undefined) {
          this.start(`${label}: features {bar} {value}/{total}  {elapsed}, {left} left`, event.total);
        }
        this.update(event.done);
        break;
      case 'started': {
        this.endStage();
        const numbers = `loss {loss}  ${this.metric} {score}  {speed} ex/s  {elapsed}, {left} left`;
        const format = `${label} {bar} {value}/{total}  ${numbers}`;
        this.start(format, Math.max(1, event.steps), event.resumedFrom);
        break;
      }
      case 'step':
        this.update(event.step, {
          loss: event.loss.toFixed(3),
          speed: event.examplesPerSecond.toFixed(event.examplesPerSecond < 10 ? 1 : 0),
        });
        break;
      case 'evaluated':
        this.update(event.step, { score: hundredths(event.score) });
        break;
      case 'notice':
        this.note(`${label}: ${event.message}`);
        break;
      case 'finished':
        this.endStage();
        this.stream.write(`${finishedLine(label, this.metric, event)}\n`);
        break;
    }
  }

  note(line: string): void {
    this.hide();
    this.stream.write(`${line}\n`);
    this.draw();
  }

  end(): void {
    this.endStage();
    process.off('exit', this.leave);
  }

  private endStage(): void {
    this.hide();
    this.stage = undefined;
    clearInterval(this.timer);
    this.timer = undefined;
  }

  private start(format: string, total: number, behind = 0): void {
    const payload = { loss: '–', score: '–', speed: '–' };
    this.stage = { format, total, value: behind, payload, clock: new RunClock(total, behind) };
    this.timer = setInterval(() => {
      this.update();
    }, 500).unref();
    this.draw();
  }

  private update(value?: number, payload: Readonly<Record<string, string>> = {}): void {
    const { stage } = this;
    if (stage === undefined) return;
    if (value !== undefined && value > stage.value) {
      stage.value = value;
      stage.clock.reach(value);
    }
    stage.payload = { ...stage.payload, ...payload };
    this.bar?.update(stage.value, shownBy(stage));
  }

  private draw(): void {
    const { stage } = this;
    if (stage === undefined) return;
    this.bar = new cliProgress.SingleBar(
      {
        format: stage.format,
        stream: this.stream,
        clearOnComplete: true,
        hideCursor: true,
        gracefulExit: false,
        barsize: Math.min(24, Math.max(8, this.stream.columns - 90)),
        linewrap: false,
      },
      cliProgress.Presets.shades_classic,
    );
    this.bar.start(stage.total, stage.value, shownBy(stage));
  }

  private hide(): void {
    this.bar?.stop();
    this.bar = undefined;
  }
}

/** Numbers of a stage with its clock. */
function shownBy({ payload, clock }: Stage): Record<string, string> {
  const { elapsed, remaining } = clock;
  return {
    ...payload,
    elapsed: clockTime(elapsed),
    left: remaining === undefined ? '–' : clockTime(remaining),
  };
}
