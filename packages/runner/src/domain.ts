import type {
  Baselines,
  ConfusionMatrix,
  InspectedPart,
  Inspection,
  MetricName,
  SkippedRows,
} from '@dynaprompt/benchmarks';
import type { FrozenBackbone } from '@dynaprompt/core';
import type { Adapter, Augment, Evaluation, TrainingExample, TrainingMethod } from '@dynaprompt/training';

import type { Application } from './application.js';
import type { ReadPieces } from './adapter/prompted-sequence.js';
import type { ComparisonOptions } from './options/comparison.js';
import type { StudyOptions } from './study/options.js';

/** Data of a task, ready to train and validate on. */
export interface TaskSet<Example> {
  readonly name: string;
  /** One or two sentences: what an example is, what the classes mean. */
  readonly description: string;
  readonly license: string;
  /** Where the data came from: a package, a publication, a folder. */
  readonly source: string;
  /** What has to be said wherever results are shown. */
  readonly attribution?: string;
  /** Names of the classes. */
  readonly labels: readonly string[];
  readonly train: readonly TrainingExample<Example>[];
  readonly validation: readonly TrainingExample<Example>[];
  readonly metric: MetricName;
  /** What was left out because it was bad. */
  readonly skipped?: SkippedRows;
}

/** What is known of an evaluation besides its score. */
export interface Measures {
  readonly confusion?: ConfusionMatrix;
  /** By name; shown as hundredths. */
  readonly measures?: Readonly<Record<string, number>>;
}

/** How classes are read off a backbone: the kind of head and its options, as an adapter keeps them. */
export interface Head {
  readonly kind: string;
}

/** A backbone that was opened with the head of a task; whoever opened it releases it. */
export interface OpenBackbone<Example> {
  readonly backbone: FrozenBackbone<Example>;
  /** What methods without a prompt are trained on, where their head reads something else; default: the backbone. */
  readonly probe?: FrozenBackbone<Example>;
  /** The backbone that a method is trained on, where they differ further; `release` of `backbone` releases them all. */
  readonly forMethod?: (method: TrainingMethod) => Promise<FrozenBackbone<Example>>;
  readonly head: Head;
  /** What training steps show of the examples; default: the examples themselves. */
  readonly augment?: Augment<Example>;
  /** How an example looks to this backbone, for the inspector of the report; absent where that is not shown. */
  readonly show?: (example: Example, seenBy: SeenBy) => Promise<SeenExample>;
  /** What else is measured of a trained run, by name, such as its score on other classes; absent where there is nothing. */
  readonly measureFurther?: (run: TunedRun) => Promise<Readonly<Record<string, number>>>;
}

/** Whose example is shown. */
export interface SeenBy {
  readonly method: string;
  /** The class or candidate that was said. */
  readonly prediction: number;
}

/** A run after its last step. */
export interface TunedRun {
  readonly method: string;
  /** On the examples that are scored. */
  readonly score: number;
  /** What was trained; absent where nothing was, or the backbone itself. */
  readonly adapter: Adapter | undefined;
}

/** What a backbone reads of an example, piece by piece, and how people see it. */
export interface SeenExample extends ReadPieces<InspectedPart> {
  readonly input: Inspection['input'];
  /** What another part of the model reads besides; `isPrompted`: the prompt stands in it too. */
  readonly beside?: ReadPieces<InspectedPart> & { readonly isPrompted: boolean };
  /** The right answer, where it need not be one of the classes. */
  readonly label?: string | undefined;
}

/** A task with its backbone. */
export interface OpenTask<Example> extends OpenBackbone<Example> {
  readonly data: TaskSet<Example>;
}

/** A task whose backbone is not open yet. */
export interface LoadedTask<Example> {
  readonly data: TaskSet<Example>;
  /** Opens the backbone with the head that the task needs. */
  open(): Promise<OpenBackbone<Example>>;
}

/** A task of a study. */
export interface LoadedStudyTask<Example> extends LoadedTask<Example> {
  /** Hexadecimal SHA-256 of all examples: the same data has the same one, wherever it lies. */
  fingerprint(): Promise<string>;
}

/** What comparisons and studies have to know of one kind of example. */
export interface Domain<
  Example,
  Options extends ComparisonOptions = ComparisonOptions,
  Study extends StudyOptions = StudyOptions,
> {
  readonly application: Application;
  /** Loads the data of every task that is compared on, in order. */
  load(options: Options, signal: AbortSignal): Promise<readonly LoadedTask<Example>[]>;
  /** Measures of a run's last evaluation besides the score, for the results; absent where there are none. */
  measure?(evaluation: Evaluation, data: TaskSet<Example>): Measures;
  /** Answers to compare with besides the most frequent class, by what they are; absent where there are none. */
  baselines?(data: TaskSet<Example>): Baselines;
  /** Loads a task of a study, whose data lie below `dataRoot`. Its backbone is opened with one thread. */
  loadStudyTask(name: string, options: Study, dataRoot: string): Promise<LoadedStudyTask<Example>>;
  /** Options of the application's own that decide what a run of a study gives; part of the run's key. */
  runDetails(options: Study): Readonly<Record<string, unknown>>;
}
