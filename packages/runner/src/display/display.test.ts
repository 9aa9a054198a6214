import { spawnSync } from 'node:child_process';

import { describe, expect, it, jest } from '@jest/globals';

import type { TrainingEvent } from '@dynaprompt/training';

import { PlainDisplay } from './plain-display.js';
import { TerminalDisplay } from './terminal-display.js';

const run = { method: 'fixed', seed: 2 };

function step(number: number): TrainingEvent {
  return {
    ...run,
    type: 'step',
    step: number,
    steps: 10,
    loss: 0.5,
    penalty: 0,
    gradientNorm: 1,
    temperature: undefined,
    learningRateFactor: 1,
    examplesPerSecond: 80,
  };
}

const events: readonly TrainingEvent[] = [
  { ...run, type: 'features', done: 16, total: 32 },
  { ...run, type: 'features', done: 32, total: 32 },
  { ...run, type: 'started', steps: 10, trainExamples: 32, validationExamples: 8, trainableParameters: 2570 },
  ...Array.from({ length: 10 }, (_, index) => step(index + 1)),
  { ...run, type: 'evaluated', step: 10, score: 0.75, best: 0.75 },
  { ...run, type: 'notice', message: 'the cache is full' },
  { ...run, type: 'finished', final: 0.75, best: 0.8, seconds: 3.21 },
];

describe('PlainDisplay', () => {
  it('writes about ten lines for a run', () => {
    let text = '';
    const display = new PlainDisplay({ write: (part: string) => (text += part) });
    display.begin({ metric: 'accuracy', runs: 6 });
    for (const event of events) display.show(event);
    display.end();
    expect(text.trimEnd().split('\n')).toEqual([
      '[1/6] fixed, seed 2: computing features of 32 examples',
      '[1/6] fixed, seed 2: 2,570 trainable parameters',
      ...[1, 2, 4, 6, 8, 10].map((at) => `[1/6] fixed, seed 2: step ${at}/10, loss 0.5000, 80 examples/s`),
      '[1/6] fixed, seed 2: step 10, accuracy 75.00',
      '[1/6] fixed, seed 2: the cache is full',
      '[1/6] fixed, seed 2: accuracy 75.00 (best 80.00) after 3.2 s',
    ]);
  });

  it('counts runs', () => {
    let text = '';
    const display = new PlainDisplay({ write: (part: string) => (text += part) });
    display.begin({ metric: 'accuracy', runs: 2 });
    display.show({ ...run, type: 'finished', final: 1, best: 1, seconds: 1 });
    display.show({ ...run, seed: 3, type: 'finished', final: 1, best: 1, seconds: 1 });
    expect(text).toContain('[2/2] fixed, seed 3');
  });
});

describe('PlainDisplay of a long step', () => {
  it('says once a minute that work goes on, where nothing else is said', () => {
    jest.useFakeTimers();
    try {
      let text = '';
      const display = new PlainDisplay({ write: (part: string) => (text += part) });
      display.begin({ metric: 'accuracy', runs: 1 });
      jest.advanceTimersByTime(30_000);
      display.show(step(1));
      jest.advanceTimersByTime(30_000);
      expect(text).not.toContain('still');
      jest.advanceTimersByTime(120_000);
      display.end();
      jest.advanceTimersByTime(600_000);
      const line = '[1/1] fixed, seed 2: step 1/10 is done: still at work';
      expect(text.split('\n').filter((written) => written === line)).toHaveLength(2);
    } finally {
      jest.useRealTimers();
    }
  });
});

describe('PlainDisplay of a run that goes on', () => {
  it('says where', () => {
    let text = '';
    const display = new PlainDisplay({ write: (part: string) => (text += part) });
    display.begin({ metric: 'accuracy', runs: 1 });
    const started = { ...run, trainExamples: 1, validationExamples: 1, trainableParameters: 5 };
    display.show({ ...started, type: 'started', steps: 10, resumedFrom: 4 });
    display.note('as it is');
    display.end();
    expect(text).toContain('fixed, seed 2: goes on after step 4/10\nas it is\n');
  });
});

describe('TerminalDisplay', () => {
  it('draws a bar and leaves one line for a finished run', () => {
    let text = '';
    const stream = {
      isTTY: true,
      columns: 120,
      write: (part: string) => (text += part) !== '',
      cursorTo: () => true,
      clearLine: () => true,
      on: () => undefined,
    };
    const display = new TerminalDisplay(stream as unknown as NodeJS.WriteStream);
    display.begin({ metric: 'accuracy', runs: 6 });
    for (const event of events) display.show(event);
    display.end();
    expect(text).toContain('[1/6] fixed, seed 2');
    expect(text).toContain('0/10');
    const lines = text.split('\n').filter((line) => line.includes('after'));
    expect(lines).toHaveLength(1);
    expect(text.endsWith('[1/6] fixed, seed 2: accuracy 75.00 (best 80.00) after 3.2 s\n')).toBe(true);
  });

  it('draws the bar again under what is said in between', () => {
    let text = '';
    const stream = {
      isTTY: true,
      columns: 120,
      write: (part: string) => (text += part) !== '',
      cursorTo: () => true,
      clearLine: () => true,
      on: () => undefined,
    };
    const display = new TerminalDisplay(stream as unknown as NodeJS.WriteStream);
    display.begin({ metric: 'accuracy', runs: 1 });
    for (const event of events.slice(2, 6)) display.show(event);
    display.note('a warning of native code');
    const after = text.split('a warning of native code\n')[1] ?? '';
    expect(after).toContain('3/10');
    expect(after).toContain('loss 0.500');
    // The clock goes on as well.
    const times = after.match(/\d:\d\d, \S+ left/g) ?? [];
    expect(times).not.toHaveLength(0);
    expect(times.filter((time) => time.endsWith('– left'))).toEqual([]);
    display.end();
  });

  it('leaves the terminal as it was where the process exits in the middle', () => {
    const built = new URL('../../dist/display/terminal-display.js', import.meta.url).href;
    const script = `
      import { TerminalDisplay } from ${JSON.stringify(built)};
      Object.assign(process.stdout, { isTTY: true, columns: 120, cursorTo: () => true, clearLine: () => true });
      const display = new TerminalDisplay(process.stdout);
      display.begin({ metric: 'accuracy', runs: 1 });
      for (const event of ${JSON.stringify(events.slice(2, 6))}) display.show(event);
      process.exit(130);`;
    const { status, stdout } = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
      encoding: 'utf8',
    });
    expect(status).toBe(130);
    // DECTCEM and DECAWM, of xterm's control sequences: the cursor is shown, and lines are wrapped.
    for (const mode of ['?25', '?7']) {
      expect(stdout).toContain(`\x1B[${mode}l`);
      expect(stdout.lastIndexOf(`\x1B[${mode}h`)).toBeGreaterThan(stdout.lastIndexOf(`\x1B[${mode}l`));
    }
  });
});
