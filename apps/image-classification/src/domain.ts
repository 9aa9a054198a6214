import type { LabelledImage } from '@dynaprompt/benchmarks';
import {
  assignFolders,
  type Domain,
  type LoadedTask,
  type SeenExample,
  type TaskSet,
} from '@dynaprompt/runner';
import type { TrainingExample } from '@dynaprompt/training';
import { drawn, thumbnail, type VisionBackbone, type VisionExample } from '@dynaprompt/vision';

import { application } from './application.js';
import { openBackbone, type OpenOptions } from './backbone.js';
import { fingerprintOf } from './data/fingerprint.js';
import { loadData, type ScoredDataset } from './data/load-data.js';
import { isBundled } from './data/tasks.js';
import { headOf } from './head.js';
import { measure } from './measures.js';
import type { ImageMetricName, ImageOptions } from './options.js';
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
  runDetails: ({ augment, metric }) => ({ augment, metric }),
};

/** Which backbone is opened with what kind of head, and how it is scored. */
interface Opening
  extends Omit<OpenOptions, 'head' | 'augment'>, Pick<ImageOptions, 'backbone' | 'head' | 'augment'> {
  readonly metric: ImageMetricName;
}

function loadedTask(data: ScoredDataset, opening: Opening): LoadedTask<VisionExample> {
  return {
    data: taskSet(data, opening.metric),
    async open() {
      const head = headOf(opening.head, data.classes);
      const backbone = await openBackbone(opening.backbone, { ...opening, head });
      const show = (example: VisionExample): Promise<SeenExample> => seen(backbone, example);
      return { head, backbone, show, ...(opening.augment === 'none' ? {} : { augment: drawn }) };
    },
  };
}

/** A picture as the backbone reads it, patch by patch. */
async function seen(backbone: VisionBackbone, example: VisionExample): Promise<SeenExample> {
  const { special, rows, columns, picture } = await backbone.look(example);
  const content = rows * columns;
  const patches = Array.from({ length: content }, (_, patch) => ({
    patches: [patch, 1] as [number, number],
  }));
  return {
    tokens: [...special, ...patches],
    layout: { before: special.length, content, after: 0 },
    input: { kind: 'picture', rows, columns, thumbnail: (await thumbnail(picture)) ?? null },
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
