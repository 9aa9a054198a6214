import type { DisplayStream } from './display.js';

/** Anything that has a type and is plain data. */
export interface JsonEvent {
  readonly type: string;
  readonly [field: string]: unknown;
}

/** Milliseconds between two signs of life. */
const heartbeat = 10_000;

/** Writes what happens as JSON objects, one a line; numbers that are not finite are null. */
export class JsonEvents {
  private readonly began = performance.now();
  private readonly timer = setInterval(() => {
    this.write({ type: 'heartbeat' });
  }, heartbeat).unref();

  constructor(private readonly stream: DisplayStream) {}

  /** Adds the seconds since the beginning to the event. */
  write(event: JsonEvent): void {
    const { type, ...rest } = event;
    const elapsed = Math.round(performance.now() - this.began) / 1000;
    this.stream.write(`${JSON.stringify({ type, elapsed, ...rest })}\n`);
  }

  end(): void {
    clearInterval(this.timer);
  }
}
