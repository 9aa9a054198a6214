import * as tf from '@tensorflow/tfjs-core';
import type { PromptConfiguration } from '../configuration.js';
import { candidatesOf } from '../configuration.js';
import { nullThrows } from '../errors.js';
import { promptRows } from './reparameterisation.js';

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
  /** L */
  readonly layers: number;
  /** Index of the batch's task; undefined where there is one task only. */
  readonly task: number | undefined;
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
  /** [B, L, l, d] */
  readonly prompts: tf.Tensor4D;
  /** [B, m] mixture over the pool. */
  readonly weights?: tf.Tensor2D;
  /** CV² of the pool's mean weights over the batch, under softmax of the pool's logits, without noise. */
  readonly imbalance?: tf.Scalar;
  /** [B, C] one-hot g. */
  readonly position?: tf.Tensor2D;
  /** [B, l] γ. */
  readonly gates?: tf.Tensor2D;
  /** Mean over the batch of E[length] under softmax of the length logits, without noise. */
  readonly expectedLength?: tf.Scalar;
}

/** The networks of a dynamic prompt. Uses matrix products in place of gathers, so that every tfjs backend can differentiate it. */
export function relax(inputs: RelaxationInputs): Relaxation {
  return { ...represent(inputs), ...place(inputs), ...measure(inputs) };
}

function place(inputs: RelaxationInputs): Pick<Relaxation, 'position'> {
  const { configuration, noise } = inputs;
  if (configuration.position.level === 'none') return {};
  const logits = logitsOf(inputs, 'position', candidatesOf(configuration));
  return { position: choose(logits, noise.position, inputs) };
}

function measure(inputs: RelaxationInputs): Pick<Relaxation, 'gates' | 'expectedLength'> {
  const { configuration, noise, batch } = inputs;
  const { slots, length } = configuration;
  if (length.level === 'none') return {};
  const logits = logitsOf(inputs, 'length', slots + 1);
  const oneHot = choose(logits, noise.length, inputs); // [B, l+1]
  const lengths = tf.reshape<tf.Rank.R2>(tf.range(0, slots + 1), [slots + 1, 1]);
  return {
    gates: tf.matMul(oneHot, gateMatrix(slots)),
    expectedLength: tf.mul(tf.sum(tf.matMul(tf.softmax(logits), lengths)), 1 / batch),
  };
}

function represent(inputs: RelaxationInputs): Pick<Relaxation, 'prompts' | 'weights' | 'imbalance'> {
  const { configuration, parameters, batch, layers, width, noise } = inputs;
  const { slots, representation } = configuration;
  const rows = layers * slots;
  const shape: [number, number, number, number] = [batch, layers, slots, width];
  const pool = tf.reshape<tf.Rank.R2>(promptRows(configuration, parameters, width), [-1, rows * width]);
  const mix = (weights: tf.Tensor2D): tf.Tensor4D => tf.reshape(tf.matMul(weights, pool), shape);

  if (representation.kind === 'select') {
    const logits = logitsOf(inputs, 'representation', representation.pool);
    const probabilities = tf.softmax(logits);
    const weights =
      representation.mixture === 'hard' ? choose(logits, noise.representation, inputs) : probabilities;
    return { prompts: mix(weights), weights, imbalance: imbalanceOf(probabilities) };
  }
  const prompts = mix(tf.ones([batch, 1]));
  if (representation.kind === 'fixed') return { prompts };

  const { rank } = representation;
  const coefficients = affine(inputs, 'representation.update', rows * rank); // [B, L·l·r]
  const basis = parameter(inputs, 'representation.basis') as tf.Tensor2D;
  const update = tf.matMul(tf.reshape<tf.Rank.R2>(coefficients, [batch * rows, rank]), basis);
  return { prompts: tf.add(prompts, tf.reshape(update, shape)) };
}

/**
 * CV² = m Σ_i w̄_i² − 1 of w̄ = mean over the batch of [B, m] weights: 0 where all entries are used alike, m − 1 where all
 * examples use one. Source: the importance loss of Shazeer et al. 2017 (arXiv 1701.06538), section 4; Switch Transformer's
 * m Σ f_i P_i (Fedus et al. 2021, arXiv 2101.03961, equation 4) is the same up to the constant where f = P.
 */
function imbalanceOf(weights: tf.Tensor2D): tf.Scalar {
  const [batch, entries] = weights.shape;
  const mean = tf.mul(tf.sum(weights, 0), 1 / batch);
  return tf.add(tf.mul(tf.sum(tf.mul(mean, mean)), entries), -1);
}

function logitsOf(inputs: RelaxationInputs, name: string, count: number): tf.Tensor2D {
  const logits = affine(inputs, name, count);
  return inputs.configuration.reluLogits ? tf.relu(logits) : logits;
}

/** W h + b, [B, count]; b alone at task level. With several tasks b is the row of the batch's own in [tasks, count]. */
function affine(inputs: RelaxationInputs, name: string, count: number): tf.Tensor2D {
  const biases = tf.reshape<tf.Rank.R2>(parameter(inputs, `${name}.bias`), [-1, count]);
  const bias = inputs.task === undefined ? biases : tf.matMul(taskRow(inputs.task, biases.shape[0]), biases);
  const weight = inputs.parameters.get(`${name}.weight`);
  if (weight === undefined) return tf.matMul(tf.ones([inputs.batch, 1]), bias);
  const features = nullThrows(inputs.features, `'${name}' is at instance level and needs features`);
  return tf.add(tf.matMul(features, weight as tf.Tensor2D, false, true), bias);
}

/** One-hot [1, tasks]. */
function taskRow(task: number, tasks: number): tf.Tensor2D {
  return tf.tensor2d(
    Float32Array.from({ length: tasks }, (_, index) => (index === task ? 1 : 0)),
    [1, tasks],
  );
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
