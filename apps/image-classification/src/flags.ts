import { type Command, Option } from 'commander';

import { augmentationNames } from './augmentation.js';
import { metricNames } from './options.js';

/** What `--evaluation` is where it is not given. */
export const evaluationFallback = 'validation; test for openmoji, whose other pictures mini-clip has seen';

/** Adds how training pictures are changed. */
export function addAugmentation(command: Command): Command {
  return command.addOption(
    new Option('--augment <way>', 'changes training pictures at random; colour: crop-flip, and colours too')
      .choices(augmentationNames)
      .default('none'),
  );
}

/** Adds the score. */
export function addMetric(command: Command): Command {
  return command.addOption(
    new Option('--metric <name>', 'score that is compared').choices(metricNames).default('accuracy'),
  );
}

/** Adds what happens to bad pictures; `what` describes it. */
export function addBadSamples(command: Command, what: string): Command {
  return command.addOption(
    new Option('--on-bad-sample <policy>', what).choices(['fail', 'skip']).default('fail'),
  );
}
