import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';
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

/** A folder in which the built command line runs, with a cache of its own. */
export class Workplace {
  private readonly environment: Readonly<Record<string, string>>;
  private readonly warmProgram: WarmProgram;

  private constructor(readonly folder: string) {
    this.environment = { DYNAPROMPT_CACHE: this.path('cache'), DEBUG: '' };
    this.warmProgram = new WarmProgram(main, folder, this.environment);
  }

  static async open(): Promise<Workplace> {
    return new Workplace(await mkdtemp(join(tmpdir(), 'dynaprompt-questions-')));
  }

  path(...names: readonly string[]): string {
    return join(this.folder, ...names);
  }

  /** Writes a file, and the folders above it. */
  async write(name: string, content: string): Promise<void> {
    await mkdir(dirname(this.path(name)), { recursive: true });
    await writeFile(this.path(name), content);
  }

  /** A CLEVR folder: what colour a plain picture has; `bad` pictures are none. */
  async writeColours(root: string, splits: Readonly<Record<string, number>>, bad: readonly string[] = []) {
    for (const [split, count] of Object.entries(splits)) {
      const questions = Array.from({ length: count }, (_, index) => {
        const colour = index % 2 === 0 ? 'red' : 'blue';
        return {
          question: 'What color is this?',
          question_index: index,
          image_index: index,
          image_filename: `${split}${index}.svg`,
          ...(split === 'test' ? {} : { answer: colour }),
          program: [{ function: 'query_color' }],
        };
      });
      await this.write(
        join(root, 'questions', `CLEVR_${split}_questions.json`),
        JSON.stringify({ questions }),
      );
      for (const { image_filename: name, answer = 'green' } of questions) {
        const content = bad.includes(name) ? 'no picture' : plain(answer);
        await this.write(join(root, 'images', split, name), content);
      }
    }
  }

  /** Runs words in a process that they share with others; `run` trains in it too. Blanks are written as in `run`. */
  warm(words: string, { input = '' }: { readonly input?: string } = {}): Promise<Outcome> {
    return this.warmProgram.run(wordsOf(words.startsWith('run ') ? `${words} --in-process` : words), input);
  }

  /** Runs words in a process of their own; a blank within a word is written `%20`. `killAt`: killed once stdout has that. */
  async run(
    words: string,
    { input = '', killAt }: { readonly input?: string; readonly killAt?: RegExp } = {},
  ): Promise<Outcome> {
    const child = spawn(process.execPath, [program, ...wordsOf(words)], {
      cwd: this.folder,
      env: { ...process.env, ...this.environment },
    });
    let stdout = '';
    child.stdout.on('data', (part: Buffer) => {
      stdout += part.toString();
      if (killAt?.test(stdout) === true) child.kill('SIGKILL');
    });
    child.stdin.on('error', () => undefined);
    child.stdin.end(input);
    const [stderr, [code]] = await Promise.all([
      text(child.stderr),
      once(child, 'close') as Promise<[number | null]>,
    ]);
    return { code, stdout, stderr };
  }

  async remove(): Promise<void> {
    await this.warmProgram.close();
    await rm(this.folder, { recursive: true, force: true });
  }
}

function wordsOf(words: string): readonly string[] {
  const given = words.split(' ').filter((word) => word !== '');
  return given.map((word) => word.replaceAll('%20', ' '));
}

/** A picture of one colour, 64 × 64. */
export function plain(colour: string): string {
  return `<svg xmlns="http://www.w3.org/2000/svg" width="64" height="64"><rect width="64" height="64" fill="${colour}"/></svg>`;
}
