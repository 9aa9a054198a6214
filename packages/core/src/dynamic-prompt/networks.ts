import * as tf from '@tensorflow/tfjs-core';
import { requireBackend } from '../backend/select-backend.js';
import type { PromptConfiguration } from '../configuration.js';
import { fixedCandidateOf } from '../configuration.js';
import type { PlanGradient } from '../contracts/plan.js';
import type { GradientSet, ParameterSet } from '../contracts/tensor.js';
import { nullThrows } from '../errors.js';
import { clipGateGradient } from './gate-gradient.js';
import { joinLayers } from './layers.js';
import { relax } from './relaxation.js';
import type { Relaxation, RelaxationInputs } from './relaxation.js';
import { promptRows } from './reparameterisation.js';

/** One batch for the networks, in host memory: nothing stays in tfjs between a plan and its backward pass. */
export interface NetworkInputs extends Omit<RelaxationInputs, 'parameters' | 'features'> {
  readonly parameters: ParameterSet;
  /** [B, d] */
  readonly features: Float32Array | undefined;
}

/** Outputs of {@link evaluate}, in host memory. */
export interface NetworkOutputs {
  /** [B, L, l, d] */
  readonly prompts: Float32Array;
  /** [B] chosen candidate. */
  readonly position: Int32Array;
  /** [B] chosen length. */
  readonly length: Int32Array;
  /** [B, l] */
  readonly gates: Float32Array | undefined;
  /** [B, m] */
  readonly weights: Float32Array | undefined;
  readonly penalty: number;
  readonly balance: number;
}

/** Runs the networks forward. Throws a `ConfigurationError` when no backend is selected. */
export function evaluate(inputs: NetworkInputs): NetworkOutputs {
  requireBackend();
  const { configuration, batch } = inputs;
  const { slots } = configuration;
  const costs = costsOf(configuration);
  return tidy(() => {
    const outputs = relaxed(inputs, parameterTensors(inputs.parameters));
    const { prompts, weights, position, gates, imbalance, expectedLength } = outputs;
    const choice = position && tf.argMax(position, 1).dataSync();
    const lengths = gates && tf.sum(gates, 1).dataSync();
    return {
      prompts: floats(prompts),
      position: choice ? Int32Array.from(choice) : constants(batch, fixedCandidateOf(configuration)),
      length: lengths ? Int32Array.from(lengths) : constants(batch, slots),
      gates: gates && floats(gates),
      weights: weights && floats(weights),
      penalty: expectedLength ? costs.length * scalar(expectedLength) : 0,
      balance: imbalance ? costs.imbalance * scalar(imbalance) : 0,
    };
  });
}

/** Prompt rows with the reparameterisation applied, of the shape of the trained tensor they replace, [..., l, d]. */
export function effectiveRows(
  configuration: PromptConfiguration,
  parameters: ParameterSet,
  width: number,
): Float32Array {
  requireBackend();
  return tidy(() => floats(promptRows(configuration, parameterTensors(parameters), width)));
}

/**
 * Vector-Jacobian product: gradients of ⟨outputs, incoming gradients⟩ + penalty + balance for every parameter.
 *
 * @param gates [B, l] γ that {@link evaluate} gave.
 */
export function differentiate(
  inputs: NetworkInputs,
  incoming: PlanGradient,
  gates: Float32Array | undefined,
): GradientSet {
  requireBackend();
  const names = [...inputs.parameters.keys()];
  const { batch, configuration } = inputs;
  const clipped = configuration.length.gateGradient === 'clipped' && gates && incoming.gates;
  const upstream: Upstream = {
    prompts: joinLayers(incoming.prompts, incoming.deep, batch),
    position: incoming.position,
    gates: clipped ? clipGateGradient(clipped, gates) : incoming.gates,
  };
  const gradients = tidy(() => {
    const surrogate = (...values: tf.Tensor[]): tf.Tensor => {
      const tensors = new Map(
        names.map((name, index) => [name, nullThrows(values[index], `a value for '${name}'`)]),
      );
      return pairing(relaxed(inputs, tensors), upstream, configuration);
    };
    return tf
      .grads(surrogate)([...parameterTensors(inputs.parameters).values()])
      .map(floats);
  });
  return new Map(
    names.map((name, index) => [name, nullThrows(gradients[index], `a gradient for '${name}'`)]),
  );
}

interface Upstream {
  /** [B, L, l, d] */
  readonly prompts: Float32Array;
  readonly position: Float32Array | undefined;
  readonly gates: Float32Array | undefined;
}

/** μ of the terms that the prompt adds to the loss; 0 leaves a term out. */
function costsOf({ length, representation }: PromptConfiguration): Record<'length' | 'imbalance', number> {
  return {
    length: length.penalty,
    imbalance: representation.kind === 'select' ? representation.balance : 0,
  };
}

/** ⟨outputs, upstream⟩ + μ · expected length + μ · imbalance. */
function pairing(outputs: Relaxation, upstream: Upstream, configuration: PromptConfiguration): tf.Tensor {
  const { prompts, position, gates, expectedLength, imbalance } = outputs;
  const costs = costsOf(configuration);
  const terms = [inner(prompts, upstream.prompts)];
  if (position) terms.push(inner(position, upstream.position));
  if (gates) terms.push(inner(gates, upstream.gates));
  if (expectedLength) terms.push(tf.mul(expectedLength, costs.length));
  if (imbalance && costs.imbalance > 0) terms.push(tf.mul(imbalance, costs.imbalance));
  return terms.reduce((sum, term) => tf.add(sum, term));
}

function inner(output: tf.Tensor, gradient: Float32Array | undefined): tf.Tensor {
  const values = nullThrows(gradient, 'a gradient for every output');
  return tf.sum(tf.mul(output, tf.tensor(values, output.shape)));
}

function relaxed(inputs: NetworkInputs, parameters: ReadonlyMap<string, tf.Tensor>): Relaxation {
  const { features, batch, width } = inputs;
  return relax({
    ...inputs,
    parameters,
    features: features && tf.tensor2d(features, [batch, width]),
  });
}

function parameterTensors(parameters: ParameterSet): Map<string, tf.Tensor> {
  return new Map([...parameters].map(([name, { values, shape }]) => [name, tf.tensor(values, [...shape])]));
}

/** `tf.tidy` for results in host memory, which it would search for tensors number by number. */
function tidy<Result>(compute: () => Result): Result {
  const results: Result[] = [];
  tf.tidy(() => {
    results.push(compute());
  });
  return results[0] as Result;
}

/** A copy: some backends hand out memory of their own. */
function floats(tensor: tf.Tensor): Float32Array {
  return tensor.dataSync<'float32'>().slice();
}

function scalar(tensor: tf.Scalar): number {
  return nullThrows(tensor.dataSync<'float32'>()[0], 'a scalar has a value');
}

function constants(count: number, value: number | undefined): Int32Array {
  return new Int32Array(count).fill(nullThrows(value, 'a factor that is not learned is fixed'));
}
