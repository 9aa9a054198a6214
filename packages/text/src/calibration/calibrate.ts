import type { FrozenBackbone } from '@dynaprompt/core';
import type { HeadOptions } from '../backbone/head.js';
import type { TextExample } from '../tokenization/encode.js';
import { calibrationBiases } from './biases.js';
import { CONTENT_FREE, pendingCalibration, type CalibrationOptions } from './options.js';

/**
 * Computes the biases of a head with the frozen model, without a prompt.
 * @param uncalibrated the model with the same head without biases; it is released.
 * @returns the options with their biases.
 * @throws DataError if the template needs more than a text that says nothing.
 */
export async function calibrate(
  options: HeadOptions,
  uncalibrated: FrozenBackbone<TextExample>,
): Promise<HeadOptions> {
  const method = pendingCalibration(options);
  try {
    if (method === undefined || options.kind !== 'verbalizer') return options;
    const { contentFree = CONTENT_FREE[method] }: CalibrationOptions = options;
    const logits: number[] = [];
    // One by one: what a text is batched with must not matter to the last bit, or to quantised activations.
    for (const text of contentFree) {
      const example = { id: `content-free "${text}"`, text, pair: text };
      logits.push(...(await uncalibrated.predict([example], undefined, new Map())));
    }
    const { classes } = uncalibrated;
    return { ...options, biases: calibrationBiases(method, Float32Array.from(logits), classes) };
  } finally {
    await uncalibrated.release();
  }
}
