import type { Command } from 'commander';

import { addDtype, addEvaluation, addShots, type StudyCommand } from '@dynaprompt/runner';
import { DTYPES } from '@dynaprompt/vision';

import { augmentationNames } from '../augmentation.js';
import { basePromptOf, type ClipChoice, defaultChoice, presetNamed, requireMethods } from '../clip/choice.js';
import { addClip, choiceOf, requireClasses, slotsFallback } from '../clip/flags.js';
import { splitNames } from '../data/load-data.js';
import { emojiClasses, taskNamed } from '../data/tasks.js';
import { addAugmentation, addEmojiClasses, addMetric, addSplit, evaluationFallback } from '../flags.js';
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
    addEvaluation(addMetric(addAugmentation(addDtype(command, DTYPES))), evaluationFallback);
    addClip(addEmojiClasses(addShots(addSplit(command))));
  },
  slotsFallback,
  basePrompt: ({ head, backbone }, flags) =>
    head === 'clip' ? basePromptOf(studyChoice(flags), backbone) : undefined,
  complete(options, flags) {
    const { augment, metric, evaluation, split, shots, classes } = flags;
    const dtype = DTYPES.find((known) => known === flags.dtype && known !== 'fp32');
    const choice = studyChoice(flags);
    const chosen = splitNames.find((name) => name === split) ?? null;
    requireClasses(options.head, chosen ?? undefined);
    if (options.head === 'clip') requireMethods(choice, { ...options, prompt: undefined });
    return {
      ...options,
      ...choice,
      augment: augmentationNames.find((name) => name === augment) ?? 'none',
      metric: metricNames.find((name) => name === metric) ?? 'accuracy',
      evaluation: evaluation === 'test' || evaluation === 'validation' ? evaluation : null,
      split: chosen,
      shots: typeof shots === 'number' ? shots : null,
      classes: emojiClasses.find((name) => name === classes) ?? 'groups',
      ...(dtype && { dtype }),
    };
  },
};

/** Of a sweep over heads and presets, what has no meaning for one of them is passed over. */
function studyChoice(flags: Readonly<Record<string, unknown>>): ClipChoice {
  const { template, clipLayers } = flags;
  return choiceOf({
    prompts: presetNamed(flags.prompts) ?? defaultChoice.prompts,
    ...(typeof template === 'string' && { template }),
    ...(typeof clipLayers === 'number' && { clipLayers }),
  });
}
