import type { ChoiceUsage } from './training/usage.js';

/** What a training run tells while it works. Events are plain data, safe to send to another process. */
export type TrainingEvent =
  StartedEvent | FeaturesEvent | StepEvent | EvaluatedEvent | NoticeEvent | FinishedEvent;

/** Before the first step, when the features are there. */
export interface StartedEvent {
  readonly type: 'started';
  readonly method: string;
  readonly seed: number;
  readonly steps: number;
  readonly trainExamples: number;
  readonly validationExamples: number;
  /** Numbers that the optimiser may change: prompt, networks and head, or all weights. */
  readonly trainableParameters: number;
  /** Steps that were taken before the run was interrupted; absent where it begins. */
  readonly resumedFrom?: number;
}

/** Features of the frozen model are being computed; not told when all of them are cached. */
export interface FeaturesEvent {
  readonly type: 'features';
  readonly method: string;
  readonly seed: number;
  readonly done: number;
  readonly total: number;
}

/** After an optimiser step. */
export interface StepEvent {
  readonly type: 'step';
  readonly method: string;
  readonly seed: number;
  /** Whose examples the step saw; absent where there is one task only. */
  readonly task?: string;
  /** 1 … steps */
  readonly step: number;
  readonly steps: number;
  /** Mean cross-entropy of the step's examples, nats. */
  readonly loss: number;
  /** What the objective adds to the loss: length penalty and balance of the pool. */
  readonly penalty: number;
  /** L2 norm of the gradient before clipping. */
  readonly gradientNorm: number;
  /** Gumbel-Softmax temperature of the step; absent where the method chooses nothing. */
  readonly temperature: number | undefined;
  /** Factor that the schedule put on the learning rates. */
  readonly learningRateFactor: number;
  /** Over the last steps. */
  readonly examplesPerSecond: number;
}

/** After the validation examples were predicted. */
export interface EvaluatedEvent {
  readonly type: 'evaluated';
  readonly method: string;
  readonly seed: number;
  readonly step: number;
  /** Mean over the tasks where there are several. */
  readonly score: number;
  readonly best: number;
  /** Scores by task; absent where there is one only. */
  readonly tasks?: Readonly<Record<string, number>>;
  /** What the prompt chose, in the order of the tasks; absent where nothing is chosen. */
  readonly usage?: readonly (ChoiceUsage | undefined)[];
}

/** Something the user should know, in one line. */
export interface NoticeEvent {
  readonly type: 'notice';
  readonly method: string;
  readonly seed: number;
  readonly message: string;
}

/** After the last step and evaluation. */
export interface FinishedEvent {
  readonly type: 'finished';
  readonly method: string;
  readonly seed: number;
  readonly final: number;
  readonly best: number;
  readonly seconds: number;
}

/** An event before the run has signed it with its method and seed. */
export type UnsignedEvent = TrainingEvent extends infer Event
  ? Event extends TrainingEvent
    ? Omit<Event, 'method' | 'seed'>
    : never
  : never;

/** Is told how training goes; what it throws stops the run. */
export type TrainingListener = (event: TrainingEvent) => void;
