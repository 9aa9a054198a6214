import type { MeasureName } from '../metrics/official/measures.js';
import type { MetricName } from '../metrics/metrics.js';
import type { FolderLayout } from './folders/layout.js';
import type { SkippedRows } from './rows/faults.js';

/** A text, or a pair of texts, to be classified. */
export interface TextExample {
  /** Unique within its data set; says where the example came from, e.g. `train.tsv:17`. */
  readonly id: string;
  readonly text: string;
  /** Second text of a pair task: hypothesis, question, other sentence. */
  readonly pair?: string;
}

/** A text with its answer. Plain classification needs the label alone; the other fields belong to tasks of other kinds. */
export interface LabelledExample extends TextExample {
  /** Index into {@link LabelledDataset.labels}; index into `candidates` where there are any; 0 where the answer is a number. */
  readonly label: number;
  /** The number to predict, of a task whose answer is one (STS-B: similarity, 0 … 5). */
  readonly target?: number;
  /** Examples of one group are scored together: answers to one question (MultiRC), both genders of a sentence (AX-g). */
  readonly group?: string;
  /** Texts to choose between, of a task whose answer is one of them (COPA, ReCoRD); `candidateInputs` fills them in. */
  readonly candidates?: readonly string[];
  /** Every right answer, where more than one candidate is right (ReCoRD); `label` is the first of them. */
  readonly answers?: readonly string[];
  /** Words that the question is about: noun and pronoun (WSC, noun only where it is found), the word in both texts (WiC). */
  readonly spans?: readonly TextSpan[];
}

/** A part of a text, in UTF-16 units as of `String.slice`. */
export interface TextSpan {
  readonly of: 'text' | 'pair';
  readonly start: number;
  /** The first position behind it. */
  readonly end: number;
}

/** What is predicted: one of the task's classes, a number, or one of the example's own candidates. */
export type AnswerKind = 'class' | 'number' | 'candidate';

/** A data set that is ready to train and validate on. */
export interface LabelledDataset {
  readonly name: string;
  /** One or two sentences: what the text is, what the labels mean, how the split was made. */
  readonly description: string;
  readonly license: string;
  /** Where the data came from: a package, a publication, a folder. */
  readonly source: string;
  readonly answer: AnswerKind;
  /** Names of the classes; an example's label is an index into this list. Empty unless `answer` is `class`. */
  readonly labels: readonly string[];
  /** Lowest and highest answer, where answers are numbers of a known range. */
  readonly range?: readonly [number, number];
  readonly train: readonly LabelledExample[];
  readonly validation: readonly LabelledExample[];
  /** The task's own validation split, where `validation` is a few-shot draw from the training split. */
  readonly test?: readonly LabelledExample[];
  /** Scores learning curves and final results; `scoreTask` has the official measures. */
  readonly metric: MetricName;
  /** Wording for a masked-LM verbaliser, where the task has one. */
  readonly prompt?: PromptTemplate;
  /** Rows that were left out because they were bad; absent where there are none. */
  readonly skipped?: SkippedRows;
}

/** How a language model is asked for the answer. */
export interface PromptTemplate {
  /** Holds `{text}` and `{mask}`, and `{pair}` for a pair task. Candidates follow it, without a mask. */
  readonly template: string;
  /** One word for each class, in label order; for a number, the words of its lowest and highest value; none for candidates. */
  readonly words: readonly string[];
}

/** A class as files spell it and as people read it. */
export interface LabelDefinition {
  /** Value in the label column. */
  readonly value: string;
  readonly name: string;
  /** What other layouts write instead, such as the class indices of the Hub. */
  readonly aliases?: readonly string[];
}

/** Columns that hold an example, by header name. */
export interface ColumnNames {
  readonly text: string;
  /** Absent for tasks on single texts. */
  readonly pair?: string;
  readonly label: string;
}

/** Data that ships inside an npm package; needs no folder. */
export interface BundledLayout {
  readonly kind: 'bundled';
  readonly columns: ColumnNames;
  readonly labels: readonly LabelDefinition[];
  /** Reads and splits the data; the same examples in the same order on every call. */
  readonly load: () => BundledSplits;
}

/** Both splits of a bundled data set. */
export interface BundledSplits {
  readonly train: readonly LabelledExample[];
  readonly validation: readonly LabelledExample[];
}

/** Official measures of a task; its score is the mean of `headline`. */
export interface TaskMeasures {
  readonly headline: readonly MeasureName[];
  /** Reported beside the score. */
  readonly also?: readonly MeasureName[];
}

/** A row of the task table. */
export interface TaskDefinition {
  readonly name: string;
  readonly description: string;
  readonly license: string;
  readonly source: string;
  readonly metric: MetricName;
  /** Absent where they are accuracy alone. */
  readonly measures?: TaskMeasures;
  /** `class` where absent. */
  readonly answer?: AnswerKind;
  readonly layout: FolderLayout | BundledLayout;
  readonly prompt?: PromptTemplate;
}
