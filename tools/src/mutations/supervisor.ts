import { fork, type ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Answer, Phase } from './pipeline.js';
import type { Report, Task } from './worker.js';

/** What became of one model, seen from outside. */
export interface Verdict extends Omit<Answer, 'outcome'> {
  readonly outcome: Answer['outcome'] | 'died' | 'timeout' | 'memory';
  /** Of processor time. */
  readonly milliseconds: number;
}

/** What one model may take. */
export interface Limits {
  /** Of processor time, so that a busy machine changes nothing; a model that waits gets {@link PATIENCE} times as much. */
  readonly milliseconds: number;
  readonly megabytes: number;
}

const WORKER = fileURLToPath(new URL('./worker.js', import.meta.url));
/** Models before a worker is replaced, so that what onnxruntime keeps of failed ones does not add up. */
const MODELS_PER_WORKER = 400;
const LOOK_MILLISECONDS = 50;
const PAGE_BYTES = 4096;
const TICK_MILLISECONDS = 10;
const PATIENCE = 12;

/** Tries models in a child process, one after the other, and starts another one whenever a model took it along. */
export class Supervisor {
  #worker: ChildProcess | undefined;
  #tried = 0;
  #words = '';
  /** Largest resident memory of a worker. */
  peakMegabytes = 0;

  constructor(private readonly limits: Limits) {}

  async try(task: Task): Promise<Verdict> {
    if (this.#tried++ % MODELS_PER_WORKER === 0) this.close();
    const worker = (this.#worker ??= await this.#start());
    const started = performance.now();
    const before = processorMilliseconds(worker.pid);
    let phase: Phase = 'prepare';
    let killed: 'timeout' | 'memory' | undefined;
    const watch = setInterval(() => {
      const megabytes = residentMegabytes(worker.pid);
      this.peakMegabytes = Math.max(this.peakMegabytes, megabytes);
      const { milliseconds } = this.limits;
      const isLate = performance.now() - started > PATIENCE * milliseconds;
      if (isLate || processorMilliseconds(worker.pid) - before > milliseconds) killed ??= 'timeout';
      if (megabytes > this.limits.megabytes) killed ??= 'memory';
      if (killed) worker.kill('SIGKILL');
    }, LOOK_MILLISECONDS);
    try {
      return await new Promise<Verdict>((resolve) => {
        worker.on('message', (message) => {
          const report = message as Report;
          if ('phase' in report) {
            if (report.phase !== 'start') phase = report.phase;
          } else {
            this.peakMegabytes = Math.max(this.peakMegabytes, report.peakMegabytes);
            resolve({ ...report.answer, milliseconds: report.milliseconds });
          }
        });
        worker.once('close', (code, signal) => {
          this.#worker = undefined;
          resolve({
            outcome: killed ?? 'died',
            phase,
            type: signal ?? `exit code ${code ?? '?'}`,
            message: this.#words.replaceAll(/\s+/g, ' ').trim(),
            milliseconds: performance.now() - started,
          });
        });
        worker.send(task, () => undefined);
      });
    } finally {
      clearInterval(watch);
      worker.removeAllListeners('message').removeAllListeners('close');
    }
  }

  /** Ends the worker. */
  close(): void {
    this.#worker?.removeAllListeners().kill('SIGKILL');
    this.#worker = undefined;
  }

  /** A worker that has loaded its modules: their time is no model's. */
  async #start(): Promise<ChildProcess> {
    this.#words = '';
    const worker = fork(WORKER, [], {
      serialization: 'advanced',
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
      // Memory that the engine itself takes too much of ends the worker early, by a message of its own.
      execArgv: [`--max-old-space-size=${this.limits.megabytes / 2}`],
    });
    worker.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#words = (this.#words + text).slice(-1000);
    });
    await new Promise<void>((resolve, reject) => {
      worker.once('message', () => {
        worker.removeAllListeners('close');
        resolve();
      });
      worker.once('close', () => {
        reject(new Error(`the worker does not start: ${this.#words}`));
      });
    });
    return worker;
  }
}

/** Resident memory of a process; 0 where the system does not say. */
function residentMegabytes(pid: number | undefined): number {
  const [, pages = 0] = processFile(pid, 'statm').split(' ');
  return (Number(pages) * PAGE_BYTES) / 2 ** 20;
}

/** Processor time that a process has used; 0 where the system does not say. */
function processorMilliseconds(pid: number | undefined): number {
  // proc(5): after the name, which may hold spaces, user and system time are the 12th and 13th field.
  const fields = processFile(pid, 'stat')
    .replace(/^.*\) /s, '')
    .split(' ');
  return (Number(fields[11] ?? 0) + Number(fields[12] ?? 0)) * TICK_MILLISECONDS;
}

function processFile(pid: number | undefined, name: string): string {
  try {
    return readFileSync(`/proc/${pid ?? 0}/${name}`, 'utf8');
  } catch {
    return '';
  }
}
