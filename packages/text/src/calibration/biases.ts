import type { CalibrationMethod } from './options.js';

/**
 * Biases b_y for the logits s_y of the classes, from the logits s(c) of texts c that say nothing, [texts, classes]; rounded to float32.
 *
 * - `contextual`: b_y = −log p̄_y with p̄ = mean over c of softmax(s(c)). softmax(s + b) is then W softmax(s), normalised, with
 *   W = diag(p̄)⁻¹: contextual calibration (Zhao et al. 2021, section 5).
 * - `pmi`: b_y = −mean over c of log softmax(s(c))_y. With c the premise alone, s_y + b_y is log p(y | text) − log p(y | premise) up
 *   to a number that all classes share: domain-conditional pointwise mutual information (Holtzman et al. 2021, section 3).
 *
 * Of one text both are the same.
 */
export function calibrationBiases(
  method: CalibrationMethod,
  logits: Float32Array,
  classes: number,
): number[] {
  const texts = logits.length / classes;
  const rows = Array.from({ length: texts }, (_, row) =>
    logSoftmax(Array.from(logits.subarray(row * classes, (row + 1) * classes))),
  );
  return Array.from({ length: classes }, (_, index) => {
    const logs = rows.map((row) => row[index] ?? 0);
    const mean = method === 'pmi' ? sum(logs) / texts : logSumExp(logs) - Math.log(texts);
    return Math.fround(-mean);
  });
}

function logSoftmax(values: readonly number[]): number[] {
  const norm = logSumExp(values);
  return values.map((value) => value - norm);
}

function logSumExp(values: readonly number[]): number {
  const most = Math.max(...values);
  return most + Math.log(sum(values.map((value) => Math.exp(value - most))));
}

function sum(values: readonly number[]): number {
  return values.reduce((left, right) => left + right, 0);
}
