import { Command } from 'commander';
import { type CommandOutput, runCommand } from '../program/run.js';
import { createAdapter } from './create-adapter.js';

/** Where the command works and writes its lines. */
export interface NewAdapterScene extends CommandOutput {
  /** Folder of the workspace. */
  readonly root: string;
}

/**
 * Runs `new-adapter NAME --model FOLDER`.
 * @returns the exit code; 1 with one line that says why if nothing was made.
 */
export async function runNewAdapter(
  commandLine: readonly string[],
  { root, ...output }: NewAdapterScene,
): Promise<number> {
  const program = new Command('new-adapter')
    .description('Makes a package with an adapter for a model, and a test that it keeps the contract.')
    .argument('<name>', 'name of the package, below @dynaprompt/')
    .requiredOption('--model <folder>', 'backbone folder with the model that the adapter is for')
    .action(async (name: string, { model }: { model: string }) => {
      for (const line of await createAdapter({ root, name, model })) output.print(line);
    });
  return runCommand(program, commandLine, output);
}
