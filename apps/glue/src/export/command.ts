import { type Command, Option } from 'commander';

import { adapterOptionsOf, type AdapterFlags, addAdapterFlags, parseCount } from '@dynaprompt/runner';

import { type ExportTunedOptions, weightPlacements } from './run-export.js';

interface ExportFlags extends AdapterFlags, Pick<ExportTunedOptions, 'weights' | 'task'> {
  readonly maxLength?: number;
  readonly reportChoices?: boolean;
}

/** Adds `export` to a command line. */
export function addExport(
  program: Command,
  exportTuned: (options: ExportTunedOptions) => Promise<void>,
): void {
  const command = program
    .command('export')
    .description(
      'write a saved adapter and its encoder as one ordinary ONNX folder, which transformers.js runs',
    )
    .argument('<adapter>', 'folder that run saved, such as results/sst2/adapters/dynamic-seed1')
    .argument('<folder>', 'new or empty folder');
  addAdapterFlags(command)
    .option('--max-length <count>', 'most tokens of a text (default: as in training)', parseCount)
    .addOption(
      new Option(
        '--weights <placement>',
        'copy the weights of the frozen model, link them (same file system), or put them into model.onnx',
      )
        .choices(weightPlacements)
        .default('copy'),
    )
    .option('--report-choices', 'also give out where the prompt went and how long it was')
    .option('--task <name>', 'which one, of several tasks that were trained together')
    .action((adapter: string, folder: string, flags: ExportFlags) => {
      const { maxLength, weights, reportChoices = false, task } = flags;
      return exportTuned({
        ...adapterOptionsOf(adapter, flags),
        maxLength,
        target: folder,
        weights,
        reportChoices,
        task,
      });
    });
}
