import { type ChildProcess, fork } from 'node:child_process';
import { createInterface } from 'node:readline';

import type { Ending } from './crash.js';
import { receivedError, type TaskReport, type TaskRequest } from './task-messages.js';

/** What a parent process does for a task in a process of its own. */
export interface Supervision<Message> {
  /** Module that calls `serveTask`. */
  readonly module: URL;
  /** What the task is given; structured clones of it travel. */
  readonly opening: unknown;
  /** Raised: the task is asked to stop. */
  readonly signal: AbortSignal;
  /** Number of the child process. */
  readonly started: (pid: number) => void;
  readonly told: (message: Message) => void;
  /** A line that the task, or native code in it, wrote. */
  readonly wrote: (line: string) => void;
  /** Whether the task has something to put in order when it is stopped; one that has not is ended at once. */
  readonly mayFinish: () => boolean;
  /** The error of a process that ended in the middle. */
  readonly crashed: (ending: Ending) => Promise<Error>;
}

/** Characters of the child's last words that are kept. */
const keptWords = 8000;
/** Where the report of a crash of Node or V8 begins, which is for nobody to read line by line. */
const crashReport = /^(<--- |FATAL ERROR|# Fatal|#\s*$)/;

/**
 * Does a task in a child process, so that signals are heard and the screen lives while native code keeps that one from everything.
 * The child does not outlive this process.
 *
 * @throws what the task threw, or what `crashed` makes of its end.
 */
export function superviseTask<Message, Result>(supervision: Supervision<Message>): Promise<Result> {
  const { module, opening, signal } = supervision;
  const child = fork(module, { serialization: 'advanced', stdio: ['ignore', 'pipe', 'pipe', 'ipc'] });
  const kill = (): void => {
    child.kill('SIGKILL');
  };
  const send = (request: TaskRequest): void => {
    // A process that has just ended is told of by its exit.
    if (child.connected) child.send(request, () => undefined);
  };
  const stop = (): void => {
    if (supervision.mayFinish()) send({ type: 'stop' });
    else kill();
  };
  process.on('exit', kill);
  signal.addEventListener('abort', stop, { once: true });
  const words = listen(child, supervision);
  const over = settled<Message, Result>(child, supervision, words).finally(() => {
    process.off('exit', kill);
    signal.removeEventListener('abort', stop);
    kill();
  });
  if (child.pid !== undefined) supervision.started(child.pid);
  send({ type: 'begin', opening });
  if (signal.aborted) stop();
  return over;
}

/** Hands on what the child writes; returns the last of it. */
function listen(child: ChildProcess, { wrote }: Pick<Supervision<unknown>, 'wrote'>): () => string {
  let words = '';
  let crashing = false;
  for (const stream of [child.stdout, child.stderr]) {
    if (stream === null) continue;
    createInterface({ input: stream }).on('line', (line) => {
      words = `${words}${line}\n`.slice(-keptWords);
      crashing ||= crashReport.test(line);
      if (!crashing && line.trim() !== '') wrote(line);
    });
  }
  return () => words;
}

function settled<Message, Result>(
  child: ChildProcess,
  { told, crashed, signal }: Supervision<Message>,
  words: () => string,
): Promise<Result> {
  return new Promise((resolve, reject) => {
    child.on('message', (report: TaskReport<Message, Result>) => {
      switch (report.type) {
        case 'told':
          told(report.message);
          break;
        case 'done':
          resolve(report.result);
          break;
        case 'failed':
          reject(receivedError(report.error));
          break;
      }
    });
    child.once('error', reject);
    // All messages have arrived by then.
    child.once('close', (code, endSignal) => {
      if (signal.aborted) {
        reject(new Error('stopped', { cause: signal.reason }));
        return;
      }
      crashed({ code, signal: endSignal, words: words() }).then(reject, reject);
    });
  });
}
