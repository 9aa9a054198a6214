import { preset, type PromptConfigurationInput } from '@dynaprompt/core';
import type { OpenBackbone } from '@dynaprompt/runner';
import type { VisionExample } from '@dynaprompt/vision';

import type { ScoredDataset } from '../data/load-data.js';
import { type ClipHead, clipHead } from '../head.js';
import type { ImageMetricName } from '../options.js';
import type { ClipChoice } from './choice.js';
import { baseToNovelMeasures } from './novel.js';
import { ClipTowers, type TowerOptions } from './towers.js';
import { ClipViewer } from './viewer.js';

/** Which dual encoder is opened for a task, and how runs on it are scored. */
export interface ClipOpening extends Omit<TowerOptions, 'choice' | 'classes'>, ClipChoice {
  readonly backbone: string;
  readonly slots: number;
  readonly basePrompt?: PromptConfigurationInput | undefined;
  readonly metric: ImageMetricName;
}

/** A dual encoder that was opened for a task. */
export interface OpenClip extends OpenBackbone<VisionExample> {
  readonly head: ClipHead;
}

/** Opens a dual encoder for the classes of a task; other ways to open it follow when a method needs them. */
export async function openClipTask(
  { classes, novel }: Pick<ScoredDataset, 'classes' | 'novel'>,
  { backbone: location, metric, slots, basePrompt, ...opening }: ClipOpening,
): Promise<OpenClip> {
  const { prompts, template, clipLayers } = opening;
  const choice = { prompts, template, clipLayers };
  const towers = new ClipTowers(location, { ...opening, choice, classes });
  const novelTowers = novel && new ClipTowers(location, { ...opening, choice, classes: novel.classes });
  try {
    const main = await towers.prompted(preset('fixed', { slots }, basePrompt));
    // Names that cannot be used show before anything is trained.
    await novelTowers?.zeroShot();
    const viewer = new ClipViewer(main, location, { choice, dtype: opening.dtype });
    return {
      head: clipHead(choice),
      backbone: {
        ...main,
        async release() {
          await viewer.close();
          await novelTowers?.release();
          await towers.release();
        },
      },
      forMethod: (method) => towers.forMethod(method),
      show: (example, { prediction }) => viewer.show(example, prediction),
      ...(novel &&
        novelTowers && {
          measureFurther: (run) => baseToNovelMeasures(run, novelTowers, novel, metric),
        }),
    };
  } catch (error) {
    await novelTowers?.release();
    await towers.release();
    throw error;
  }
}
