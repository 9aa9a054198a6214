import { DynaPromptError } from '@dynaprompt/core';

import { packageName } from '../package-name.js';

/** How a process ended. */
export interface Ending {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** The last of what it wrote on stderr. */
  readonly words: string;
}

/** A child process that ended in the middle of its task. */
export class TaskCrashedError extends DynaPromptError {
  constructor(
    readonly ending: Ending,
    /** What it was at, such as `fixed, seed 1, step 3/10`. */
    place: string,
    remedy: string,
  ) {
    const { problem, advice } = causeOf(ending);
    super({
      packageName,
      subject: place,
      problem,
      remedy: advice === undefined ? remedy : `${remedy}. ${advice}`,
    });
  }
}

/** Signals that the system sends for a fault in native code. */
const faults: Partial<Record<NodeJS.Signals, string>> = {
  SIGSEGV: 'a memory access violation (SIGSEGV)',
  SIGBUS: 'a bus error (SIGBUS)',
  SIGILL: 'an instruction that this processor does not have (SIGILL)',
  SIGFPE: 'an arithmetic fault (SIGFPE)',
  SIGABRT: 'a failed check in native code (SIGABRT)',
};

/** Why a process ended, and what may help against that. */
export function causeOf({ code, signal, words }: Ending): {
  readonly problem: string;
  readonly advice?: string;
} {
  if (/heap out of memory|Reached heap limit/.test(words)) {
    return {
      problem: "its process ran out of JavaScript's memory",
      advice: 'Raise the limit with NODE_OPTIONS=--max-old-space-size=MEGABYTES, or lower --limit',
    };
  }
  if (/std::bad_alloc|Failed to allocate|Cannot allocate memory/.test(words)) {
    return { problem: 'its process ran out of memory', advice: 'A smaller --batch needs less' };
  }
  if (signal === 'SIGKILL') {
    return {
      problem: 'its process was ended by SIGKILL, from outside or by the system for lack of memory',
      advice: 'Where memory was short, a smaller --batch needs less',
    };
  }
  const said = lastLine(words);
  const ending = said === '' ? '' : `: ${said}`;
  if (signal === null) return { problem: `its process ended with exit code ${code ?? 'unknown'}${ending}` };
  const fault = faults[signal];
  if (fault === undefined) return { problem: `its process was ended by ${signal}` };
  return { problem: `its process crashed by ${fault}${ending}` };
}

/** The last line that says something: no place in code, not what Node signs with. */
function lastLine(words: string): string {
  const lines = words.split('\n').filter((line) => !/^\s+at |^Node\.js v|^\s*[{}]?\s*$/.test(line));
  return lines.at(-1)?.trim().slice(0, 300) ?? '';
}
