import { Command } from 'commander';
import { type CommandOutput, runCommand } from '../program/run.js';
import { checkCase, GRADIENT_TOLERANCE, type GradientCheck } from './check.js';

/**
 * Runs `gradcheck FOLDER... [--json]`.
 * @returns the exit code: 0 if all cases are within tolerance; 1 if one is not, or cannot be checked, which one line says.
 */
export async function runGradcheck(commandLine: readonly string[], output: CommandOutput): Promise<number> {
  const { print } = output;
  const checks: GradientCheck[] = [];
  let options: { readonly json?: boolean } = {};
  const program = new Command('gradcheck')
    .description(
      'Compares loss, logits and prompt gradient of ONNX models with references from another framework.',
    )
    .argument('<folders...>', 'case folders, each with model.onnx and case.safetensors')
    .option('--json', 'print one JSON document')
    .action(async (folders: string[], given: { readonly json?: boolean }) => {
      options = given;
      for (const folder of folders) {
        const check = await checkCase(folder);
        checks.push(check);
        if (given.json !== true) print(describe(check));
      }
    });
  const code = await runCommand(program, commandLine, output);
  if (code !== 0 || checks.length === 0) return code;
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
