import { inspectModel } from '@dynaprompt/backbone';
import { Command, CommanderError } from 'commander';
import { ADAPTERS } from './adapters.js';
import { describe, verdictOf } from './describe.js';

/** Where the command writes its lines. */
export interface InspectOutput {
  readonly print: (line: string) => void;
  readonly complain: (line: string) => void;
}

/**
 * Runs `inspect-model MODEL [--json]`.
 * @returns the exit code: 0 for every model that could be read, tunable or not; 1 with one line that says why for others.
 */
export async function runInspectModel(
  commandLine: readonly string[],
  { print, complain }: InspectOutput,
): Promise<number> {
  const program = new Command('inspect-model')
    .description('Says what an ONNX file is, and whether and how prompts can be tuned on it.')
    .argument('<model>', 'ONNX file, or a folder with onnx/model.onnx')
    .option('--json', 'print JSON')
    .exitOverride()
    .configureOutput({
      writeOut: (text) => {
        print(text.trimEnd());
      },
      writeErr: (text) => {
        complain(text.trimEnd());
      },
    })
    .action((model: string, { json = false }: { json?: boolean }) => {
      const inspection = inspectModel(model, ADAPTERS);
      if (json) print(JSON.stringify({ ...inspection, verdict: verdictOf(inspection) }, undefined, 2));
      else for (const line of describe(inspection)) print(line);
    });
  try {
    await program.parseAsync(commandLine, { from: 'user' });
    return 0;
  } catch (error) {
    // Commander has written its own message by now.
    if (error instanceof CommanderError) return error.exitCode;
    complain(String(error));
    return 1;
  }
}
