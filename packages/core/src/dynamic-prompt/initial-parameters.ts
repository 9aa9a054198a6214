import type { PromptConfiguration } from '../configuration.js';
import { candidatesOf, initialCandidateOf } from '../configuration.js';
import type { ParameterTensor } from '../contracts/tensor.js';
import { sizeOf } from '../contracts/tensor.js';
import { ConfigurationError } from '../errors.js';
import { stream } from '../random/stream.js';
import type { RandomStream } from '../random/stream.js';
import { initialReparameterisation, promptName } from './reparameterisation.js';

/** What the first values of a prompt are made from. */
export interface PromptSource {
  /** d, the backbone's hidden width. */
  readonly width: number;
  readonly seed: number;
  /**
   * `count` rows of the backbone's embedding table, [count, d], from `offset` on; for initialisation `vocab`. Layer k of pool
   * entry i asks with offset (i · L + k) · l.
   */
  readonly rows?: ((count: number, offset: number) => Float32Array | Promise<Float32Array>) | undefined;
  /** [L, l, d], or [m, L, l, d] for a pool; for initialisation `given`. */
  readonly given?: Float32Array | undefined;
}

/**
 * First values of every trainable tensor, in checkpoint order. Logits start indifferent (weights and biases zero, length
 * and position biased to their configured start), so only the prompt itself depends on rows or draws; a generated prompt starts
 * exactly at P, because U(x) starts at zero, and a reparameterised one at E, because the perceptron does.
 *
 * | name | shape | when |
 * |---|---|---|
 * | `position.weight`, `length.weight` | [C, d], [l+1, d] | instance level |
 * | `position.bias`, `length.bias` | [C], [l+1] | task or instance level |
 * | `representation.prompt` | [L, l, d] | fixed, generate |
 * | `representation.pool`, `.weight`, `.bias` | [m, L, l, d], [m, d], [m] | select |
 * | `representation.update.weight`, `.bias`, `representation.basis` | [L·l·r, d], [L·l·r], [r, d] | generate |
 * | `reparameterisation.input.weight`, `.bias` | [h, d], [h] | mlp |
 * | `reparameterisation.hidden.weight`, `.bias` | [h, h], [h] | mlp |
 * | `reparameterisation.output.weight`, `.bias` | [d, h], [d] | mlp |
 *
 * An axis of L = 1 is left out. With `tasks` the biases of position, length and representation have an axis [tasks, …] in
 * front. Deep layers start as the first one does, from rows or draws of their own: VPT (Jia et al. 2022) draws all layers
 * from one uniform distribution, P-tuning v2 (Liu et al. 2022) from one normal distribution.
 *
 * @param layers L
 * @throws ConfigurationError when the source lacks what the initialisation needs or gives the wrong number of values.
 */
export async function initialParameters(
  configuration: PromptConfiguration,
  source: PromptSource,
  layers: number,
): Promise<Map<string, ParameterTensor>> {
  const { slots, position, length, representation, reparameterisation, tasks } = configuration;
  const { width, seed } = source;
  const parameters = new Map<string, ParameterTensor>();
  const add = (name: string, shape: readonly number[], values?: Float32Array): void => {
    parameters.set(name, { shape, values: values ?? new Float32Array(sizeOf(shape)) });
  };
  const addLogits = (name: string, count: number, instance: boolean, bias?: Float32Array): void => {
    if (instance) add(`${name}.weight`, [count, width]);
    if (tasks === undefined) add(`${name}.bias`, [count], bias);
    else add(`${name}.bias`, [tasks, count], bias && repeat(bias, tasks));
  };

  if (position.level !== 'none') {
    const bias = positionBias(configuration);
    addLogits('position', candidatesOf(configuration), position.level === 'instance', bias);
  }
  if (length.level !== 'none') {
    addLogits('length', slots + 1, length.level === 'instance', lengthBias(configuration));
  }
  const random = stream(seed, 'initialisation');
  const shape = [
    ...(representation.kind === 'select' ? [representation.pool] : []),
    ...(layers === 1 ? [] : [layers]),
    slots,
    width,
  ];
  const prompts = await promptValues(configuration, source, shape, random);
  const meanSquare = meanSquareOf(prompts, width);
  add(promptName(configuration), shape, prompts);
  if (representation.kind === 'select') addLogits('representation', representation.pool, true);
  if (representation.kind === 'generate') {
    const { rank } = representation;
    addLogits('representation.update', layers * slots * rank, true);
    add('representation.basis', [rank, width], basisValues(meanSquare, rank, width, random));
  }
  if (reparameterisation.kind === 'mlp') {
    const draws = stream(seed, 'reparameterisation');
    const tensors = initialReparameterisation(reparameterisation.hidden, width, meanSquare, draws);
    for (const [name, tensor] of tensors) parameters.set(name, tensor);
  }
  return parameters;
}

