import { Command, CommanderError } from 'commander';
import { createAdapter } from './create-adapter.js';

/** Where the command works and writes its lines. */
export interface NewAdapterScene {
  /** Folder of the workspace. */
  readonly root: string;
  readonly print: (line: string) => void;
  readonly complain: (line: string) => void;
}

/**
 * Runs `new-adapter NAME --model FOLDER`.
 * @returns the exit code; 1 with one line that says why if nothing was made.
 */
export async function runNewAdapter(
  commandLine: readonly string[],
  { root, print, complain }: NewAdapterScene,
): Promise<number> {
  const program = new Command('new-adapter')
    .description('Makes a package with an adapter for a model, and a test that it keeps the contract.')
    .argument('<name>', 'name of the package, below @dynaprompt/')
    .requiredOption('--model <folder>', 'backbone folder with the model that the adapter is for')
    .exitOverride()
    .configureOutput({
      writeOut: (text) => {
        print(text.trimEnd());
      },
      writeErr: (text) => {
        complain(text.trimEnd());
      },
    })
    .action(async (name: string, { model }: { model: string }) => {
      for (const line of await createAdapter({ root, name, model })) print(line);
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
