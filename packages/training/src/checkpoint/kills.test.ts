import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';

import { type RandomStream, stream } from '@dynaprompt/core';

import { contentAt } from '../testing/checkpoint-content.test.fixture.js';
import type { KilledRunMessage } from '../testing/killed-run.test.fixture.js';
import { CheckpointFolder } from './checkpoint-folder.js';

/** Programs run as they are built: a process of its own knows no transformation. */
const built = (name: string): string =>
  fileURLToPath(new URL(`../../dist/testing/${name}.test.fixture.js`, import.meta.url));
const minutes = 60_000;

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'dynaprompt-kills-'));
});

afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

/** A started program and what it says. */
class Program {
  readonly heard: KilledRunMessage[] = [];
  private readonly child: ChildProcess;
  private readonly ended: Promise<unknown>;

  constructor(name: string, words: readonly string[], isHeard: (message: unknown) => void = () => undefined) {
    // Options of the test runner are none of the program's.
    this.child = fork(built(name), words, { execArgv: [], stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
    this.ended = once(this.child, 'close');
    this.child.on('message', (message) => {
      this.heard.push(message as KilledRunMessage);
      isHeard(message);
    });
  }

  /** Waits for so many messages, and then so many milliseconds. */
  async after(messages: number, milliseconds: number): Promise<void> {
    while (this.heard.length < messages) await Promise.race([once(this.child, 'message'), this.failure()]);
    await setTimeout(milliseconds);
  }

  async kill(): Promise<void> {
    this.child.kill('SIGKILL');
    await this.ended;
    expect(this.child.signalCode).toBe('SIGKILL');
  }

  async result(): Promise<Extract<KilledRunMessage, { type: 'done' }>> {
    await this.ended;
    const last = this.heard.at(-1);
    if (last?.type !== 'done') throw new Error(`the program ended with ${String(this.child.exitCode)}`);
    return last;
  }

  private async failure(): Promise<never> {
    await this.ended;
    throw new Error(`the program ended with ${String(this.child.exitCode)} before it was killed`);
  }
}

describe('a run that is killed', () => {
  it(
    'ends as an uninterrupted one after 20 kills, bit for bit',
    async () => {
      const uninterrupted = new Program('killed-run', []).result();
      const random = stream(1, 'kills');
      const places: number[] = [];
      for (let kill = 0; kill < 20; kill++) {
        const program = new Program('killed-run', [folder]);
        // Every fifth dies while it starts.
        if (kill % 5 === 4) await program.after(0, random.integer(250));
        else await program.after(1 + random.integer(12), random.uniform() * 12);
        await program.kill();
        expect(program.heard.filter(({ type }) => type === 'notice')).toEqual([]);
        const [first] = program.heard.flatMap((message) => (message.type === 'step' ? [message.step] : []));
        if (first !== undefined) places.push(first);
      }
      // Each went on behind where the one before it began.
      expect(places).toEqual(places.toSorted((left, right) => left - right));
      expect(new Set(places).size).toBeGreaterThan(5);
      const { digest, resumedFrom } = await new Program('killed-run', [folder]).result();
      expect(resumedFrom).toBeGreaterThan(20);
      expect(digest).toBe((await uninterrupted).digest);
      const left = await readdir(folder);
      expect(left.filter((name) => !/^(checkpoint|best)-\d+$/.test(name))).toEqual([]);
    },
    5 * minutes,
  );
});

/** Kills a program that writes checkpoints, and looks what it left. */
async function killWriters(place: string, kills: number, random: RandomStream): Promise<number> {
  await mkdir(place);
  let acknowledged = 0;
  let torn = 0;
  for (let kill = 0; kill < kills; kill++) {
    const program = new Program('killed-writer', [place], (step) => (acknowledged = step as number));
    await program.after(1, random.uniform() * 15);
    await program.kill();
    if ((await readdir(place)).some((name) => name.endsWith('.tmp'))) torn++;
    const content = await new CheckpointFolder(place, 2).readNewest((message) => {
      throw new Error(message);
    });
    // An acknowledgement may have been on its way.
    expect(content?.state.step).toBeGreaterThanOrEqual(acknowledged);
    expect(content).toEqual(contentAt(content?.state.step ?? 0));
    acknowledged = content?.state.step ?? 0;
  }
  return torn;
}

describe('a checkpoint', () => {
  it(
    'is never lost to 100 kills of the process that writes the next one',
    async () => {
      const torn = await Promise.all(
        ['one', 'two'].map((name) => killWriters(join(folder, name), 50, stream(1, name))),
      );
      // Many of them hit the writing itself.
      expect(torn.reduce((sum, count) => sum + count)).toBeGreaterThan(10);
    },
    5 * minutes,
  );
});
