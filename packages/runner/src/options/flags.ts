import { type Command, Option } from 'commander';

import { optimiserDefaults, optimiserKinds } from '@dynaprompt/training';

import { defaultDataSeed, defaultSlots, type HeadKind, nanPolicies } from './comparison.js';
import {
  parseClipNorm,
  parseCount,
  parseDecay,
  parseIndex,
  parseList,
  parseRate,
  parseSampling,
  parseSeeds,
  parseWarmUp,
} from './values.js';

/** Adds `--task` and `--task-sampling`; `data` describes `--data`, which stands between them. */
export function addTasks(command: Command, task: string, data: string): Command {
  return command
    .requiredOption('--task <names>', task, parseList)
    .option('--data <folders>', data)
    .addOption(
      new Option(
        '--task-sampling <way>',
        'which of several tasks a step is: proportional, equal, temperature',
      )
        .argParser(parseSampling)
        .default({ kind: 'proportional' }, 'proportional'),
    );
}

/** Adds the frozen model. */
export function addBackbone(command: Command, backbone: string): Command {
  return command.option(
    '--backbone <folder-or-id>',
    'frozen model: folder, Hugging Face id, or bundled name',
    backbone,
  );
}

/** Adds methods and seeds, steps, and how many examples there are of what. */
export function addBudget(command: Command): Command {
  command
    .addOption(
      new Option('--methods <names>', 'methods with commas between them')
        .argParser(parseList)
        .default(['frozen', 'fixed', 'dynamic'], 'frozen,fixed,dynamic'),
    )
    .addOption(
      new Option('--seeds <numbers>', 'seeds with commas between them')
        .argParser(parseSeeds)
        .default([1, 2, 3], '1,2,3'),
    )
    .option('--steps <count>', 'optimiser steps of each run', parseCount, 300)
    .option('--batch <count>', 'examples of one pass', parseCount, 16)
    .option('--accumulation <count>', 'passes of one optimiser step', parseCount, 1)
    .option(
      '--evaluate-every <count>',
      'steps between evaluations (default: a fifth of the steps)',
      parseCount,
    )
    .option('--limit <count>', 'most training examples', parseCount)
    .option('--validation-limit <count>', 'most validation examples', parseCount);
  return addDataSeed(addShots(command));
}

/** Adds how many examples of each class train. */
export function addShots(command: Command): Command {
  return command.option('--shots <count>', 'few-shot: so many examples of each class, 1 to 32', parseCount);
}

/** Adds what draws the examples that are kept. */
export function addDataSeed(command: Command): Command {
  return command.option(
    '--data-seed <number>',
    'draws the examples that are kept, for all seeds alike',
    parseIndex,
    defaultDataSeed,
  );
}

/** Adds the split that scores are taken on; `fallback` says what it is where none is named. */
export function addEvaluation(command: Command, fallback?: string): Command {
  const ending = fallback === undefined ? '' : ` (default: ${fallback})`;
  const option = new Option('--evaluation <split>', `split that scores are taken on${ending}`);
  option.choices(['validation', 'test']);
  return command.addOption(fallback === undefined ? option.default('validation') : option);
}

/** Adds the most tokens of a prompt; `fallback` says what it is where none is given, else it is {@link defaultSlots}. */
export function addSlots(command: Command, fallback?: string): Command {
  const text = 'most tokens of a prompt';
  if (fallback === undefined) return command.option('--slots <count>', text, parseCount, defaultSlots);
  return command.option('--slots <count>', `${text} (default: ${fallback})`, parseCount);
}

/** Adds which file of the frozen model is opened; `types` as the files are called. */
export function addDtype(command: Command, types: readonly string[]): Command {
  return command.addOption(
    new Option('--dtype <type>', "element type of the backbone's weights: which of its files is opened")
      .choices(types)
      .default('fp32'),
  );
}

/** Adds what happens to examples that cannot be used; `what` describes it. */
export function addBadSamples(command: Command, what: string): Command {
  return command.addOption(
    new Option('--on-bad-sample <policy>', what).choices(['fail', 'skip']).default('fail'),
  );
}

/** Adds how classes are read off, and the arithmetic of the model. */
export function addHead(command: Command, heads: readonly HeadKind[]): Command {
  return addCompute(
    command.addOption(
      new Option('--head <kind>', 'how classes are read off').choices(heads).default('linear'),
    ),
  );
}

/** Adds the arithmetic of the model. */
export function addCompute(command: Command): Command {
  return command.addOption(
    new Option(
      '--compute <arithmetic>',
      "of the backbone's large products: int8 is faster, its gradient nearly exact",
    )
      .choices(['float32', 'int8'])
      .default('float32'),
  );
}

/** Adds where results go; `folder` is the default in words. */
export function addOutput(command: Command, folder: string): Command {
  return command
    .option('--output <folder>', `where results.json and report.html go (default: ${folder})`)
    .addOption(
      new Option('--json', 'results as one JSON document on stdout, progress on stderr').conflicts(
        'jsonEvents',
      ),
    )
    .option('--json-events', 'what happens as JSON objects on stdout, one a line, results last')
    .option('--force', 'write into a folder that holds other files, or over an interrupted run')
    .option('--resume', 'go on from the checkpoints in the output folder, where there are some')
    .option('--checkpoint-every <steps>', 'steps from one checkpoint to the next (default: 100)', parseCount)
    .option('--in-process', 'train in the process that shows how it goes, without one of its own');
}

/** Adds what ends a run before its last step. */
export function addStops(command: Command): Command {
  return command
    .addOption(
      new Option('--nan-policy <policy>', 'at a loss or gradient that is not finite: stop, or skip the step')
        .choices(nanPolicies)
        .default('stop'),
    )
    .option(
      '--early-stopping <evaluations>',
      'end a run after so many evaluations without a better score (default: never)',
      parseCount,
    )
    .option(
      '--minimum-gain <score>',
      'how much better that has to be, 0 to 1 (default: any bit)',
      parseDecay,
    );
}

/** Adds the optimiser and its learning rates. */
export function addOptimiser(command: Command): Command {
  const { prompt, networks, head, weights } = optimiserDefaults.adamw.learningRates;
  return command
    .addOption(
      new Option('--optimizer <name>', 'how gradients change parameters')
        .choices(optimiserKinds)
        .default('adamw'),
    )
    .option(
      '--learning-rate <rate>',
      `learning rate of prompt, networks and head (default for adamw: ${prompt}, ${networks} and ${head})`,
      parseRate,
    )
    .option(
      '--network-learning-rate <rate>',
      'learning rate of the networks of a dynamic prompt alone',
      parseRate,
    )
    .option('--head-learning-rate <rate>', 'learning rate of the head alone', parseRate)
    .option(
      '--weights-learning-rate <rate>',
      `learning rate of the model's weights in fine-tuning (default for adamw: ${weights})`,
      parseRate,
    )
    .addOption(
      new Option('--schedule <name>', 'course of the learning rates')
        .choices(['constant', 'linear', 'cosine'])
        .default('linear'),
    )
    .option(
      '--warm-up <share-or-steps>',
      'steps that climb to the full rates: a share below 1, or a number',
      parseWarmUp,
      0.05,
    )
    .option('--weight-decay <rate>', 'weight decay (default: 0.01 for adamw, 0 otherwise)', parseDecay)
    .option('--clip-norm <norm>', 'largest norm of a gradient, or none (default: 1)', parseClipNorm)
    .addOption(
      new Option(
        '--clip-scope <scope>',
        "whose norm: each tensor's own, or all together (default: tensor)",
      ).choices(['tensor', 'all']),
    );
}
