/** Exit status by signal, 128 + its number. */
const exitCodes = { SIGINT: 130, SIGTERM: 143 } as const;

type StopSignal = keyof typeof exitCodes;

/** Turns the first Ctrl-C (or SIGTERM) into an `AbortSignal`; the second ends the process at once. */
export class Interruption {
  private readonly controller = new AbortController();
  private code: number | undefined;
  private readonly listeners = new Map<StopSignal, () => void>();

  constructor() {
    for (const name of Object.keys(exitCodes) as StopSignal[]) {
      const listener = (): void => {
        this.stop(name);
      };
      this.listeners.set(name, listener);
      process.on(name, listener);
    }
  }

  get signal(): AbortSignal {
    return this.controller.signal;
  }

  /** 130 after Ctrl-C; undefined while nothing has stopped the process. */
  get exitCode(): number | undefined {
    return this.code;
  }

  /** Gives the signals back to Node. */
  release(): void {
    for (const [name, listener] of this.listeners) process.off(name, listener);
  }

  private stop(name: StopSignal): void {
    if (this.code !== undefined) process.exit(this.code);
    this.code = exitCodes[name];
    this.controller.abort(new Error(`${name} received`));
  }
}
