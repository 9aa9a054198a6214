import type { ComparisonMessage, ComparisonOutcome } from '../comparison/perform.js';
import type { OutputOptions } from '../options/comparison.js';
import type { Display } from './display.js';
import { JsonEvents } from './json-events.js';
import { PlainDisplay } from './plain-display.js';
import { TerminalDisplay } from './terminal-display.js';

/** Where a comparison is followed from its first to its last word. */
export interface Screen {
  /** The runs take place in a process of their own. */
  readonly started: (pid: number) => void;
  readonly told: (message: ComparisonMessage) => void;
  /** A line that native code or Node wrote. */
  readonly wrote: (line: string) => void;
  /** `text` is for people. */
  finish(outcome: ComparisonOutcome, text: string): void;
  /** Tells programs of a failure, which whoever catches it tells people; returns it. */
  fail(error: unknown): unknown;
  /** Leaves the terminal as it was. */
  end(): void;
}

/** The screen that the options ask for; when the signal is raised, it says so. */
export function openScreen(options: Pick<OutputOptions, 'json' | 'jsonEvents'>, signal: AbortSignal): Screen {
  const screen = options.jsonEvents === true ? jsonScreen() : peopleScreen(options.json);
  const stopping = (): void => {
    screen.wrote('stopping after the step at hand; Ctrl-C again ends at once');
  };
  signal.addEventListener('abort', stopping, { once: true });
  return {
    ...screen,
    end() {
      signal.removeEventListener('abort', stopping);
      screen.end();
    },
  };
}

/** With `json`, results alone go to stdout, and people read on stderr. */
function peopleScreen(json: boolean): Screen {
  const people = json ? process.stderr : process.stdout;
  const display: Display = people.isTTY ? new TerminalDisplay(people) : new PlainDisplay(people);
  return {
    started: () => undefined,
    told: (message) => {
      if (message.type === 'event') display.show(message.event);
      else {
        people.write(`${message.scene.introduction}\n\n`);
        display.begin(message.scene);
      }
    },
    wrote: (line) => {
      display.note(line);
    },
    finish: ({ results }, text) => {
      display.end();
      people.write(text);
      if (json) process.stdout.write(`${JSON.stringify(results, null, 2)}\n`);
    },
    fail: (error) => error,
    end: () => {
      display.end();
    },
  };
}

function jsonScreen(): Screen {
  const events = new JsonEvents(process.stdout);
  return {
    started: (pid) => {
      events.write({ type: 'process', pid });
    },
    told: (message) => {
      if (message.type === 'event') events.write({ ...message.event });
      else {
        const { metric, runs, backbone, networks, tasks } = message.scene;
        events.write({ type: 'opened', metric, runs, backbone, networks, tasks });
      }
    },
    wrote: (message) => {
      events.write({ type: 'message', message });
    },
    finish: ({ results, written, adapters = null }) => {
      const final = Object.entries(results.methods).map(([name, method]) => [name, method.final] as const);
      events.write({ type: 'written', ...written, adapters, final: Object.fromEntries(final) });
    },
    fail: (error) => {
      events.write({ type: 'failed', message: error instanceof Error ? error.message : String(error) });
      return error;
    },
    end: () => {
      events.end();
    },
  };
}