function positionBias(configuration: PromptConfiguration): Float32Array | undefined {
  const initial = initialCandidateOf(configuration);
  return initial === undefined
    ? undefined
    : favouring(candidatesOf(configuration), initial, configuration.position.initialProbability);
}

function lengthBias({ slots, length }: PromptConfiguration): Float32Array {
  const { initial = slots, initialProbability } = length;
  return favouring(slots + 1, initial, initialProbability);
}

/** Logits that give one of `count` choices its probability and share the rest evenly. */
function favouring(count: number, initial: number, probability = 0.9): Float32Array {
  const bias = new Float32Array(count);
  bias[initial] = Math.log((probability * (count - 1)) / (1 - probability));
  return bias;
}

/** The same values `count` times, one after the other. */
function repeat(values: Float32Array, count: number): Float32Array {
  return Float32Array.from(
    { length: count * values.length },
    (_, index) => values[index % values.length] ?? 0,
  );
}

/** rms(P)², or 1 / d for a prompt of zeros. */
function meanSquareOf(prompts: Float32Array, width: number): number {
  const meanSquare = prompts.reduce((sum, value) => sum + value * value, 0) / prompts.length;
  return meanSquare > 0 ? meanSquare : 1 / width;
}

/** N(0, rms(P)² / r): an update with U(x) of unit variance is as large as the prompt itself. */
function basisValues(meanSquare: number, rank: number, width: number, random: RandomStream): Float32Array {
  const deviation = Math.sqrt(meanSquare / rank);
  return Float32Array.from({ length: rank * width }, () => deviation * random.normal());
}

/** Values of `shape` [..., l, d]; every [l, d] of it starts from rows of its own. */
async function promptValues(
  configuration: PromptConfiguration,
  source: PromptSource,
  shape: readonly number[],
  random: RandomStream,
): Promise<Float32Array> {
  const { slots, initialisation } = configuration;
  const size = sizeOf(shape);
  const entrySize = slots * source.width;
  switch (initialisation.kind) {
    case 'uniform':
      return Float32Array.from({ length: size }, () => initialisation.range * (2 * random.uniform() - 1));
    case 'given':
      if (source.given?.length === size) return source.given.slice();
      throw unusable(
        'given',
        `has ${source.given?.length ?? 0} values, ${size} are needed`,
        `Pass given: [${shape.join(', ')}], or choose another initialisation`,
      );
    case 'vocab': {
      if (source.rows === undefined) {
        throw unusable(
          'rows',
          "is missing for initialisation 'vocab'",
          "Pass the backbone's promptRows, or choose another initialisation",
        );
      }
      const values = new Float32Array(size);
      for (let entry = 0; entry < size / entrySize; entry++) {
        const rows = await source.rows(slots, entry * slots);
        if (rows.length !== entrySize) {
          throw unusable(
            'rows',
            `gave ${rows.length} values for ${slots} rows of width ${source.width}`,
            'Return [count, d] values',
          );
        }
        values.set(rows, entry * entrySize);
      }
      return values;
    }
  }
}

function unusable(option: string, problem: string, remedy: string): ConfigurationError {
  const subject = `source.${option}`;
  return new ConfigurationError({ packageName: '@dynaprompt/core', subject, problem, remedy });
}
