import { type FrozenBackbone, type LabelledBatch, nullThrows } from '@dynaprompt/core';

import { softmaxCrossEntropy } from './softmax-cross-entropy.js';

/** Logit of a candidate that is not there. */
const impossible = -1e9;

/** What the outputs of a linear head are to a batch: R rows of the layer's outputs become logits [B, classes] and a loss. */
export interface Readout<Example> {
  /** Outputs of the layer. */
  readonly outputs: number;
  /** [R] the inputs that the layer reads for some examples, one behind the other. */
  readonly inputsOf: (examples: readonly Example[]) => readonly Example[];
  /** [B, classes] of outputs [R, outputs]. */
  logits(outputs: Float32Array, examples: readonly Example[]): Float32Array;
  /** Mean loss over the batch, and its gradient [R, outputs]. */
  loss(
    outputs: Float32Array,
    batch: LabelledBatch<Example>,
  ): { readonly loss: number; readonly gradient: Float32Array };
}

/** How the linear head of a backbone is read: as classes, as a number, or as scores of candidates. */
export function readoutOf<Example>(
  backbone: Pick<FrozenBackbone<Example>, 'classes' | 'range' | 'candidatesOf'>,
): Readout<Example> {
  const { classes, range, candidatesOf } = backbone;
  if (range !== undefined) return numberReadout(range);
  if (candidatesOf !== undefined) return candidateReadout(candidatesOf, classes);
  return {
    outputs: classes,
    inputsOf: (examples) => examples,
    logits: (outputs) => outputs,
    loss: (outputs, { labels }) => softmaxCrossEntropy(outputs, labels, classes),
  };
}

/** Numbers in units of the range; the loss is the mean of (output − target)². */
function numberReadout<Example>([lowest, highest]: readonly [number, number]): Readout<Example> {
  const span = highest - lowest;
  return {
    outputs: 1,
    inputsOf: (examples) => examples,
    logits: (outputs) => outputs.map((output) => lowest + span * output),
    loss(outputs, { targets }) {
      const answers = nullThrows(targets, 'a batch of numbers has targets');
      const differences = outputs.map((output, row) => output - ((answers[row] ?? NaN) - lowest) / span);
      const count = outputs.length;
      return {
        loss: differences.reduce((sum, difference) => sum + difference ** 2 / count, 0),
        gradient: differences.map((difference) => (2 * difference) / count),
      };
    },
  };
}

/** One score for every candidate of an example. */
function candidateReadout<Example>(
  candidatesOf: (example: Example) => readonly Example[],
  most: number,
): Readout<Example> {
  /** Place among the logits of every row. */
  const placesOf = (examples: readonly Example[]): readonly number[] =>
    examples.flatMap((example, index) =>
      candidatesOf(example).map((_, candidate) => index * most + candidate),
    );
  const logits = (outputs: Float32Array, examples: readonly Example[]): Float32Array => {
    const scores = new Float32Array(examples.length * most).fill(impossible);
    placesOf(examples).forEach((place, row) => (scores[place] = outputs[row] ?? NaN));
    return scores;
  };
  return {
    outputs: 1,
    inputsOf: (examples) => examples.flatMap((example) => candidatesOf(example)),
    logits,
    loss(outputs, { examples, labels }) {
      const { loss, gradient } = softmaxCrossEntropy(logits(outputs, examples), labels, most);
      return { loss, gradient: Float32Array.from(placesOf(examples), (place) => gradient[place] ?? NaN) };
    },
  };
}
