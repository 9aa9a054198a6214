import { Buffer } from 'node:buffer';
import { Readable, Writable } from 'node:stream';

/**
 * The process of a `WarmProgram`: evaluates the main module of a command line anew for every message, with arguments and streams of
 * its own. What that module imports is loaded once.
 */
const [, , main = ''] = process.argv;
let runs = 0;

process.on('message', async ({ words, input }) => {
  const [stdout, stderr] = [new Recording(), new Recording()];
  const stdin = Readable.from(input === '' ? [] : [Buffer.from(input, 'base64')]);
  for (const [name, value] of Object.entries({ stdout, stderr, stdin })) {
    Object.defineProperty(process, name, { value, configurable: true });
  }
  process.argv = [process.execPath, main, ...words];
  process.exitCode = undefined;
  await import(`${main}?run=${(runs += 1)}`);
  const code = process.exitCode ?? 0;
  process.send({ code, stdout: stdout.text(), stderr: stderr.text() });
  process.exitCode = undefined;
});
process.on('disconnect', () => process.exit());

/** A stream that keeps what is written to it. */
class Recording extends Writable {
  parts = [];

  _write(chunk, _encoding, done) {
    this.parts.push(chunk);
    done();
  }

  text() {
    return Buffer.concat(this.parts).toString();
  }
}
