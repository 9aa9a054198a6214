import { Command } from 'commander';
import { checkCase, GRADIENT_TOLERANCE, type GradientCheck } from './gradcheck/check.js';

const program = new Command('gradcheck')
  .description(
    'Compares loss, logits and prompt gradient of ONNX models with references from another framework.',
  )
  .argument('<folders...>', 'case folders, each with model.onnx and case.safetensors')
  .option('--json', 'print one JSON document')
  .action(async (folders: string[], options: { json?: boolean }) => {
    const checks: GradientCheck[] = [];
    for (const folder of folders) {
      const check = await checkCase(folder);
      checks.push(check);
      if (!options.json) console.log(describe(check));
    }
    if (options.json) console.log(JSON.stringify(checks.length === 1 ? checks[0] : checks, undefined, 2));
    const failed = checks.filter((check) => !check.passed).length;
    if (!options.json) console.log(`${checks.length - failed} within tolerance, ${failed} outside`);
    if (failed > 0) process.exitCode = 1;
  });

function describe(check: GradientCheck): string {
  const verdict = check.passed ? 'ok  ' : 'FAIL';
  const gradient = `gradient relative L2 ${check.gradientError.toExponential(2)} (below ${GRADIENT_TOLERANCE.toExponential()})`;
  const loss = `loss ${check.loss.toFixed(6)} (error ${check.lossError.toExponential(1)})`;
  return `${verdict} ${check.case}\n     ${loss}, logits error ${check.logitsError.toExponential(1)}, ${gradient}`;
}

try {
  await program.parseAsync();
} catch (error) {
  console.error(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
}
