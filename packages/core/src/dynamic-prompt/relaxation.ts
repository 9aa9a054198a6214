import * as tf from '@tensorflow/tfjs-core';
import type { PromptConfiguration } from '../configuration.js';
import { candidatesOf } from '../configuration.js';
import { nullThrows } from '../errors.js';

/** Gumbel noise of one batch; a factor without noise is decided by its largest logit. */
export interface ChoiceNoise {
  /** [B, C] */
  readonly position: Float32Array | undefined;
  /** [B, l+1] */
  readonly length: Float32Array | undefined;
  /** [B, m] */
  readonly representation: Float32Array | undefined;
}

/** Inputs of {@link relax}. */
export interface RelaxationInputs {
  readonly configuration: PromptConfiguration;
  /** d */
  readonly width: number;
  /** B */
  readonly batch: number;
  /** Trainable tensors by name. */
  readonly parameters: ReadonlyMap<string, tf.Tensor>;
  /** [B, d], or undefined where no factor is at instance level. */
  readonly features: tf.Tensor2D | undefined;
  readonly noise: ChoiceNoise;
  readonly temperature: number;
}

/** Everything a plan is made of, as differentiable tensors; choices are hard forward and soft backward. */
export interface Relaxation {
  /** [B, l, d] */
  readonly prompts: tf.Tensor3D;
  /** [B, m] mixture over the pool. */
  readonly weights: tf.Tensor2D | undefined;
  /** [B, C] one-hot g. */
  readonly position: tf.Tensor2D | undefined;
  /** [B, l] γ. */
  readonly gates: tf.Tensor2D | undefined;
  /** Mean over the batch of E[length] under softmax of the length logits, without noise. */
  readonly expectedLength: tf.Scalar | undefined;
}

/** The networks of a dynamic prompt. Uses matrix products in place of gathers, so that every tfjs backend can differentiate it. */
export function relax(inputs: RelaxationInputs): Relaxation {
  const { configuration, noise } = inputs;
  const { slots, position, length } = configuration;
  const [prompts, weights] = represent(inputs);

  const positionChoice =
    position.level === 'none'
      ? undefined
      : choose(logitsOf(inputs, 'position', candidatesOf(configuration)), noise.position, inputs);

  if (length.level === 'none') {
    return { prompts, weights, position: positionChoice, gates: undefined, expectedLength: undefined };
  }
  const logits = logitsOf(inputs, 'length', slots + 1);
  const oneHot = choose(logits, noise.length, inputs); // [B, l+1]
  const lengths = tf.reshape<tf.Rank.R2>(tf.range(0, slots + 1), [slots + 1, 1]);
  return {
    prompts,
    weights,
    position: positionChoice,
    gates: tf.matMul(oneHot, gateMatrix(slots)),
    expectedLength: tf.mul(tf.sum(tf.matMul(tf.softmax(logits), lengths)), 1 / inputs.batch),
  };
}

/** [B, l, d] prompts, and the [B, m] mixture they came from where there is a pool. */
function represent(inputs: RelaxationInputs): [tf.Tensor3D, tf.Tensor2D | undefined] {
  const { configuration, batch, width, noise } = inputs;
  const { slots, representation } = configuration;
  const mix = (weights: tf.Tensor2D, pool: tf.Tensor): tf.Tensor3D =>
    tf.reshape(tf.matMul(weights, tf.reshape(pool, [-1, slots * width])), [batch, slots, width]);

  if (representation.kind === 'select') {
    const logits = logitsOf(inputs, 'representation', representation.pool);
    const weights =
      representation.mixture === 'hard' ? choose(logits, noise.representation, inputs) : tf.softmax(logits);
    return [mix(weights, parameter(inputs, 'representation.pool')), weights];
  }
  const prompt = parameter(inputs, 'representation.prompt');
  const prompts = mix(tf.ones([batch, 1]), prompt);
  if (representation.kind === 'fixed') return [prompts, undefined];

  const { rank } = representation;
  const coefficients = affine(inputs, 'representation.update', slots * rank); // [B, l·r]
  const basis = parameter(inputs, 'representation.basis') as tf.Tensor2D;
  const update = tf.matMul(tf.reshape<tf.Rank.R2>(coefficients, [batch * slots, rank]), basis);
  return [tf.add(prompts, tf.reshape(update, [batch, slots, width])), undefined];
}

function logitsOf(inputs: RelaxationInputs, name: string, count: number): tf.Tensor2D {
  const logits = affine(inputs, name, count);
  return inputs.configuration.reluLogits ? tf.relu(logits) : logits;
}

/** W h + b, [B, count]; b alone at task level. */
function affine(inputs: RelaxationInputs, name: string, count: number): tf.Tensor2D {
  const bias = tf.reshape<tf.Rank.R2>(parameter(inputs, `${name}.bias`), [1, count]);
  const weight = inputs.parameters.get(`${name}.weight`);
  if (weight === undefined) return tf.matMul(tf.ones([inputs.batch, 1]), bias);
  const features = nullThrows(inputs.features, `'${name}' is at instance level and needs features`);
  return tf.add(tf.matMul(features, weight as tf.Tensor2D, false, true), bias);
}

/**
 * Gumbel-Softmax, straight-through: one-hot arg-max of (logits + noise) forward, derivative of softmax((logits + noise) / τ)
 * backward. Source: Jang et al. 2017 (arXiv 1611.01144), section 2.1.
 */
function choose(logits: tf.Tensor2D, noise: Float32Array | undefined, inputs: RelaxationInputs): tf.Tensor2D {
  const shape = logits.shape;
  const noisy = noise === undefined ? logits : tf.add(logits, tf.tensor2d(noise, shape));
  return straightThrough(tf.softmax(tf.mul(noisy, 1 / inputs.temperature)));
}

function straightThrough(soft: tf.Tensor2D): tf.Tensor2D {
  const oneHot = tf.customGrad((input) => ({
    value: tf.cast(tf.oneHot(tf.argMax(input as tf.Tensor, -1), soft.shape[1]), 'float32'),
    gradFunc: (gradient: tf.Tensor) => gradient,
  }));
  return oneHot(soft) as tf.Tensor2D;
}

/** M [l+1, l] with M_{j,i} = 1 where token i is on at length j, so that γ = len M: γ_i = Σ_{j>i} len_j for i = 0..l−1. */
function gateMatrix(slots: number): tf.Tensor2D {
  const values = new Float32Array((slots + 1) * slots);
  for (let length = 0; length <= slots; length++) {
    values.fill(1, length * slots, length * slots + length);
  }
  return tf.tensor2d(values, [slots + 1, slots]);
}

function parameter(inputs: RelaxationInputs, name: string): tf.Tensor {
  return nullThrows(inputs.parameters.get(name), `parameter '${name}' exists`);
}
