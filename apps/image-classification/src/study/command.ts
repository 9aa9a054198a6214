import type { Command } from 'commander';

import { addEvaluation, type StudyCommand } from '@dynaprompt/runner';

import { augmentationNames } from '../augmentation.js';
import { taskNamed } from '../data/tasks.js';
import { addAugmentation, addMetric, evaluationFallback } from '../flags.js';
import { imageHeads } from '../head.js';
import { metricNames } from '../options.js';
import type { ImageStudyOptions } from './load-data.js';

/** What `study` has of its own here. */
export const studyCommand: StudyCommand<ImageStudyOptions> = {
  backbone: 'mini-clip',
  heads: imageHeads,
  output: 'results/image-study.md',
  requireTask: taskNamed,
  addOwn: (command: Command) => {
    addEvaluation(addMetric(addAugmentation(command)), evaluationFallback);
  },
  complete: (options, { augment, metric, evaluation }) => ({
    ...options,
    augment: augmentationNames.find((name) => name === augment) ?? 'none',
    metric: metricNames.find((name) => name === metric) ?? 'accuracy',
    evaluation: evaluation === 'test' || evaluation === 'validation' ? evaluation : null,
  }),
};
