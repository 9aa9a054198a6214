import type { FolderLayout, FolderVariant } from '../folders/layout.js';
import { glueFiles, hubFiles, namedLabels, numberedLabels, pairColumns } from '../folders/variants.js';
import { ownLicense } from '../own-license.js';
import type { LabelDefinition, TaskDefinition } from '../types.js';

const entailment = namedLabels('entailment', 'not_entailment');
const inference = namedLabels('entailment', 'neutral', 'contradiction');
const sentences = pairColumns('sentence1', 'sentence2');
const hubInference = { columns: pairColumns('premise', 'hypothesis') };
const mnliColumns = { columns: pairColumns('sentence1', 'sentence2', 'gold_label') };
const accuracyAndF1 = { headline: ['f1', 'accuracy'] } as const;
const yesMaybeNo = { template: '{text} ? {mask} , {pair}', words: ['yes', 'maybe', 'no'] };

/** Tasks of GLUE (Wang et al. 2019), from its archives or from `nyu-mll/glue` of the Hub. */
export const glueTasks: readonly TaskDefinition[] = [
  glue('cola', 'Is the sentence acceptable English (CoLA).', 'Warstadt et al. 2019', {
    metric: 'matthews',
    measures: { headline: ['matthews'] },
    layout: folder(
      { text: 'sentence', label: 'label' },
      numberedLabels('unacceptable', 'acceptable'),
      glueFiles('CoLA', { header: ['source', 'label', 'star', 'sentence'] }, {}),
      hubFiles('cola'),
    ),
    prompt: { template: '{text} This is {mask} .', words: ['incorrect', 'correct'] },
  }),
  glue('sst2', 'Sentiment of a movie-review phrase (SST-2).', 'Socher et al. 2013', {
    metric: 'accuracy',
    layout: folder(
      { text: 'sentence', label: 'label' },
      numberedLabels('negative', 'positive'),
      glueFiles('SST-2'),
      hubFiles('sst2'),
    ),
    prompt: { template: '{text} It was {mask} .', words: ['bad', 'good'] },
  }),
  glue('mrpc', 'Do two sentences mean the same (MRPC).', 'Dolan and Brockett 2005', {
    metric: 'accuracy-f1',
    measures: accuracyAndF1,
    layout: folder(
      sentences,
      numberedLabels('not equivalent', 'equivalent'),
      glueFiles('MRPC', { columns: pairColumns('#1 String', '#2 String', 'Quality') }),
      hubFiles('mrpc'),
      microsoftParaphrases(),
    ),
    prompt: { template: '{text} {mask} , {pair}', words: ['no', 'yes'] },
  }),
  glue('qqp', 'Do two questions ask the same (QQP).', 'Iyer et al. 2017', {
    metric: 'accuracy-f1',
    measures: accuracyAndF1,
    layout: folder(
      pairColumns('question1', 'question2'),
      numberedLabels('not duplicate', 'duplicate'),
      glueFiles('QQP', { columns: pairColumns('question1', 'question2', 'is_duplicate') }),
      hubFiles('qqp'),
    ),
    prompt: { template: '{text} {mask} , {pair}', words: ['no', 'yes'] },
  }),
  glue('stsb', 'How similar are two sentences, from 0 to 5 (STS-B).', 'Cer et al. 2017', {
    answer: 'number',
    metric: 'pearson-spearman',
    measures: { headline: ['pearson', 'spearman'] },
    layout: {
      kind: 'folder',
      columns: sentences,
      range: [0, 5],
      variants: [
        glueFiles('STS-B', { columns: pairColumns('sentence1', 'sentence2', 'score') }),
        hubFiles('stsb'),
      ],
    },
    prompt: { template: '{text} {mask} , {pair}', words: ['no', 'yes'] },
  }),
  mnli('mnli', 'matched', 'of the same genres'),
  mnli('mnli-mm', 'mismatched', 'of other genres'),
  glue('qnli', 'Does the sentence answer the question (QNLI).', 'Rajpurkar et al. 2016', {
    metric: 'accuracy',
    layout: folder(pairColumns('question', 'sentence'), entailment, glueFiles('QNLI'), hubFiles('qnli')),
    prompt: { template: '{text} ? {mask} , {pair}', words: ['yes', 'no'] },
  }),
  glue('rte', 'Does the first text entail the second (RTE).', 'Dagan et al. 2006', {
    metric: 'accuracy',
    layout: folder(sentences, entailment, glueFiles('RTE'), hubFiles('rte')),
    prompt: { template: '{text} ? {mask} , {pair}', words: ['yes', 'no'] },
  }),
  glue(
    'wnli',
    'Does the second sentence, with a pronoun of the first replaced, follow from it (WNLI).',
    'Levesque et al. 2012',
    {
      metric: 'accuracy',
      layout: folder(
        sentences,
        numberedLabels('not entailment', 'entailment'),
        glueFiles('WNLI'),
        hubFiles('wnli'),
      ),
      prompt: { template: '{text} ? {mask} , {pair}', words: ['no', 'yes'] },
    },
  ),
  glue('ax', 'The diagnostic set of GLUE (AX): inference, trained on MNLI.', 'Wang et al. 2019', {
    metric: 'matthews',
    measures: { headline: ['matthews'], also: ['accuracy'] },
    layout: folder(sentences, inference, ...diagnostic(), {
      format: 'parquet',
      train: { path: 'mnli/train', ...hubInference },
      validation: { path: 'ax/test', ...hubInference },
    }),
    prompt: yesMaybeNo,
  }),
];

