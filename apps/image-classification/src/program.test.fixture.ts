import { spawn } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { WarmProgram } from '../../../tools/jest/warm-program.js';

const main = new URL('../dist/main.js', import.meta.url);
const program = fileURLToPath(main);

/** What became of a run of the program. */
export interface Outcome {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A folder in which the built command line runs. */
export class Workplace {
  private readonly environment: Readonly<Record<string, string>>;
  private readonly warmProgram: WarmProgram;

  private constructor(readonly folder: string) {
    this.environment = { DYNAPROMPT_CACHE: this.path('cache'), DEBUG: '' };
    this.warmProgram = new WarmProgram(main, folder, this.environment);
  }

  static async open(): Promise<Workplace> {
    return new Workplace(await mkdtemp(join(tmpdir(), 'dynaprompt-pictures-')));
  }

  path(...names: readonly string[]): string {
    return join(this.folder, ...names);
  }

  /** Writes a file, and the folders above it. */
  async write(name: string, content: string | Uint8Array): Promise<void> {
    await mkdir(dirname(this.path(name)), { recursive: true });
    await writeFile(this.path(name), content);
  }

  /** Red squares and blue discs, each a little different: `train`, `val` and `test`. */
  async writeShapes(root: string, counts: Readonly<Record<string, number>>): Promise<void> {
    for (const [split, count] of Object.entries(counts)) {
      for (let index = 0; index < count; index++) {
        await this.write(join(root, split, 'disc', `${index}.svg`), disc(20 + index));
        await this.write(join(root, split, 'square', `${index}.svg`), square(20 + index));
      }
    }
  }

  /** Runs words in a process that they share with others; `run` trains in it too. */
  warm(words: string, { input = '' }: { readonly input?: string } = {}): Promise<Outcome> {
    return this.warmProgram.run(wordsOf(words.startsWith('run ') ? `${words} --in-process` : words), input);
  }

  /** Runs words in a process of their own; `interruptAt`: Ctrl-C, or another signal, once that text was written to stdout. */
  run(
    words: string,
    {
      input = '',
      interruptAt,
      signal = 'SIGINT',
    }: {
      readonly input?: string;
      readonly interruptAt?: string;
      readonly signal?: NodeJS.Signals;
    } = {},
  ): Promise<Outcome> {
    return new Promise((resolve, reject) => {
      const child = spawn(process.execPath, [program, ...wordsOf(words)], {
        cwd: this.folder,
        env: { ...process.env, ...this.environment },
      });
      let [stdout, stderr] = ['', ''];
      let interrupted = false;
      child.stdout.on('data', (part: Buffer) => {
        stdout += part.toString();
        if (interruptAt === undefined || interrupted || !stdout.includes(interruptAt)) return;
        interrupted = true;
        child.kill(signal);
      });
      child.stderr.on('data', (part: Buffer) => (stderr += part.toString()));
      child.stdin.on('error', () => undefined);
      child.stdin.end(input);
      child.on('error', reject);
      child.on('close', (code) => {
        resolve({ code, stdout, stderr });
      });
    });
  }

  async remove(): Promise<void> {
    await this.warmProgram.close();
    await rm(this.folder, { recursive: true, force: true });
  }
}

function wordsOf(words: string): readonly string[] {
  return words.split(' ').filter((word) => word !== '');
}

/** A blue disc on white, 64 × 64. */
export function disc(radius: number): string {
  return `<svg xmlns="http://www.w3.org/2000/svg" width="64" height="64"><circle cx="32" cy="32" r="${radius % 30}" fill="#00f"/></svg>`;
}

/** A red square on white, 64 × 64. */
export function square(side: number): string {
  return `<svg xmlns="http://www.w3.org/2000/svg" width="64" height="64"><rect x="8" y="8" width="${side}" height="${side}" fill="#f00"/></svg>`;
}
