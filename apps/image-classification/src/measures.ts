import { confusionMatrix, expectedCalibrationError, meanPerClassAccuracy } from '@dynaprompt/benchmarks';
import type { Measures, TaskSet } from '@dynaprompt/runner';
import type { Evaluation } from '@dynaprompt/training';

/** Confusion matrix, mean accuracy of the classes and expected calibration error of an evaluation on pictures. */
export function measure(
  { predictions, logits }: Pick<Evaluation, 'predictions' | 'logits'>,
  { validation, labels }: Pick<TaskSet<unknown>, 'validation' | 'labels'>,
): Measures {
  const expected = validation.map(({ label }) => label);
  const classes = labels.length;
  return {
    confusion: confusionMatrix(predictions, expected, classes),
    measures: {
      'mean accuracy of the classes': meanPerClassAccuracy(predictions, expected),
      'expected calibration error': expectedCalibrationError(softmax(logits, classes), expected, classes),
    },
  };
}

/** Of every row of [N, classes]. */
function softmax(logits: Float32Array, classes: number): Float64Array {
  const result = new Float64Array(logits.length);
  for (let start = 0; start < logits.length; start += classes) {
    const row = logits.subarray(start, start + classes);
    const largest = row.reduce((most, logit) => Math.max(most, logit), -Infinity);
    const sum = row.reduce((total, logit) => total + Math.exp(logit - largest), 0);
    row.forEach((logit, label) => {
      result[start + label] = Math.exp(logit - largest) / sum;
    });
  }
  return result;
}
