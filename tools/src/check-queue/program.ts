import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const glue = fileURLToPath(new URL('../../../apps/glue/dist/main.js', import.meta.url));

/** How a process ended. */
export interface Ending {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** The command line of the text benchmark in a process of its own. */
export class Program {
  private readonly child: ChildProcess;
  private written = '';
  readonly ended: Promise<Ending>;

  constructor(words: readonly string[], folder: string) {
    const env = { ...process.env, DYNAPROMPT_CACHE: `${folder}/cache` };
    this.child = spawn(process.execPath, [glue, ...words], { cwd: folder, env });
    for (const stream of [this.child.stdout, this.child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => {
        this.written += text;
      });
    }
    this.ended = new Promise((resolve, reject) => {
      this.child.once('error', reject);
      this.child.once('close', (code, signal) => {
        resolve({ code, signal });
      });
    });
  }

  /** What it wrote so far. */
  get lines(): readonly string[] {
    return this.written.split('\n').filter((line) => line !== '');
  }

  get hasEnded(): boolean {
    return this.child.exitCode !== null || this.child.signalCode !== null;
  }

  kill(signal: NodeJS.Signals): void {
    this.child.kill(signal);
  }
}
