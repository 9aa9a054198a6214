import * as tf from '@tensorflow/tfjs-core';
import type { PromptConfiguration } from '../configuration.js';
import type { ParameterTensor } from '../contracts/tensor.js';
import { nullThrows } from '../errors.js';
import type { RandomStream } from '../random/stream.js';

const prefix = 'reparameterisation.';

/** The trained rows of a representation: one prompt, or a pool of them. */
export function promptName({ representation }: PromptConfiguration): string {
  return representation.kind === 'select' ? 'representation.pool' : 'representation.prompt';
}

/** Whether a parameter belongs to the perceptron, which is not needed any more once prompts are collapsed. */
export function isReparameterisation(name: string): boolean {
  return name.startsWith(prefix);
}

/**
 * Prompt rows as the backbone sees them, [rows, d]: the trained E [rows, d] itself, or P-tuning's
 *
 * ```
 * P = E + W₃ relu(W₂ relu(W₁ E + b₁) + b₂) + b₃
 * ```
 *
 * Sources: the perceptron is that of P-tuning (Liu et al. 2021, arXiv 2103.10385) as PEFT has it; the residual term is that of
 * Residual Prompt Tuning (Razdaibiedina et al. 2023, arXiv 2305.03937). It lets P start exactly at chosen rows, where a plain
 * MLP(E) starts from noise, and gives E a gradient of its own from the first step on.
 */
export function promptRows(
  configuration: PromptConfiguration,
  parameters: ReadonlyMap<string, tf.Tensor>,
  width: number,
): tf.Tensor2D {
  const find = (name: string): tf.Tensor => nullThrows(parameters.get(name), `parameter '${name}' exists`);
  const rows = tf.reshape<tf.Rank.R2>(find(promptName(configuration)), [-1, width]);
  if (configuration.reparameterisation.kind === 'none') return rows;
  const dense = (input: tf.Tensor2D, layer: string): tf.Tensor2D => {
    const weight = find(`${prefix}${layer}.weight`) as tf.Tensor2D;
    return tf.add(tf.matMul(input, weight, false, true), find(`${prefix}${layer}.bias`));
  };
  const hidden = tf.relu(dense(tf.relu(dense(rows, 'input')), 'hidden'));
  return tf.add(rows, dense(hidden, 'output'));
}

/**
 * The perceptron's first values: biases and W₃ zero, so that P = E; W₁ ~ N(0, 2 / (d rms(E)²)), W₂ ~ N(0, 2 / h), so that hidden
 * activations have mean square 1 however small the rows of the embedding table are. Source: He et al. 2015
 * (arXiv 1502.01852), equation 10.
 */
export function initialReparameterisation(
  hidden: number,
  width: number,
  meanSquare: number,
  random: RandomStream,
): [string, ParameterTensor][] {
  const normals = (count: number, variance: number): Float32Array =>
    Float32Array.from({ length: count }, () => Math.sqrt(variance) * random.normal());
  const layer = (
    name: string,
    shape: [number, number],
    values: Float32Array,
  ): [string, ParameterTensor][] => [
    [`${prefix}${name}.weight`, { shape, values }],
    [`${prefix}${name}.bias`, { shape: [shape[0]], values: new Float32Array(shape[0]) }],
  ];
  return [
    ...layer('input', [hidden, width], normals(hidden * width, 2 / (width * meanSquare))),
    ...layer('hidden', [hidden, hidden], normals(hidden * hidden, 2 / hidden)),
    ...layer('output', [width, hidden], new Float32Array(width * hidden)),
  ];
}
