import {
  type LabelledDataset,
  type LabelledExample,
  scoreTask,
  taskNamed,
  withOneAnswer,
} from '@dynaprompt/benchmarks';
import {
  type Domain,
  type LoadedTask,
  type Measures,
  placeOf,
  type SeenExample,
  type TaskSet,
} from '@dynaprompt/runner';
import { openExampleTokens, type TextExample } from '@dynaprompt/text';
import type { Evaluation } from '@dynaprompt/training';

import { application } from './application.js';
import { openBackbone, type OpenOptions } from './backbone.js';
import { bundled } from './bundled.js';
import { headOf } from './head.js';
import { trainingExample } from './training-example.js';
import { loadTasks } from './load-tasks.js';
import type { GlueOptions } from './options.js';
import { fingerprintOf, type GlueStudyOptions, loadStudyTask } from './study/load-task.js';

/** Characters of a text that the report shows. */
const LONGEST_SHOWN = 2000;

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
      const backbone = await openBackbone(opening.backbone, { ...opening, head });
      const { maxLength } = opening;
      // An adapter reads texts as long as those that it was trained on.
      const kept = maxLength === undefined ? head : { ...head, maximumTokens: maxLength };
      return { head: kept, backbone, show: shower(opening, head) };
    },
  };
}

/** Shows texts as the backbone reads them; its tokeniser is opened for the first one. */
function shower(
  { backbone, slots, maxLength }: Opening,
  head: ReturnType<typeof headOf>,
): (example: TextExample) => Promise<SeenExample> {
  let opened: ReturnType<typeof openExampleTokens> | undefined;
  return async (example) => {
    opened ??= openExampleTokens(placeOf(backbone, bundled), {
      head,
      reserve: slots,
      ...(maxLength === undefined ? {} : { maximumTokens: maxLength }),
    });
    const read = await opened;
    const { text, pair } = example;
    const whole = pair === undefined ? text : `${text}\n${pair}`;
    const shown = whole.length > LONGEST_SHOWN ? `${whole.slice(0, LONGEST_SHOWN)}…` : whole;
    return { ...read(example), input: { kind: 'text', text: shown } };
  };
}

/** The official measures of a task, where they are not its score alone. */
function officialMeasures({ predictions }: Evaluation, { name, validation }: TaskSet<TextExample>): Measures {
  if (taskNamed(name).measures === undefined) return {};
  // The examples are those that `trainingExample` has made.
  const examples = validation.map(({ example }) => example as LabelledExample);
  return { measures: scoreTask(name, predictions, examples).measures };
}
