import { appendFile, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';

import { nullThrows, DataError } from '@dynaprompt/core';

import { Journal, type JournalEntry } from './journal.js';
import { planStudy } from './run-plan.js';
import { exampleOptions, exampleTask, finished } from './study.test.fixture.js';

let folder: string;
let path: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'dynaprompt-journal-'));
  path = join(folder, 'deep', 'study.jsonl');
});

afterEach(() => rm(folder, { recursive: true, force: true }));

function entries(): JournalEntry[] {
  const [cell] = planStudy(exampleOptions, [exampleTask]);
  const runs = nullThrows(cell, 'a cell').tuning.flat();
  return runs.map((run, index) => ({ ...run, outcome: finished({ final: index / 10 }), machine: 'm' }));
}

describe('Journal', () => {
  it('gives back what was appended, failures too, the last line of a key', async () => {
    const [first, second] = entries();
    const failed = { ...nullThrows(second, 'two'), outcome: { ok: false, message: 'no\nmemory' } as const };
    const journal = await Journal.open(path);
    for (const entry of [nullThrows(first, 'one'), nullThrows(second, 'two'), failed]) journal.append(entry);
    expect([...(await Journal.open(path)).entries.values()]).toEqual([first, failed]);
  });

  it('drops a line that was cut off in writing, and goes on behind the whole ones', async () => {
    const [first, second] = entries().map((entry) => nullThrows(entry, 'an entry'));
    (await Journal.open(path)).append(nullThrows(first, 'one'));
    await appendFile(path, JSON.stringify(second).slice(0, 40));
    const journal = await Journal.open(path);
    expect(journal.entries.size).toBe(1);
    journal.append(nullThrows(second, 'two'));
    expect((await readFile(path, 'utf8')).split('\n')).toHaveLength(3);
    expect((await Journal.open(path)).entries.size).toBe(2);
  });

  it.each(['hello', '{"key":"a"}', 'null', '{"key":"a","machine":"m","run":{},"outcome":{"ok":true}}'])(
    'names a line that is no entry: %s',
    async (line) => {
      (await Journal.open(path)).append(nullThrows(entries()[0], 'one'));
      await appendFile(path, `${line}\n`);
      await expect(Journal.open(path)).rejects.toThrow(DataError);
      await expect(Journal.open(path)).rejects.toThrow(/study\.jsonl line 2/);
    },
  );
});
