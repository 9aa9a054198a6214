import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { stream, type RandomStream } from '@dynaprompt/core';
import { machine, round } from '../bench/measure.js';
import type { ChildMessage } from './child.js';
import type { KilledTraining } from './training.js';

export interface KillOptions {
  /** SIGKILLs before the run may end. */
  readonly kills: number;
  /** Optimiser steps; default: enough for the kills to find it at work. */
  readonly steps?: number | undefined;
  readonly method: string;
  /** Of the moments of the kills. */
  readonly seed: number;
}

export interface KillReport {
  readonly benchmark: 'kill-runs';
  readonly backbone: 'mini-bert';
  readonly method: string;
  readonly steps: number;
  readonly seed: number;
  /** Kills that found the process at work; fewer than were asked for where the run ended before. */
  readonly kills: number;
  /** Of these, before the first step of their start. */
  readonly killedWhileStarting: number;
  /** Of these, with a half-written checkpoint left behind. */
  readonly killedWhileWriting: number;
  /** What starts said of damaged checkpoints. */
  readonly notices: readonly string[];
  /** Step that the last start went on from. */
  readonly resumedFrom: number | undefined;
  /** Whether every number is that of the run that was not killed. */
  readonly identical: boolean;
  readonly digests: { readonly uninterrupted: string; readonly killed: string };
  readonly seconds: { readonly uninterrupted: number; readonly killed: number };
  readonly machine: Readonly<Record<string, unknown>>;
}

/** The built program: a process of its own knows no transformation. */
const CHILD = fileURLToPath(new URL('../../dist/kill-runs/child.js', import.meta.url));
/** What a start may say before it is killed, at most: that it has started, and its steps. */
const MOST_MESSAGES = 6;
/** Steps that are planned for a kill: those of the start, and those that go by until the signal arrives. */
const STEPS_PER_KILL = 6;
/** Every so many kills hit a process that has only just begun. */
const EARLY_KILL = 8;

/**
 * Trains once undisturbed, and once in a process that is killed by SIGKILL at seeded random moments and started again each time;
 * compares every number of the two.
 */
export async function killRuns(options: KillOptions): Promise<KillReport> {
  const { kills, method, seed } = options;
  const steps = options.steps ?? 20 + STEPS_PER_KILL * kills;
  const scratch = await mkdtemp(join(tmpdir(), 'kill-runs-'));
  try {
    const features = join(scratch, 'features');
    const whole = await start({ method, steps, features });
    if (whole.done === undefined) throw new Error('the run that is not killed has not ended');
    const folder = join(scratch, 'checkpoints');
    const training = { method, steps, features, folder };
    const random = stream(seed, 'kills');
    const began = performance.now();
    const stepMilliseconds = (1000 * whole.seconds) / steps;
    const count = { kills: 0, starting: 0, writing: 0 };
    const notices: string[] = [];
    let last: Ended | undefined;
    while (count.kills < kills) {
      last = await start(training, momentOf(random, count.kills, stepMilliseconds));
      notices.push(...last.notices);
      if (last.done !== undefined) break;
      count.kills++;
      if (last.steps === 0) count.starting++;
      const left = await readdir(folder).catch((): string[] => []);
      if (left.some((name) => name.endsWith('.tmp'))) count.writing++;
    }
    if (last?.done === undefined) last = await start(training);
    if (last.done === undefined) throw new Error('the last start has not ended');
    const digests = { uninterrupted: whole.done.digest, killed: last.done.digest };
    return {
      benchmark: 'kill-runs',
      backbone: 'mini-bert',
      ...{ method, steps, seed, kills: count.kills },
      killedWhileStarting: count.starting,
      killedWhileWriting: count.writing,
      notices: [...notices, ...last.notices],
      resumedFrom: last.done.resumedFrom,
      identical: digests.uninterrupted === digests.killed,
      digests,
      seconds: {
        uninterrupted: round(whole.seconds, 1),
        killed: round((performance.now() - began) / 1000, 1),
      },
      machine: machine(),
    };
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

/** When a process is killed: once it has said so much, and so many milliseconds after that. */
interface Moment {
  readonly messages: number;
  readonly milliseconds: number;
}

function momentOf(random: RandomStream, index: number, stepMilliseconds: number): Moment {
  if (index % EARLY_KILL === EARLY_KILL - 1) return { messages: 0, milliseconds: 1000 * random.uniform() };
  const messages = 1 + random.integer(MOST_MESSAGES);
  return { messages, milliseconds: stepMilliseconds * random.uniform() };
}

interface Ended {
  /** Absent where it was killed. */
  readonly done: Extract<ChildMessage, { type: 'done' }> | undefined;
  /** Steps that it has told of. */
  readonly steps: number;
  readonly notices: readonly string[];
  readonly seconds: number;
}

/** Runs the program until its end, or until the moment when it is killed. */
async function start(training: KilledTraining, moment?: Moment): Promise<Ended> {
  const began = performance.now();
  const child = fork(CHILD, [JSON.stringify(training)], {
    execArgv: [],
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
  const heard: ChildMessage[] = [];
  let words = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (words += text));
  const ended = once(child, 'close');
  let isKilled = false;
  const killIn = async (milliseconds: number): Promise<void> => {
    isKilled = true;
    await setTimeout(milliseconds);
    child.kill('SIGKILL');
  };
  if (moment?.messages === 0) void killIn(moment.milliseconds);
  child.on('message', (message) => {
    heard.push(message as ChildMessage);
    if (!isKilled && moment !== undefined && heard.length >= moment.messages)
      void killIn(moment.milliseconds);
  });
  await ended;
  const done = heard.find((message) => message.type === 'done');
  if (done === undefined && child.signalCode !== 'SIGKILL') {
    throw new Error(`the run ended with ${child.exitCode ?? String(child.signalCode)}: ${words.trim()}`);
  }
  return {
    done,
    steps: heard.filter(({ type }) => type === 'step').length,
    notices: heard.flatMap((message) => (message.type === 'notice' ? [message.message] : [])),
    seconds: (performance.now() - began) / 1000,
  };
}
