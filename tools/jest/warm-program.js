import { Buffer } from 'node:buffer';
import { fork } from 'node:child_process';
import { fileURLToPath, URL } from 'node:url';

const host = fileURLToPath(new URL('./warm-program-host.js', import.meta.url));

export class WarmProgram {
  #main;
  #options;
  #child;
  /** The run before, for they take turns. */
  #last = Promise.resolve();

  constructor(main, folder, environment) {
    this.#main = main;
    const env = { ...process.env, ...environment };
    this.#options = { cwd: folder, env, execArgv: [], stdio: ['ignore', 'inherit', 'inherit', 'ipc'] };
  }

  run(words, input = '') {
    const outcome = this.#last.then(() => this.#ask(words, input));
    this.#last = outcome.catch(() => undefined);
    return outcome;
  }

  #ask(words, input) {
    const child = (this.#child ??= fork(host, [this.#main.href], this.#options));
    return new Promise((resolve, reject) => {
      const settle = (then) => (value) => {
        child.removeAllListeners();
        then(value);
      };
      child.once('message', settle(resolve));
      child.once(
        'exit',
        settle((code) => {
          this.#child = undefined;
          reject(new Error(`the process ended with ${code} in the middle of: ${words.join(' ')}`));
        }),
      );
      child.send({ words, input: Buffer.from(input).toString('base64') });
    });
  }

  async close() {
    await this.#last;
    this.#child?.disconnect();
    this.#child = undefined;
  }
}
