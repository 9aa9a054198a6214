import type { LabelledImage } from '@dynaprompt/benchmarks';
import {
  assignFolders,
  type Domain,
  type HeadKind,
  type LoadedTask,
  type OpenBackbone,
  type TaskSet,
} from '@dynaprompt/runner';
import { baselineNames, type TrainingExample } from '@dynaprompt/training';
import { drawn, type VisionExample } from '@dynaprompt/vision';

import { application } from './application.js';
import { openBackbone, type OpenOptions } from './backbone.js';
import { type ClipOpening, openClipTask } from './clip/open-task.js';
import { fingerprintOf } from './data/fingerprint.js';
import { loadData, type ScoredDataset } from './data/load-data.js';
import { isBundled } from './data/tasks.js';
import { headOf } from './head.js';
import { measure } from './measures.js';
import type { ImageMetricName, ImageOptions } from './options.js';
import { inputOf, patchesOf } from './seen-picture.js';
import { type ImageStudyOptions, loadStudyData } from './study/load-data.js';

/** Pictures with classes. */
export const domain: Domain<VisionExample, ImageOptions, ImageStudyOptions> = {
  application,
  async load(options, signal) {
    const loaded: LoadedTask<VisionExample>[] = [];
    for (const place of assignFolders(options.tasks, options.data, isBundled)) {
      loaded.push(loadedTask(await loadData(place, options, signal), options));
    }
    return loaded;
  },
  measure,
  async loadStudyTask(name, options, dataRoot) {
    const data = await loadStudyData(name, options, dataRoot);
    return {
      ...loadedTask(data, { ...options, threads: 1 }),
      fingerprint: () => fingerprintOf(data),
    };
  },
  runDetails: ({ augment, metric, ...options }) => ({ augment, metric, ...clipDetails(options) }),
};

/** What of a dual encoder decides what runs give: without prompts of its own, no method's. */
function clipDetails({
  head,
  methods,
  prompts,
  template,
}: Pick<ImageStudyOptions, 'head' | 'methods' | 'prompts' | 'template'>): Readonly<Record<string, unknown>> {
  if (head !== 'clip') return {};
  const hasPrompt = methods.some((method) => !baselineNames.some((name) => name === method));
  return { ...(hasPrompt && { prompts }), template };
}

/** Which backbone is opened with what kind of head, and how it is scored. */
interface Opening extends Omit<OpenOptions, 'head'>, ClipOpening, Pick<ImageOptions, 'head'> {}

function loadedTask(data: ScoredDataset, opening: Opening): LoadedTask<VisionExample> {
  return {
    data: taskSet(data, opening.metric),
    async open() {
      const { head, augment } = opening;
      const opened = await (head === 'clip' ? openClipTask(data, opening) : openTower(data, head, opening));
      return { ...opened, ...(augment !== undefined && augment !== 'none' && { augment: drawn }) };
    },
  };
}

/** An image tower with a head for the classes. */
async function openTower(
  { classes }: ScoredDataset,
  kind: HeadKind,
  opening: Opening,
): Promise<OpenBackbone<VisionExample>> {
  const head = headOf(kind, classes);
  const backbone = await openBackbone(opening.backbone, { ...opening, head });
  return {
    head,
    backbone,
    async show(example) {
      const picture = await backbone.look(example);
      return { ...patchesOf(picture), input: await inputOf(picture) };
    },
  };
}

function taskSet(
  { classes, faults, train, validation, ...facts }: ScoredDataset,
  metric: ImageMetricName,
): TaskSet<VisionExample> {
  return {
    ...facts,
    labels: classes,
    train: train.map(trainingExample),
    validation: validation.map(trainingExample),
    metric,
    ...(faults.count === 0 ? {} : { skipped: faults }),
  };
}

function trainingExample({ id, label, image }: LabelledImage): TrainingExample<VisionExample> {
  return { id, example: { id, image }, label };
}
