import { type ChildProcess, fork } from 'node:child_process';

/** Something to do that has a name of its own. */
export interface Keyed {
  readonly key: string;
}

/** What a child process is told to do. */
export interface RunRequest<Run extends Keyed> {
  readonly type: 'run';
  readonly run: Run;
}

/** What it answers. */
export interface RunAnswer<Outcome> {
  readonly key: string;
  readonly outcome: Outcome;
}

/** A child process that ended before it had answered. */
export class ProcessEndedError extends Error {
  constructor(code: number | null, signal: NodeJS.Signals | null) {
    const how = signal === null ? `with exit code ${code ?? 'unknown'}` : `by ${signal}`;
    super(`the process of the run was ended ${how}`);
    this.name = 'ProcessEndedError';
  }
}

/** A child process that does one run at a time. */
export class RunProcess<Run extends Keyed, Outcome> {
  private readonly child: ChildProcess;
  private waiting: PromiseWithSettlers<Outcome> | undefined;
  private ended: Error | undefined;

  /**
   * @param module answers every {@link RunRequest} with a {@link RunAnswer}.
   * @param opening its first message: what it needs for all runs.
   */
  constructor(module: URL, opening: unknown) {
    this.child = fork(module, { serialization: 'json' });
    this.child.on('message', ({ outcome }: RunAnswer<Outcome>) => {
      const { waiting } = this;
      this.waiting = undefined;
      waiting?.resolve(outcome);
    });
    this.child.on('error', (error) => {
      this.fail(error);
    });
    this.child.on('exit', (code, signal) => {
      this.fail(new ProcessEndedError(code, signal));
    });
    this.send(opening);
  }

  /** @throws ProcessEndedError when the process ends first; it takes no further runs then. */
  run(run: Run): Promise<Outcome> {
    if (this.ended !== undefined) return Promise.reject(this.ended);
    return new Promise((resolve, reject) => {
      this.waiting = { resolve, reject };
      this.send({ type: 'run', run } satisfies RunRequest<Run>);
    });
  }

  /** Ends the process at once. */
  kill(): void {
    this.child.kill('SIGKILL');
  }

  private fail(error: Error): void {
    this.ended ??= error;
    this.waiting?.reject(error);
    this.waiting = undefined;
  }

  private send(message: unknown): void {
    // A process that has just ended is told of by its exit.
    this.child.send(message as object, () => undefined);
  }
}

interface PromiseWithSettlers<Value> {
  readonly resolve: (value: Value) => void;
  readonly reject: (error: Error) => void;
}
