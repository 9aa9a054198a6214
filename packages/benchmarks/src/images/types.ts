import type { ImageExample } from '@dynaprompt/core';
import type { SkippedRows } from '../datasets/rows/faults.js';

/** A picture with its class. */
export interface LabelledImage extends ImageExample {
  /** Index into the classes of its data set. */
  readonly label: number;
}

/** A picture of a collection, which may not have been read yet. */
export interface ImageEntry {
  /** Unique within its collection; says where the picture is, e.g. `train/cat/7.png` or `train.parquet:17`. */
  readonly id: string;
  readonly label: number;
}

/** What every form of a data set of pictures says about itself. */
export interface ImageFacts {
  readonly name: string;
  /** One or two sentences: what the pictures show, what the classes are. */
  readonly description: string;
  readonly license: string;
  /** Where the pictures came from: a package, a publication, a folder. */
  readonly source: string;
  /** What has to be said wherever the pictures or results on them are shown; absent where nothing has to be. */
  readonly attribution?: string;
  /** Names of the classes; a label is an index into this list. */
  readonly classes: readonly string[];
  /** Files and rows that were left out, the first few by name and reason. */
  readonly faults: SkippedRows;
}

/** All there is of a data set, before anything is drawn from it: ids and labels, with the pictures on demand. */
export interface ImageCollection<Entry extends ImageEntry = LabelledImage> extends ImageFacts {
  readonly train: readonly Entry[];
  /** Absent where the data set has none of its own. */
  readonly validation?: readonly Entry[];
  readonly test?: readonly Entry[];
  /** These pictures, in this order; each is a file or still encoded, nothing is decoded. */
  readonly pictures: (entries: readonly Entry[]) => Promise<readonly LabelledImage[]>;
}

/** A data set that is ready to train and validate on. */
export interface LabelledImageDataset extends ImageFacts {
  readonly train: readonly LabelledImage[];
  readonly validation: readonly LabelledImage[];
  readonly test?: readonly LabelledImage[];
}
