import { type Command, Option } from 'commander';

import { augmentationNames } from './augmentation.js';
import { splitNames } from './data/load-data.js';
import { emojiClasses } from './data/tasks.js';
import { metricNames } from './options.js';

/** What `--evaluation` is where it is not given. */
export const evaluationFallback =
  'validation; test for base-to-novel, and for openmoji, whose other pictures mini-clip has seen';

/** Adds how training pictures are changed. */
export function addAugmentation(command: Command): Command {
  return command.addOption(
    new Option('--augment <way>', 'changes training pictures at random; colour: crop-flip, and colours too')
      .choices(augmentationNames)
      .default('none'),
  );
}

/** Adds what the classes of openmoji are. */
export function addEmojiClasses(command: Command): Command {
  return command.addOption(
    new Option('--classes <which>', 'what the classes of openmoji are')
      .choices(emojiClasses)
      .default('groups'),
  );
}

/** Adds a short name for one of them. */
export function addSubgroups(command: Command): Command {
  return command.option('--subgroups', 'the same as --classes subgroups').on('option:subgroups', () => {
    command.setOptionValueWithSource('classes', 'subgroups', 'cli');
  });
}

/** Adds how pictures are chosen. */
export function addSplit(command: Command): Command {
  return command.addOption(
    new Option(
      '--split <way>',
      'all pictures, 1,000 as VTAB-1k has them, --shots of each class, or of the first half of the classes (default: full)',
    ).choices(splitNames),
  );
}

/** Adds the score. */
export function addMetric(command: Command): Command {
  return command.addOption(
    new Option('--metric <name>', 'score that is compared').choices(metricNames).default('accuracy'),
  );
}
