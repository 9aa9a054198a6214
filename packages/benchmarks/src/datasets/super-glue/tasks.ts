import type { FolderLayout, FolderVariant, SplitSource } from '../folders/layout.js';
import { hubFiles, namedLabels, pairColumns, readBy, superGlueFiles } from '../folders/variants.js';
import { ownLicense } from '../own-license.js';
import type { RowReader } from '../rows/row-reader.js';
import type { LabelDefinition, TaskDefinition } from '../types.js';
import { readAxg } from './ax-g.js';
import { readCopa } from './copa.js';
import { readMultiRc, readMultiRcRow } from './multirc.js';
import { readRecord, readRecordRow } from './record.js';
import { readWic } from './wic.js';
import { readWsc, readWscRow } from './wsc.js';

const entailment = namedLabels('entailment', 'not_entailment');
const truth = namedLabels('false', 'true');
const premise = pairColumns('premise', 'hypothesis');
const premiseOf = { columns: premise };
const sentencesOf = { columns: pairColumns('sentence1', 'sentence2') };
const yesNo = { template: '{pair} ? {mask} , {text}', words: ['yes', 'no'] };

/** Tasks of SuperGLUE (Wang et al. 2019), from its archives or from `aps/super_glue` of the Hub. */
export const superGlueTasks: readonly TaskDefinition[] = [
  superGlue('boolq', 'Is the answer to the question yes, by the passage (BoolQ).', 'Clark et al. 2019', {
    metric: 'accuracy',
    layout: {
      ...columns(truth, superGlueFiles('BoolQ'), hubFiles('boolq')),
      columns: pairColumns('passage', 'question'),
    },
    prompt: { template: '{text} Question : {pair} ? Answer : {mask} .', words: ['no', 'yes'] },
  }),
  superGlue(
    'cb',
    'Does the premise commit its speaker to the hypothesis (CommitmentBank).',
    'de Marneffe et al. 2019',
    {
      metric: 'accuracy-macro-f1',
      measures: { headline: ['macro-f1', 'accuracy'] },
      layout: columns(
        namedLabels('entailment', 'contradiction', 'neutral'),
        superGlueFiles('CB'),
        hubFiles('cb'),
      ),
      prompt: { template: '{pair} ? {mask} , {text}', words: ['yes', 'no', 'maybe'] },
    },
  ),
  superGlue(
    'copa',
    'Which of two sentences is the cause or the effect of the premise (COPA).',
    'Roemmele et al. 2011',
    {
      answer: 'candidate',
      metric: 'accuracy',
      layout: rows(['premise', 'choice1', 'choice2', 'question', 'label'], 'COPA', 'copa', readCopa),
      prompt: { template: '{text}', words: [] },
    },
  ),
  superGlue(
    'multirc',
    'Is this a right answer to the question about the paragraph (MultiRC).',
    'Khashabi et al. 2018',
    {
      metric: 'f1',
      measures: { headline: ['f1-answers', 'exact-match-questions'], also: ['f1-questions', 'accuracy'] },
      layout: {
        ...rows(
          ['paragraph', 'question', 'answer', 'idx', 'label'],
          'MultiRC',
          'multirc',
          readMultiRc,
          readMultiRcRow,
        ),
        labels: truth,
      },
      prompt: { template: '{text} Question : {pair} {mask} .', words: ['no', 'yes'] },
    },
  ),
  superGlue(
    'record',
    'Which entity of the passage fills the gap in the statement (ReCoRD).',
    'Zhang et al. 2018',
    {
      answer: 'candidate',
      metric: 'accuracy',
      measures: { headline: ['token-f1', 'exact-match'], also: ['accuracy'] },
      layout: rows(
        ['passage', 'query', 'entities', 'answers', 'idx'],
        'ReCoRD',
        'record',
        readRecord,
        readRecordRow,
      ),
      prompt: { template: '{text}', words: [] },
    },
  ),
  superGlue(
    'superglue-rte',
    'Does the premise entail the hypothesis (RTE of SuperGLUE).',
    'Dagan et al. 2006',
    {
      metric: 'accuracy',
      layout: columns(entailment, superGlueFiles('RTE'), hubFiles('rte')),
      prompt: yesNo,
    },
  ),
  superGlue(
    'wic',
    'Does a word mean the same in both sentences (WiC).',
    'Pilehvar and Camacho-Collados 2019',
    {
      metric: 'accuracy',
      layout: {
        ...rows(
          ['word', 'sentence1', 'sentence2', 'start1', 'end1', 'start2', 'end2', 'label'],
          'WiC',
          'wic',
          readWic,
        ),
        labels: truth,
      },
      prompt: { template: '{text} / {pair} {mask} .', words: ['no', 'yes'] },
    },
  ),
  superGlue(
    'wsc',
    'Does the pronoun, marked with asterisks, stand for the noun (WSC).',
    'Levesque et al. 2012',
    {
      metric: 'accuracy',
      layout: {
        ...rows(
          ['text', 'span1_text', 'span1_index', 'span2_text', 'span2_index', 'label'],
          'WSC',
          'wsc.fixed',
          readWsc,
          readWscRow,
          hubFiles('wsc', readBy(readWscRow)),
        ),
        labels: truth,
      },
      prompt: { template: '{text} The pronoun in asterisks means {pair} : {mask} .', words: ['no', 'yes'] },
    },
  ),
  superGlue(
    'axb',
    'The broad-coverage diagnostic set (AX-b), trained on RTE of SuperGLUE.',
    'Wang et al. 2019',
    {
      metric: 'matthews',
      measures: { headline: ['matthews'], also: ['accuracy'] },
      layout: columns(entailment, ...diagnostic('AX-b', 'axb', sentencesOf)),
      prompt: yesNo,
    },
  ),
  superGlue(
    'axg',
    'The Winogender diagnostic set (AX-g), trained on RTE of SuperGLUE.',
    'Rudinger et al. 2018',
    {
      metric: 'accuracy',
      measures: { headline: ['accuracy'], also: ['gender-parity'] },
      layout: columns(entailment, ...diagnostic('AX-g', 'axg', readBy(readAxg))),
      prompt: yesNo,
    },
  ),
];

