import { CommanderError } from 'commander';

import type { Interruption } from './interruption.js';
import { StoppedError } from './stopped.js';

/** Name that errors of this product answer to; onnx-autodiff has a base class of its own. */
interface Described {
  readonly problem: string;
  readonly remedy: string;
}

/** One line that says what went wrong and what to do. */
export function messageOf(program: string, error: unknown, signal: AbortSignal): string {
  if (signal.aborted && !(error instanceof StoppedError))
    return `${program}: stopped; nothing was written. Start again to finish.`;
  const text = error instanceof Error ? error.message : String(error);
  const line = text.trim().replace(/\s*\n\s*/g, ' ');
  if (isDescribed(error)) return line;
  return `${program}: unexpected error: ${line}. Set DEBUG=dynaprompt to see where it comes from, and please report it.`;
}

/** Exit status of the process. */
export function exitCodeOf(error: unknown, interruption: Pick<Interruption, 'exitCode'>): number {
  if (interruption.exitCode !== undefined) return interruption.exitCode;
  return error instanceof CommanderError ? error.exitCode : 1;
}

/** Whether `DEBUG` names this product: errors then show where they come from. */
export function wantsStack({ DEBUG = '' }: NodeJS.ProcessEnv): boolean {
  return DEBUG.split(',').includes('dynaprompt');
}

function isDescribed(error: unknown): error is Error & Described {
  return error instanceof Error && 'problem' in error && 'remedy' in error;
}
