import { type Command, CommanderError, InvalidArgumentError } from 'commander';

/** Where a command writes its lines. */
export interface CommandOutput {
  readonly print: (line: string) => void;
  readonly complain: (line: string) => void;
}

/** What a process of its own writes to. */
export const ownOutput: CommandOutput = { print: console.log, complain: console.error };

/**
 * Runs a command on words, and ends nothing.
 * @returns the exit code: what an action has put into `process.exitCode` stays there; 1 with one line that says why if it threw.
 */
export async function runCommand(
  command: Command,
  words: readonly string[],
  { print, complain }: CommandOutput,
): Promise<number> {
  const output = {
    writeOut: (text: string) => {
      print(text.trimEnd());
    },
    writeErr: (text: string) => {
      complain(text.trimEnd());
    },
  };
  for (const one of [command, ...command.commands]) one.exitOverride().configureOutput(output);
  try {
    await command.parseAsync(words, { from: 'user' });
    return 0;
  } catch (error) {
    // Commander has written its own message by now.
    if (error instanceof CommanderError) return error.exitCode;
    complain(String(error));
    return 1;
  }
}

/** Runs a command as a process of its own. */
export async function runProgram(command: Command): Promise<void> {
  const code = await runCommand(command, process.argv.slice(2), ownOutput);
  if (code !== 0) process.exitCode = code;
}

/** Reads a whole number of `least` or more. */
export function wholeNumber(least = 0): (text: string) => number {
  return (text) => {
    const number = Number(text);
    if (/^\d+$/.test(text) && Number.isSafeInteger(number) && number >= least) return number;
    throw new InvalidArgumentError(`Give a whole number of ${least} or more.`);
  };
}
