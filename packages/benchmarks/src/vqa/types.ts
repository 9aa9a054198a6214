import type { ImageExample } from '@dynaprompt/core';
import type { SkippedRows } from '../datasets/rows/faults.js';

/**
 * How an answer is scored: `soft` against those of several people (VQA, OK-VQA), normalised as the official evaluation does;
 * `exact` against the one right answer (GQA, CLEVR).
 */
export type VqaMeasure = 'soft' | 'exact';

/** A question about a picture, which may not have been read yet. */
export interface VqaEntry {
  /** Unique within its data set; the split and the question's id, e.g. `train2014/458752000`. */
  readonly id: string;
  readonly question: string;
  /** As the file has it, what result files are to name. */
  readonly questionId: string;
  /** Questions about the same picture have the same. */
  readonly imageId: string;
  /** What people answered, as it stands there, one for each of them; empty where the answers are hidden. */
  readonly answers: readonly string[];
  /** What most of them answered; absent where the answers are hidden. */
  readonly answer?: string;
  /** E.g. `what color is the` (VQA), `query` (GQA), `count` (CLEVR). */
  readonly questionType?: string;
  /** E.g. `yes/no`, `number`, `other` (VQA), `rel` (GQA). */
  readonly answerType?: string;
  /** A further part that scores are given for: `seen` or `held-out` combinations of the bundled scenes. */
  readonly group?: string;
}

/** A question with its picture: a file or still encoded, nothing is decoded. */
export interface VqaExample extends VqaEntry, ImageExample {}

/** What every form of a data set of questions says about itself. */
export interface VqaFacts {
  readonly name: string;
  /** One or two sentences: what the pictures show, how questions and answers came about. */
  readonly description: string;
  readonly license: string;
  /** Where it came from: a package, a publication, a folder. */
  readonly source: string;
  /** What has to be said wherever the pictures or results on them are shown; absent where nothing has to be. */
  readonly attribution?: string;
  readonly measure: VqaMeasure;
  /** Questions that were left out, the first few by file and reason. */
  readonly faults: SkippedRows;
}

/** Splits that a data set may have. */
export type VqaSplit = 'train' | 'validation' | 'test';

/** All there is of a data set, before anything is drawn from it. */
export interface VqaCollection<Entry extends VqaEntry = VqaExample> extends VqaFacts {
  /** What there is of the splits. */
  readonly splits: Readonly<Partial<Record<VqaSplit, readonly Entry[]>>>;
  /** These questions with their pictures, in this order. */
  readonly examples: (entries: readonly Entry[]) => Promise<readonly VqaExample[]>;
}

/** A data set that is ready to train and validate on. */
export interface VqaDataset extends VqaFacts {
  readonly train: readonly VqaExample[];
  readonly validation: readonly VqaExample[];
  readonly test?: readonly VqaExample[];
}
