import * as tf from '@tensorflow/tfjs-core';
import { requireBackend } from '../backend/select-backend.js';
import type { PromptConfiguration } from '../configuration.js';
import { fixedCandidateOf } from '../configuration.js';
import type { PlanGradient } from '../contracts/plan.js';
import type { GradientSet, ParameterSet } from '../contracts/tensor.js';
import { nullThrows } from '../errors.js';
import { relax } from './relaxation.js';
import type { ChoiceNoise, Relaxation } from './relaxation.js';

/** One batch for the networks, in host memory: nothing stays in tfjs between a plan and its backward pass. */
export interface NetworkInputs {
  readonly configuration: PromptConfiguration;
  readonly width: number;
  readonly batch: number;
  readonly parameters: ParameterSet;
  /** [B, d] */
  readonly features: Float32Array | undefined;
  readonly noise: ChoiceNoise;
  readonly temperature: number;
}

/** Outputs of {@link evaluate}, in host memory. */
export interface NetworkOutputs {
  /** [B, l, d] */
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
}

/** Runs the networks forward. Throws a `ConfigurationError` when no backend is selected. */
export function evaluate(inputs: NetworkInputs): NetworkOutputs {
  requireBackend();
  const { configuration, batch } = inputs;
  const { slots, length } = configuration;
  return tidy(() => {
    const outputs = relaxed(inputs, parameterTensors(inputs.parameters));
    const { prompts, weights, position, gates, expectedLength } = outputs;
    const choice = position && tf.argMax(position, 1).dataSync();
    const lengths = gates && tf.sum(gates, 1).dataSync();
    return {
      prompts: floats(prompts),
      position: choice ? Int32Array.from(choice) : constants(batch, fixedCandidateOf(configuration)),
      length: lengths ? Int32Array.from(lengths) : constants(batch, slots),
      gates: gates && floats(gates),
      weights: weights && floats(weights),
      penalty: expectedLength ? length.penalty * (expectedLength.dataSync()[0] ?? 0) : 0,
    };
  });
}

/** Vector-Jacobian product: gradients of ⟨outputs, incoming gradients⟩ + penalty for every parameter. */
export function differentiate(inputs: NetworkInputs, incoming: PlanGradient): GradientSet {
  requireBackend();
  const names = [...inputs.parameters.keys()];
  const gradients = tidy(() => {
    const surrogate = (...values: tf.Tensor[]): tf.Tensor => {
      const tensors = new Map(
        names.map((name, index) => [name, nullThrows(values[index], `a value for '${name}'`)]),
      );
      return pairing(relaxed(inputs, tensors), incoming, inputs.configuration.length.penalty);
    };
    return tf
      .grads(surrogate)([...parameterTensors(inputs.parameters).values()])
      .map(floats);
  });
  return new Map(
    names.map((name, index) => [name, nullThrows(gradients[index], `a gradient for '${name}'`)]),
  );
}

/** ⟨outputs, incoming⟩ + μ · expected length. */
function pairing(outputs: Relaxation, incoming: PlanGradient, penalty: number): tf.Tensor {
  const terms = [inner(outputs.prompts, incoming.prompts)];
  if (outputs.position) terms.push(inner(outputs.position, incoming.position));
  if (outputs.gates) terms.push(inner(outputs.gates, incoming.gates));
  if (outputs.expectedLength) terms.push(tf.mul(outputs.expectedLength, penalty));
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

function constants(count: number, value: number | undefined): Int32Array {
  return new Int32Array(count).fill(nullThrows(value, 'a factor that is not learned is fixed'));
}
