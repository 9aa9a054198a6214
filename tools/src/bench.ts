import { join } from 'node:path';
import { Command, Option } from 'commander';
import { miniBert } from '@dynaprompt/mini-models';
import { EXECUTION_PROVIDERS } from '@dynaprompt/onnx-autodiff';
import { benchClip } from './bench/clip.js';
import { benchDynamic } from './bench/dynamic.js';
import { benchEngine, type EngineOptions } from './bench/engine.js';
import { PEER_FAMILIES, peerFamilyOf, type PeerFamily } from './bench/peer.js';
import { benchShared } from './bench/shared.js';
import { benchTrainingMemory, type MemorySample } from './bench/training-memory.js';
import { benchTraining } from './bench/training.js';
import { benchVision } from './bench/vision.js';
import { runProgram, wholeNumber } from './program/run.js';

/** What `engine` is given: the objective may be left to the other options, and the peer to the model. */
type EngineFlags = Omit<EngineOptions, 'peer' | 'objective'> &
  Partial<Pick<EngineOptions, 'objective'>> & {
    readonly shared?: boolean;
    readonly peer?: true | PeerFamily;
  };

interface TrainingFlags {
  readonly steps?: number;
  readonly batch?: readonly number[];
  readonly slots: number;
  readonly tokens?: number;
  readonly examples: number;
  readonly memory?: true;
  readonly every: number;
}

const count = wholeNumber(1);
const program = new Command('bench').description(
  'Measures the engine and prints JSON. Leave the machine alone meanwhile.',
);

program
  .command('engine')
  .description('forward against forward + backward of one ONNX file')
  .option('--model <file>', 'ONNX file', join(miniBert, 'onnx', 'model.onnx'))
  .option('--batch <count>', 'examples', count, 8)
  .option('--sequence <count>', 'tokens of an example', count, 64)
  .option('--prompt <count>', 'prompt tokens', count, 20)
  .option('--rounds <count>', 'measured runs', count, 12)
  .option('--threads <count>', 'threads within an operator', count)
  .addOption(
    new Option(
      '--objective <kind>',
      "the model's own logits (default with --peer), or two classes on the mean of the last hidden state (default)",
    ).choices(['own', 'pooled']),
  )
  .addOption(
    new Option(
      '--peer [family]',
      'runs the same architecture in PyTorch too; the model has to be its export (default: told by its inputs)',
    ).choices(PEER_FAMILIES),
  )
  .option('--isolated', 'runs the sessions in processes of their own')
  .addOption(
    new Option('--compute <arithmetic>', 'of large products, forward and backward')
      .choices(['fp32', 'int8'])
      .default('fp32'),
  )
  .addOption(
    new Option('--provider <name>', "onnxruntime's execution provider; the cpu where it does not work")
      .choices(EXECUTION_PROVIDERS)
      .default('cpu'),
  )
  .addOption(
    new Option(
      '--shared',
      'instead of times, memory of a training and an inference session of the model together',
    ).conflicts('peer'),
  )
  .option('--json', 'accepted for symmetry: the output is always JSON')
  .action(async ({ shared, peer, ...flags }: EngineFlags) => {
    const objective = flags.objective ?? (peer === undefined ? 'pooled' : 'own');
    const options = { ...flags, objective };
    if (shared === true) print(await benchShared(options));
    else if (peer === undefined) print(await benchEngine(options));
    else print(await benchEngine({ ...options, peer: peer === true ? peerFamilyOf(options.model) : peer }));
  });

program
  .command('dynamic')
  .description('training step of a dynamic prompt against one of a fixed prompt')
  .addOption(
    new Option('--backbone <folder>', 'backbone folder (default: the bundled mini-bert)').conflicts('model'),
  )
  .option('--model <file>', "ONNX file of a BERT encoder without a folder's other files")
  .option('--batch <count>', 'examples', count, 8)
  .option('--tokens <count>', 'tokens of an example, prompt not counted', count, 64)
  .option('--slots <count>', 'prompt slots', count, 20)
  .option('--rounds <count>', 'measured runs', count, 12)
  .addOption(
    new Option('--compute <arithmetic>', "of the backbone's large products")
      .choices(['fp32', 'int8'])
      .default('fp32'),
  )
  .option('--factors', 'times position, length and pool each by itself too')
  .option('--reference', "takes the published implementation's step in PyTorch too; for BERT-base")
  .option('--json', 'accepted for symmetry: the output is always JSON')
  .action(async (options: Parameters<typeof benchDynamic>[0]) => {
    print(await benchDynamic(options));
  });

program
  .command('training')
  .description('where the time of training steps goes, bundled backbone and task')
  .option('--steps <count>', 'optimiser steps (default: 100, with --memory 10000)', count)
  .option(
    '--batch <counts>',
    'examples of a step, several with commas (default: 16,32, with --memory 2)',
    counts,
  )
  .option('--slots <count>', 'prompt slots', count, 10)
  .option('--tokens <count>', 'most tokens of a text (default: 32, with --memory 8)', count)
  .option('--examples <count>', 'training examples', count, 512)
  .option('--memory', 'instead of times, memory over a long run of a dynamic prompt')
  .option('--every <count>', 'steps between two readings of memory', count, 500)
  .option('--json', 'accepted for symmetry: the output is always JSON')
  .action(async ({ memory, steps, batch, slots, tokens, examples, every }: TrainingFlags) => {
    if (memory !== true) {
      const options = {
        steps: steps ?? 100,
        batches: batch ?? [16, 32],
        slots,
        tokens: tokens ?? 32,
        examples,
      };
      print(await benchTraining(options));
      return;
    }
    const options = {
      steps: steps ?? 10_000,
      every,
      batch: batch?.[0] ?? 2,
      slots,
      tokens: tokens ?? 8,
      examples,
    };
    const tell = (sample: MemorySample): void => {
      console.error(JSON.stringify(sample));
    };
    print(await benchTrainingMemory(options, tell));
  });

function counts(value: string): readonly number[] {
  return value.split(',').map(count);
}

program
  .command('vision')
  .description('training step on pictures that are decoded meanwhile against the bare step')
  .requiredOption('--model <file>', 'ONNX file of a ViT for 224 × 224 pixels')
  .option('--batch <count>', 'examples', count, 8)
  .option('--slots <count>', 'prompt slots', count, 20)
  .option('--rounds <count>', 'measured runs', count, 8)
  .option('--json', 'accepted for symmetry: the output is always JSON')
  .action(async (options: Parameters<typeof benchVision>[0]) => {
    print(await benchVision(options));
  });

program
  .command('clip')
  .description(
    'training step of a prompt that depends on the image (CoCoOp) against one that does not (CoOp)',
  )
  .option('--backbone <folder>', 'folder or hub id of a dual encoder (default: the bundled mini-clip)')
  .option('--batch <count>', 'examples', count, 8)
  .option('--classes <count>', 'class names', count, 10)
  .option('--slots <count>', 'prompt slots', count, 4)
  .option('--rounds <count>', 'measured runs', count, 8)
  .option('--json', 'accepted for symmetry: the output is always JSON')
  .action(async (options: Parameters<typeof benchClip>[0]) => {
    print(await benchClip(options));
  });

function print(result: unknown): void {
  console.log(JSON.stringify(result, undefined, 2));
}

await runProgram(program);
