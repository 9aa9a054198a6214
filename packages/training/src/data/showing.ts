import { nullThrows } from '@dynaprompt/core';

import type { TrainingExample } from '../training/options.js';

/** Which showing of a training example it is. */
export interface ShowingOfExample {
  /** How often it was shown before in this run. */
  readonly epoch: number;
  /** Its place among the training examples. */
  readonly index: number;
}

/** Makes of a training example what a step shows the backbone, such as an augmented picture. Features stay those of the example. */
export type Augment<Example> = (example: Example, showing: ShowingOfExample) => Example;

/** A task whose examples may be augmented. */
export interface ShownTask<Example> {
  readonly train: readonly TrainingExample<Example>[];
  readonly augment?: Augment<Example> | undefined;
}

/** Shows batches; each of them is shown or passed once, in the order of the steps. */
export interface Showing<Example> {
  /** Examples of a batch as the step shows them. */
  readonly show: (
    task: ShownTask<Example>,
    examples: readonly TrainingExample<Example>[],
  ) => readonly TrainingExample<Example>[];
  /** Counts a batch whose step was taken before this run went on. */
  readonly pass: (task: ShownTask<Example>, examples: readonly TrainingExample<Example>[]) => void;
}

/** Shows the batches of a run. */
export function showExamples<Example>(): Showing<Example> {
  const epochs = new Map<TrainingExample<Example>, number>();
  const places = new Map<ShownTask<Example>, ReadonlyMap<TrainingExample<Example>, number>>();
  const epochOf = (shown: TrainingExample<Example>): number => {
    const epoch = epochs.get(shown) ?? 0;
    epochs.set(shown, epoch + 1);
    return epoch;
  };
  return {
    show(task, examples) {
      const { augment, train } = task;
      if (augment === undefined) return examples;
      const place = places.get(task) ?? new Map(train.map((example, index) => [example, index]));
      places.set(task, place);
      return examples.map((shown) => {
        const epoch = epochOf(shown);
        const index = nullThrows(place.get(shown), 'a batch holds training examples');
        return { ...shown, example: augment(shown.example, { epoch, index }) };
      });
    },
    pass({ augment }, examples) {
      if (augment !== undefined) examples.forEach(epochOf);
    },
  };
}
