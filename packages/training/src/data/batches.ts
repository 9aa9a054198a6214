import type { LabelledBatch } from '@dynaprompt/core';

import type { TrainingExample } from '../training/options.js';

/** Examples as a batch. */
export function labelledBatch<Example>(
  examples: readonly TrainingExample<Example>[],
): LabelledBatch<Example> {
  const labels = Int32Array.from(examples, ({ label }) => label);
  const texts = examples.map(({ example }) => example);
  if (examples.every(({ target }) => target === undefined)) return { examples: texts, labels };
  return { examples: texts, labels, targets: Float32Array.from(examples, ({ target }) => target ?? NaN) };
}

/** Examples `start` … `end` − 1 of a batch. */
export function batchRows<Example>(
  { examples, labels, targets }: LabelledBatch<Example>,
  start: number,
  end: number,
): LabelledBatch<Example> {
  const rows = { examples: examples.slice(start, end), labels: labels.slice(start, end) };
  return targets === undefined ? rows : { ...rows, targets: targets.slice(start, end) };
}
