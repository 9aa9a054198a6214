import { type ParameterSet, stream } from '@dynaprompt/core';

import type { CheckpointContent } from '../checkpoint/format.js';

/** A checkpoint whose content follows from its step alone; every third step finds a new best. */
export function contentAt(step: number): CheckpointContent {
  const best = step - (step % 3);
  return {
    run: { method: 'drawn', seed: 1 },
    seconds: step / 10,
    state: {
      step,
      parameters: drawn(`parameters ${step}`, 3000),
      optimiser: { step, tensors: drawn(`optimiser ${step}`, 5000) },
      featureStatistics: { mean: Float32Array.of(step, 1), std: Float32Array.of(2, 3) },
      streams: [stream(step, 'choices').state()],
      history: {
        losses: [{ step, value: 1 / step }],
        evaluations: [
          {
            step: best,
            scores: [best, NaN],
            usage: [undefined, { positions: [1, step], lengths: undefined, pool: undefined }],
          },
        ],
        skipped: [{ step: 1, quantity: 'the loss', exampleIds: ['a', 'b'] }],
        best: { step: best, score: -Infinity, parameters: drawn(`best ${best}`, 3000) },
      },
    },
  };
}

function drawn(name: string, count: number): ParameterSet {
  const random = stream(1, name);
  const values = Float32Array.from({ length: count }, () => random.normal());
  return new Map([
    ['one', { shape: [count / 4, 4], values }],
    ['group/two', { shape: [1], values: Float32Array.of(-0) }],
  ]);
}
