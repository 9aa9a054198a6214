import { describe, expect, it } from '@jest/globals';
import { CommanderError } from 'commander';

import { commandLine } from './command-line.js';

/** What the command line asks for. */
async function ask(...words: readonly string[]): Promise<{ asked: unknown; written: string }> {
  let asked: unknown;
  let written = '';
  const keep = (...values: readonly unknown[]): Promise<void> => {
    asked = values;
    return Promise.resolve();
  };
  const program = commandLine({ build: keep, serve: keep }, (text) => (written += text));
  await program.parseAsync(words, { from: 'user' }).catch((error: unknown) => {
    if (!(error instanceof CommanderError)) throw error;
  });
  return { asked, written };
}

describe('the command line', () => {
  it('builds and serves', async () => {
    expect((await ask('build', 'tuned', 'site')).asked).toEqual(['tuned', 'site']);
    expect((await ask('serve', 'site')).asked).toEqual(['site', { port: 8080, host: '127.0.0.1' }]);
    const { asked } = await ask('serve', 'site', '--port', '0', '--host', '::1');
    expect(asked).toEqual(['site', { port: 0, host: '::1' }]);
  });

  it.each([
    [['build', 'tuned'], /missing required argument 'site'/],
    [['serve', 'site', '--port', '65536'], /from 0 to 65535/],
    [['serve', 'site', '--port', '-1'], /from 0 to 65535/],
    [['serve', 'site', '--port', '8e1'], /from 0 to 65535/],
  ])('refuses %j in one line', async (words, message) => {
    const { asked, written } = await ask(...words);
    expect(asked).toBeUndefined();
    expect(written).toMatch(message);
    expect(written.trimEnd().split('\n')).toHaveLength(1);
  });
});
