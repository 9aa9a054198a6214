import { inspectModel } from '@dynaprompt/backbone';
import { Command } from 'commander';
import { type CommandOutput, runCommand } from '../program/run.js';
import { ADAPTERS } from './adapters.js';
import { describe, verdictOf } from './describe.js';

/**
 * Runs `inspect-model MODEL [--json]`.
 * @returns the exit code: 0 for every model that could be read, tunable or not; 1 with one line that says why for others.
 */
export async function runInspectModel(
  commandLine: readonly string[],
  output: CommandOutput,
): Promise<number> {
  const { print } = output;
  const program = new Command('inspect-model')
    .description('Says what an ONNX file is, and whether and how prompts can be tuned on it.')
    .argument('<model>', 'ONNX file, or a folder with onnx/model.onnx')
    .option('--json', 'print JSON')
    .action((model: string, { json = false }: { json?: boolean }) => {
      const inspection = inspectModel(model, ADAPTERS);
      if (json) print(JSON.stringify({ ...inspection, verdict: verdictOf(inspection) }, undefined, 2));
      else for (const line of describe(inspection)) print(line);
    });
  return runCommand(program, commandLine, output);
}
