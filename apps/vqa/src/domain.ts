import type { VqaExample } from '@dynaprompt/clip';
import {
  assignFolders,
  type Domain,
  type LoadedTask,
  type OpenBackbone,
  type TaskSet,
} from '@dynaprompt/runner';

import { application } from './application.js';
import { openBackbone, openProbe, type OpenOptions } from './backbone.js';
import { fingerprintOf } from './data/fingerprint.js';
import { loadData, type QuestionSet } from './data/load-data.js';
import { isBundled } from './data/tasks.js';
import { scoredExample, trainingExample } from './data/training-examples.js';
import { type HeadChoice, headOf } from './head.js';
import { baselines, measure } from './measures.js';
import type { VqaRunOptions } from './options.js';
import { Viewer } from './viewer.js';
import { loadStudyData, type VqaStudyOptions } from './study/load-data.js';

/** Questions about pictures. */
export const domain: Domain<VqaExample, VqaRunOptions, VqaStudyOptions> = {
  application,
  async load(options, signal) {
    const loaded: LoadedTask<VqaExample>[] = [];
    for (const place of assignFolders(options.tasks, options.data, isBundled)) {
      loaded.push(loadedTask(await loadData(place, options, signal), options));
    }
    return loaded;
  },
  measure,
  baselines,
  async loadStudyTask(name, options, dataRoot) {
    const data = await loadStudyData(name, options, dataRoot);
    return {
      ...loadedTask(data, { ...options, threads: 1 }),
      fingerprint: () => Promise.resolve(fingerprintOf(data)),
    };
  },
  runDetails: ({ use, prompts, coupling, template, answers }) => ({
    use,
    prompts,
    coupling,
    template,
    answers,
  }),
};

/** Which backbone is opened with what kind of head. */
interface Opening extends Omit<OpenOptions, 'head' | 'answers'>, HeadChoice {
  readonly backbone: string;
}

function loadedTask(data: QuestionSet, opening: Opening): LoadedTask<VqaExample> {
  const set = taskSet(data);
  return { data: set, open: () => open(data, set, opening) };
}

async function open(
  { vocabulary }: QuestionSet,
  { validation }: TaskSet<VqaExample>,
  opening: Opening,
): Promise<OpenBackbone<VqaExample>> {
  const head = headOf(opening);
  const options = { ...opening, head, answers: vocabulary.answers };
  const backbone = await openBackbone(opening.backbone, options);
  const viewer = new Viewer(backbone, opening.backbone, { ...opening, head });
  const labels = new Map(validation.map(({ example, label }) => [example, label]));
  try {
    return {
      head,
      backbone: {
        ...backbone,
        async release() {
          await viewer.close();
          await backbone.release();
        },
      },
      probe: await openProbe(opening.backbone, options),
      show: (example) => viewer.show(example, labels.get(example) ?? 0),
    };
  } catch (error) {
    await backbone.release();
    throw error;
  }
}

function taskSet({ vocabulary, faults, train, validation, ...facts }: QuestionSet): TaskSet<VqaExample> {
  const { name, description, license, source, attribution, measure: scoring } = facts;
  const trained = train.flatMap((example) => trainingExample(example, vocabulary) ?? []);
  const left = train.length - trained.length;
  const answers = `${vocabulary.answers.length.toLocaleString('en-US')} answers`;
  return {
    name,
    description:
      left === 0 ? description : `${description} ${left} training questions have none of the ${answers}.`,
    license,
    source,
    ...(attribution !== undefined && { attribution }),
    labels: vocabulary.answers,
    train: trained,
    validation: validation.map((example) => scoredExample(example, vocabulary)),
    metric: scoring === 'exact' ? 'exact-match' : 'vqa-accuracy',
    ...(faults.count > 0 && { skipped: faults }),
  };
}