type Particulars = Pick<TaskDefinition, 'answer' | 'layout' | 'measures' | 'metric' | 'prompt'>;

function glue(
  name: string,
  description: string,
  publication: string,
  particulars: Particulars,
): TaskDefinition {
  const source = `GLUE; ${publication}; folder given by the user`;
  return { name, description, license: ownLicense, source, ...particulars };
}

function folder(
  columns: NonNullable<FolderLayout['columns']>,
  labels: readonly LabelDefinition[],
  ...variants: readonly FolderVariant[]
): FolderLayout {
  return { kind: 'folder', columns, labels, variants };
}

function mnli(name: string, split: string, genres: string): TaskDefinition {
  const test = { path: `test_${split}.tsv`, ...mnliColumns };
  return glue(
    name,
    `Does the first sentence entail or contradict the second; validated on texts ${genres} (MNLI, ${split}).`,
    'Williams et al. 2018',
    {
      metric: 'accuracy',
      layout: folder(
        sentences,
        inference,
        { ...glueFiles('MNLI', mnliColumns), validation: { path: `dev_${split}.tsv`, ...mnliColumns }, test },
        hubFiles('mnli', hubInference, `validation_${split}`, `test_${split}`),
      ),
      prompt: yesMaybeNo,
    },
  );
}

/** The original distribution of MRPC, which publishes the test labels and has no validation split of its own. */
function microsoftParaphrases(): FolderVariant {
  const shared = { columns: pairColumns('#1 String', '#2 String', 'Quality') };
  const published = { path: 'msr_paraphrase_test.txt', ...shared };
  return {
    format: 'tsv',
    within: 'MRPC',
    train: { path: 'msr_paraphrase_train.txt', ...shared },
    validation: published,
    test: published,
  };
}

/** The labelled diagnostic file beside MNLI's training file, in the places where download scripts put it. */
function diagnostic(): readonly FolderVariant[] {
  const shared = { columns: pairColumns('Premise', 'Hypothesis', 'Label') };
  const train = { path: 'MNLI/train.tsv', ...mnliColumns };
  return [
    ...['diagnostic', 'AX', 'MNLI', '.'].map((place): FolderVariant => {
      const path = place === '.' ? 'diagnostic-full.tsv' : `${place}/diagnostic-full.tsv`;
      return { format: 'tsv', train, validation: { path, ...shared } };
    }),
    {
      format: 'tsv',
      train: { path: 'train.tsv', ...mnliColumns },
      validation: { path: 'diagnostic-full.tsv', ...shared },
    },
  ];
}