type Particulars = Pick<TaskDefinition, 'answer' | 'layout' | 'measures' | 'metric' | 'prompt'>;

function superGlue(
  name: string,
  description: string,
  publication: string,
  particulars: Particulars,
): TaskDefinition {
  const source = `SuperGLUE; ${publication}; folder given by the user`;
  return { name, description, license: ownLicense, source, ...particulars };
}

/** Pairs of premise and hypothesis, unless a source says otherwise. */
function columns(labels: readonly LabelDefinition[], ...variants: readonly FolderVariant[]): FolderLayout {
  return { kind: 'folder', columns: premise, labels, variants };
}

/** Examples that are more than columns; the archives nest what the Hub has in a row. */
function rows(
  fields: readonly string[],
  archive: string,
  configuration: string,
  readLine: RowReader,
  readRow = readLine,
  ...more: readonly FolderVariant[]
): FolderLayout {
  const variants = [
    superGlueFiles(archive, readBy(readLine)),
    hubFiles(configuration, readBy(readRow)),
    ...more,
  ];
  return { kind: 'folder', fields, variants };
}

/** A set without training examples of its own. */
function diagnostic(
  archive: string,
  configuration: string,
  shared: Omit<SplitSource, 'path'>,
): readonly FolderVariant[] {
  return [
    {
      format: 'jsonl',
      train: { path: 'RTE/train.jsonl', ...premiseOf },
      validation: { path: `${archive}/${archive}.jsonl`, ...shared },
    },
    {
      format: 'parquet',
      train: { path: 'rte/train', ...premiseOf },
      validation: { path: `${configuration}/test`, ...shared },
    },
  ];
}
