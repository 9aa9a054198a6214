import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { WarmProgram } from '../../../../tools/jest/warm-program.js';

const main = new URL('../../dist/main.js', import.meta.url);
const program = fileURLToPath(main);

export interface Outcome {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** What the program finds in its environment. */
function environmentIn(folder: string): Readonly<Record<string, string>> {
  return { DYNAPROMPT_CACHE: join(folder, 'cache'), DEBUG: '' };
}

/** A run of the built command line whose standard input is open. */
export class ProgramRun {
  private readonly child: ChildProcessWithoutNullStreams;
  private stdout = '';
  private stderr = '';

  constructor(folder: string, words: readonly string[], environment = environmentIn(folder)) {
    const env = { ...process.env, ...environment };
    this.child = spawn(process.execPath, [program, ...words], { cwd: folder, env });
    this.child.stdout.on('data', (part: Buffer) => (this.stdout += part.toString()));
    this.child.stderr.on('data', (part: Buffer) => (this.stderr += part.toString()));
    // The program may have ended before it has read everything.
    this.child.stdin.on('error', () => undefined);
  }

  write(text: string | Uint8Array): void {
    this.child.stdin.write(text);
  }

  /** Standard output so far, once it has so many lines. */
  async lines(count: number): Promise<readonly string[]> {
    while (this.stdout.split('\n').length <= count) await once(this.child.stdout, 'data');
    return this.stdout.trimEnd().split('\n');
  }

  /** Standard output so far, once a line of it matches. @throws when the program ends before. */
  async line(pattern: RegExp): Promise<string> {
    for (;;) {
      const found = this.stdout.split('\n').find((line) => pattern.test(line));
      if (found !== undefined) return found;
      const more = once(this.child.stdout, 'data').then(() => true);
      const over = once(this.child, 'close').then(() => false);
      if (!(await Promise.race([more, over]))) throw new Error(`${this.stdout}${this.stderr}`);
    }
  }

  /** Sends it a signal. */
  signal(name: NodeJS.Signals): void {
    this.child.kill(name);
  }

  /** Reads no more of its output. */
  closeOutput(): void {
    this.child.stdout.destroy();
  }

  /** What became of it; standard input stays open. */
  async outcome(): Promise<Outcome> {
    const [code] = (await once(this.child, 'close')) as [number | null];
    return { code, stdout: this.stdout, stderr: this.stderr };
  }

  /** Closes standard input, and waits for the end. */
  end(text: string | Uint8Array = ''): Promise<Outcome> {
    this.child.stdin.end(text);
    return this.outcome();
  }
}

/** Texts and labels of the small tasks. */
export const trainingRows = [
  'good film\t1',
  'a bad film that never ends\t0',
  'a fine story\t1',
  'dull\t0',
] as const;

/** A folder with the data of small tasks, in which the program runs. */
export class Workplace {
  private readonly warmProgram: WarmProgram;

  private constructor(readonly folder: string) {
    this.warmProgram = new WarmProgram(main, folder, environmentIn(folder));
  }

  static async open(): Promise<Workplace> {
    const folder = await mkdtemp(join(tmpdir(), 'dynaprompt-predict-'));
    for (const name of ['train.tsv', 'dev.tsv']) {
      await writeFile(join(folder, name), ['sentence\tlabel', ...trainingRows, ''].join('\n'));
    }
    return new Workplace(folder);
  }

  start(...words: readonly string[]): ProgramRun {
    return new ProgramRun(this.folder, words);
  }

  /** Runs the program with some input, in a process of its own. */
  glue(words: string, input: string | Uint8Array = ''): Promise<Outcome> {
    return this.start(...words.split(' ')).end(input);
  }

  /** Runs the program with some input, in a process that it shares with others; `run` trains in it too. */
  warm(words: string | readonly string[], input: string | Uint8Array = ''): Promise<Outcome> {
    const given = typeof words === 'string' ? words.split(' ') : words;
    return this.warmProgram.run(given[0] === 'run' ? [...given, '--in-process'] : given, input);
  }

  /** Trains adapters for a few steps, under `OUTPUT/adapters`. @throws when that fails. */
  async train(words: string): Promise<void> {
    const small = '--seeds 1 --steps 6 --batch 2 --slots 4';
    const { code, stderr } = await this.warm(`run ${small} ${words}`);
    if (code !== 0) throw new Error(stderr);
  }

  path(...names: readonly string[]): string {
    return join(this.folder, ...names);
  }

  async remove(): Promise<void> {
    await this.warmProgram.close();
    await rm(this.folder, { recursive: true, force: true });
  }
}
