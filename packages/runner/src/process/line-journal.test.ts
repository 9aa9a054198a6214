import { spawnSync } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';

import { LineJournal } from './line-journal.js';

const kind = {
  owner: 'a test',
  isEntry: (value: unknown): value is { readonly key: string; readonly text: string } =>
    typeof value === 'object' && value !== null && 'key' in value,
};

let folder: string;
let path: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'dynaprompt-journal-'));
  path = join(folder, 'deep', 'journal.jsonl');
});

afterEach(() => rm(folder, { recursive: true, force: true }));

describe('LineJournal', () => {
  it('reads again what it was told, the last of each key, without a torn line', async () => {
    const journal = await LineJournal.read(path, kind);
    for (const [key, text] of [
      ['a', 'one'],
      ['b', 'ä line\nof two'],
      ['a', 'three'],
    ] as const) {
      journal.append({ key, text });
    }
    const whole = await readFile(path, 'utf8');
    await writeFile(path, `${whole}{"key":"c`);
    const again = await LineJournal.read(path, kind);
    expect([...again.entries.values()].map(({ key, text }) => [key, text])).toEqual([
      ['a', 'three'],
      ['b', 'ä line\nof two'],
    ]);
    expect(await readFile(path, 'utf8')).toBe(whole);
    await writeFile(path, '{"key":"a"}\n7\n');
    await expect(LineJournal.read(path, kind)).rejects.toThrow(
      /journal\.jsonl line 2: it is no entry of a test/,
    );
  });

  it('takes back a line that the disk takes a part of only', async () => {
    const built = new URL('../../dist/process/line-journal.js', import.meta.url).href;
    const script = `
      import { LineJournal } from ${JSON.stringify(built)};
      const journal = await LineJournal.read(${JSON.stringify(path)}, { owner: 'a test', isEntry: () => true });
      journal.append({ key: 'small', text: 'x'.repeat(600) });
      try {
        journal.append({ key: 'large', text: 'x'.repeat(600) });
      } catch (error) {
        console.log(error.name, error.message);
      }
      console.log([...journal.entries.keys()].join());
      journal.append({ key: 'last', text: '' });`;
    // Files of at most 1 KiB; ignored, so that the write fails instead of the process.
    const words = [process.execPath, '--input-type=module', '-e', script];
    const { stdout, stderr } = spawnSync(
      'bash',
      ['-c', 'trap "" XFSZ; ulimit -f 1; exec "$@"', 'bash', ...words],
      {
        encoding: 'utf8',
      },
    );
    expect(stderr).toBe('');
    expect(stdout).toMatch(/^ConfigurationError .*journal\.jsonl: it cannot be written \(EFBIG.*\nsmall\n$/);
    const { entries } = await LineJournal.read(path, kind);
    expect([...entries.keys()]).toEqual(['small', 'last']);
  });
});
