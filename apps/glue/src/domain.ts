import {
  type LabelledDataset,
  type LabelledExample,
  scoreTask,
  taskNamed,
  withOneAnswer,
} from '@dynaprompt/benchmarks';
import type { Domain, LoadedTask, Measures, TaskSet } from '@dynaprompt/runner';
import type { TextExample } from '@dynaprompt/text';
import type { Evaluation } from '@dynaprompt/training';

import { application } from './application.js';
import { openBackbone, type OpenOptions } from './backbone.js';
import { headOf } from './head.js';
import { trainingExample } from './training-example.js';
import { loadTasks } from './load-tasks.js';
import type { GlueOptions } from './options.js';
import { fingerprintOf, type GlueStudyOptions, loadStudyTask } from './study/load-task.js';

/** Texts, and pairs of them, with classes. */
export const domain: Domain<TextExample, GlueOptions, GlueStudyOptions> = {
  application,
  async load(options) {
    const sets = await loadTasks(options);
    return sets.map((data) => loadedTask(data, options));
  },
  async loadStudyTask(name, options, dataRoot) {
    const data = await loadStudyTask(name, options, dataRoot);
    const maxLength = options.maxLength ?? undefined;
    return {
      ...loadedTask(data, { ...options, maxLength, threads: 1 }),
      fingerprint: () => Promise.resolve(fingerprintOf(data)),
    };
  },
  measure: officialMeasures,
  runDetails: ({ maxLength }) => ({ maxLength }),
};

/** Which backbone is opened with what kind of head, and how. */
type Opening = Pick<GlueOptions, 'backbone' | 'head'> & Omit<OpenOptions, 'head'>;

function loadedTask(data: LabelledDataset, opening: Opening): LoadedTask<TextExample> {
  const { train, validation } = data;
  return {
    data: {
      ...data,
      train: train.map((example) => trainingExample(withOneAnswer(example))),
      validation: validation.map(trainingExample),
    },
    async open() {
      const head = headOf(opening.head, data);
      return { head, backbone: await openBackbone(opening.backbone, { ...opening, head }) };
    },
  };
}

/** The official measures of a task, where they are not its score alone. */
function officialMeasures({ predictions }: Evaluation, { name, validation }: TaskSet<TextExample>): Measures {
  if (taskNamed(name).measures === undefined) return {};
  // The examples are those that `trainingExample` has made.
  const examples = validation.map(({ example }) => example as LabelledExample);
  return { measures: scoreTask(name, predictions, examples).measures };
}
