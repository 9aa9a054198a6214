import { fork, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { InvalidInputError, RuntimeFailureError } from '../errors.js';
import type { Runtime, RuntimeOptions, RuntimeValues } from './session.js';

/** Bounds of a session in a process of its own. */
export interface IsolationOptions {
  /** Longest time for loading the graph and for each run, in milliseconds; the process is then ended. Default: no limit. */
  readonly timeoutMilliseconds?: number;
}

interface Reply {
  readonly results?: RuntimeValues;
  readonly failure?: string;
}

interface Pending {
  readonly resolve: (results: RuntimeValues) => void;
  readonly reject: (error: Error) => void;
}

/** Outside src, so that sources and build find it at one place. */
const CHILD = fileURLToPath(new URL('../../child/session.js', import.meta.url));
/** Characters of the child's last words that an error repeats. */
const LAST_WORDS = 300;
/** What a timer of Node can count to. */
const LONGEST = 2 ** 31 - 1;

/**
 * Lets glibc ask for pages of 2 MB, which a process cannot do for itself once it runs: 3 to 5% less time for BERT-base. A wish
 * that the user has for `glibc.malloc.hugetlb` goes first.
 */
function withHugePages(tunables = ''): string {
  if (tunables.includes('glibc.malloc.hugetlb')) return tunables;
  return `${tunables === '' ? '' : `${tunables}:`}glibc.malloc.hugetlb=1`;
}

/**
 * onnxruntime in a child process: what kills it there (a signal, an abort, the system for lack of memory) or takes it too long
 * becomes a RuntimeFailureError here, and this process stays responsive while it computes. The child ends with its parent,
 * however that ends, and does not keep it from ending.
 */
export class IsolatedRuntime implements Runtime {
  readonly #child: ChildProcess;
  readonly #closed: Promise<void>;
  #pending: Pending | undefined;
  /** The request before, which the next one waits for. */
  #tail: Promise<unknown> = Promise.resolve();
  /** Why the child is gone or about to go. */
  #end: RuntimeFailureError | undefined;
  #lastWords = '';

  private constructor(
    private readonly source: string,
    private readonly timeoutMilliseconds: number | undefined,
  ) {
    this.#child = fork(CHILD, [], {
      serialization: 'advanced',
      env: { ...process.env, GLIBC_TUNABLES: withHugePages(process.env.GLIBC_TUNABLES) },
      // Standard input is never written to: its end tells the child that this process is gone.
      stdio: ['pipe', 'ignore', 'pipe', 'ipc'],
      execArgv: [],
    });
    this.#child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#lastWords = (this.#lastWords + text).slice(-LAST_WORDS);
    });
    this.#child.on('message', (reply) => {
      this.#settle(reply as Reply);
    });
    this.#closed = new Promise((resolve) => {
      this.#child.on('error', (cause) => {
        // Also a failed write to a child that is gone; `close` tells that one better.
        if (this.#child.pid !== undefined) return;
        this.#end ??= this.#failure(
          `its process cannot be started: ${cause.message}`,
          'Free memory or processes',
        );
        this.#pending?.reject(this.#end);
        resolve();
      });
      this.#child.on('close', (code, signal) => {
        this.#end ??= this.#death(code, signal);
        this.#pending?.reject(this.#end);
        resolve();
      });
    });
    this.#hold(false);
  }

  /**
   * Starts a child and loads a serialised graph in it.
   * @param source the model's name, for errors.
   * @throws InvalidInputError if the limit is no time.
   * @throws RuntimeFailureError if the child dies or takes too long; Error with onnxruntime's message if it refuses the graph.
   */
  static async load(
    model: Uint8Array,
    options: RuntimeOptions,
    source: string,
    { timeoutMilliseconds }: IsolationOptions,
  ): Promise<IsolatedRuntime> {
    if (timeoutMilliseconds !== undefined && !(timeoutMilliseconds > 0 && timeoutMilliseconds <= LONGEST)) {
      throw new InvalidInputError({
        subject: 'option isolated',
        problem: `timeoutMilliseconds is ${timeoutMilliseconds}`,
        remedy: `Give more than 0 and at most ${LONGEST}, or leave it out`,
      });
    }
    const runtime = new IsolatedRuntime(source, timeoutMilliseconds);
    try {
      await runtime.#request('loading', { kind: 'load', model, options });
    } catch (error) {
      await runtime.release();
      throw error;
    }
    return runtime;
  }

  /** Process id of the child, undefined if it could not be started. */
  get pid(): number | undefined {
    return this.#child.pid;
  }

  run(feeds: RuntimeValues): Promise<RuntimeValues> {
    const plain = Object.entries(feeds).map(([name, { type, data, dims }]) => [name, { type, data, dims }]);
    return this.#request('running', { kind: 'run', feeds: Object.fromEntries(plain) as RuntimeValues });
  }

  /** Ends the child; resolves when it is gone. A run that is under way fails. */
  async release(): Promise<void> {
    this.#end ??= this.#failure('its session was released', 'Open another one');
    this.#hold(true);
    this.#child.kill('SIGKILL');
    await this.#closed;
  }

  /** One request after the other, so that each has its whole time. */
  #request(doing: string, request: object): Promise<RuntimeValues> {
    const answer = this.#tail.then(() => this.#exchange(doing, request));
    this.#tail = answer.catch(() => undefined);
    return answer;
  }

  async #exchange(doing: string, request: object): Promise<RuntimeValues> {
    if (this.#end) throw this.#end;
    const limit = this.timeoutMilliseconds;
    const timer =
      limit === undefined
        ? undefined
        : setTimeout(() => {
            this.#end ??= this.#failure(
              `${doing} it took longer than ${limit} ms, and its process was ended`,
              'Raise `isolated.timeoutMilliseconds`, or give smaller inputs',
            );
            this.#child.kill('SIGKILL');
          }, limit);
    this.#hold(true);
    try {
      return await new Promise<RuntimeValues>((resolve, reject) => {
        this.#pending = { resolve, reject };
        this.#child.send(request, () => undefined);
      });
    } finally {
      clearTimeout(timer);
      this.#pending = undefined;
      this.#hold(false);
    }
  }

  #settle({ results, failure }: Reply): void {
    if (results) this.#pending?.resolve(results);
    else this.#pending?.reject(new Error(failure));
  }

  /** Whether this process waits for the child before it ends. */
  #hold(held: boolean): void {
    const { channel, stdin, stderr } = this.#child;
    const streams = [stdin, stderr] as unknown as readonly (NodeJS.RefCounted | null)[];
    for (const handle of [this.#child, channel, ...streams]) {
      if (held) handle?.ref();
      else handle?.unref();
    }
  }

  #death(code: number | null, signal: NodeJS.Signals | null): RuntimeFailureError {
    const how = signal === null ? `ended with exit code ${code ?? '?'}` : `was killed by ${signal}`;
    const words = this.#lastWords.replaceAll(/\s+/g, ' ').trim();
    const remedy =
      signal === 'SIGKILL'
        ? 'The system does so when memory runs out: give smaller inputs, or more memory'
        : 'Check that the model runs unchanged, and do not use one whose source you do not trust';
    return this.#failure(`the process of its session ${how}${words && `: ${words}`}`, remedy);
  }

  #failure(problem: string, remedy: string): RuntimeFailureError {
    return new RuntimeFailureError({ subject: this.source, problem, remedy });
  }
}
