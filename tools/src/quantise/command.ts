import { writeFileSync } from 'node:fs';
import { Command, InvalidArgumentError, Option } from 'commander';
import { type CommandOutput, runCommand } from '../program/run.js';
import { readSafetensors } from '../gradcheck/safetensors.js';
import { FORMS, quantise, type Form } from './forms.js';

interface Flags {
  readonly form: Form;
  readonly blockSize?: number;
  readonly zeroPoints?: boolean;
  readonly tables?: boolean;
  readonly dequantised?: boolean;
  readonly calibrate?: string;
}

/**
 * Runs `quantise MODEL OUT --form FORM`: rewrites a float32 model in a form of reduced precision.
 * @returns the exit code; 1 with one line that says why if there is no file.
 */
export async function runQuantise(commandLine: readonly string[], output: CommandOutput): Promise<number> {
  const { print } = output;
  const program = new Command('quantise')
    .description(
      'Rewrites a float32 ONNX model in a form of reduced precision, as published exports have it.',
    )
    .argument('<model>', 'ONNX file in float32')
    .argument('<out>', 'file to write')
    .addOption(new Option('--form <form>', 'form to write').choices(FORMS).makeOptionMandatory())
    .option('--block-size <count>', 'weights in a block of q4 and q4f16', blockSize)
    .option('--zero-points', 'blocks of q4 and q4f16 with zero points')
    .option('--tables', 'embedding tables of q4 and q4f16 in blocks too')
    .option('--calibrate <file>', 'safetensors file with inputs of the model, on which qdq measures ranges')
    .option('--dequantised', 'write float32 weights with the rounded values instead')
    .action(async (model: string, out: string, flags: Flags) => {
      const bytes = await quantise(model, flags.form, optionsOf(flags));
      writeFileSync(out, bytes);
      print(`${out}: ${flags.form}, ${(bytes.length / 1e6).toFixed(1)} MB`);
    });
  return runCommand(program, commandLine, output);
}

function optionsOf(flags: Flags): Parameters<typeof quantise>[2] {
  const { form, calibrate, zeroPoints = false, tables = false, dequantised = false } = flags;
  if (form === 'qdq' && calibrate === undefined)
    throw new Error('qdq needs inputs to measure ranges on: give --calibrate with a case.safetensors.');
  return {
    symmetric: !zeroPoints,
    tables,
    dequantised,
    ...(flags.blockSize === undefined ? {} : { blockSize: flags.blockSize }),
    ...(calibrate === undefined
      ? {}
      : { calibration: [Object.fromEntries(readSafetensors(calibrate).tensors)] }),
  };
}

function blockSize(value: string): number {
  const size = Number(value);
  if (![16, 32, 64, 128, 256].includes(size)) throw new InvalidArgumentError('Give 16, 32, 64, 128 or 256.');
  return size;
}
