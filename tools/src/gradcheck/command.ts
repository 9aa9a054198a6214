import { Command, CommanderError } from 'commander';
import { checkCase, GRADIENT_TOLERANCE, type GradientCheck } from './check.js';

/** Where the command writes its lines. */
export interface GradcheckOutput {
  readonly print: (line: string) => void;
  readonly complain: (line: string) => void;
}

/**
 * Runs `gradcheck FOLDER... [--json]`.
 * @returns the exit code: 0 if all cases are within tolerance; 1 if one is not, or cannot be checked, which one line says.
 */
export async function runGradcheck(
  commandLine: readonly string[],
  { print, complain }: GradcheckOutput,
): Promise<number> {
  const checks: GradientCheck[] = [];
  let options: { readonly json?: boolean } = {};
  const program = new Command('gradcheck')
    .description(
      'Compares loss, logits and prompt gradient of ONNX models with references from another framework.',
    )
    .argument('<folders...>', 'case folders, each with model.onnx and case.safetensors')
    .option('--json', 'print one JSON document')
    .exitOverride()
    .configureOutput({
      writeOut: (text) => {
        print(text.trimEnd());
      },
      writeErr: (text) => {
        complain(text.trimEnd());
      },
    })
    .action(async (folders: string[], given: { readonly json?: boolean }) => {
      options = given;
      for (const folder of folders) {
        const check = await checkCase(folder);
        checks.push(check);
        if (given.json !== true) print(describe(check));
      }
    });
  try {
    await program.parseAsync(commandLine, { from: 'user' });
  } catch (error) {
    // Commander has written its own message by now.
    if (error instanceof CommanderError) return error.exitCode;
    complain(error instanceof Error ? error.message : String(error));
    return 1;
  }
  const failed = checks.filter((check) => !check.passed).length;
  if (options.json === true) print(JSON.stringify(checks.length === 1 ? checks[0] : checks, undefined, 2));
  else print(`${checks.length - failed} within tolerance, ${failed} outside`);
  return failed > 0 ? 1 : 0;
}

function describe(check: GradientCheck): string {
  const verdict = check.passed ? 'ok  ' : 'FAIL';
  const gradient = `gradient relative L2 ${check.gradientError.toExponential(2)} (below ${GRADIENT_TOLERANCE.toExponential()})`;
  const loss = `loss ${check.loss.toFixed(6)} (error ${check.lossError.toExponential(1)})`;
  return `${verdict} ${check.case}\n     ${loss}, logits error ${check.logitsError.toExponential(1)}, ${gradient}`;
}
