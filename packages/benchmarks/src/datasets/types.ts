import type { MetricName } from '../metrics/metrics.js';

/** A text, or a pair of texts, to be classified. */
export interface TextExample {
  /** Unique within its data set; says where the example came from, e.g. `train.tsv:17`. */
  readonly id: string;
  readonly text: string;
  /** Second text of a pair task: hypothesis, question, other sentence. */
  readonly pair?: string;
}

/** A text with its answer. */
export interface LabelledExample extends TextExample {
  /** Index into {@link LabelledDataset.labels}. */
  readonly label: number;
}

/** A data set that is ready to train and validate on. */
export interface LabelledDataset {
  readonly name: string;
  /** One or two sentences: what the text is, what the labels mean, how the split was made. */
  readonly description: string;
  readonly license: string;
  /** Where the data came from: a package, a publication, a folder. */
  readonly source: string;
  /** Names of the classes; an example's label is an index into this list. */
  readonly labels: readonly string[];
  readonly train: readonly LabelledExample[];
  readonly validation: readonly LabelledExample[];
  readonly metric: MetricName;
  /** Wording for a masked-LM verbaliser, where the task has one. */
  readonly prompt?: PromptTemplate;
}

/** How a masked language model is asked for the class. */
export interface PromptTemplate {
  /** Holds `{text}` and `{mask}`, and `{pair}` for a pair task. */
  readonly template: string;
  /** One word for each class, in label order. */
  readonly words: readonly string[];
}

/** A class as files spell it and as people read it. */
export interface LabelDefinition {
  /** Value in the label column. */
  readonly value: string;
  readonly name: string;
}

/** Columns that hold an example, by header name. */
export interface ColumnNames {
  readonly text: string;
  /** Absent for tasks on single texts. */
  readonly pair?: string;
  readonly label: string;
}

/** A folder of tab-separated files with a header line, quotation marks being ordinary characters, as GLUE has them. */
export interface TsvLayout {
  readonly kind: 'tsv';
  readonly files: { readonly train: string; readonly validation: string };
  /** Absent where the caller names the columns. */
  readonly columns?: ColumnNames;
  /** Absent where the classes are those that the training file holds. */
  readonly labels?: readonly LabelDefinition[];
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

/** A row of the task table. */
export interface TaskDefinition {
  readonly name: string;
  readonly description: string;
  readonly license: string;
  readonly source: string;
  readonly metric: MetricName;
  readonly layout: TsvLayout | BundledLayout;
  readonly prompt?: PromptTemplate;
}
