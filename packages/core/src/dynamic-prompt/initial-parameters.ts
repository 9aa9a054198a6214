import type { PromptConfiguration } from '../configuration.js';
import { candidatesOf } from '../configuration.js';
import type { ParameterTensor } from '../contracts/tensor.js';
import { sizeOf } from '../contracts/tensor.js';
import { ConfigurationError } from '../errors.js';
import { stream } from '../random/stream.js';
import type { RandomStream } from '../random/stream.js';

/** What the first values of a prompt are made from. */
export interface PromptSource {
  /** d, the backbone's hidden width. */
  readonly width: number;
  readonly seed: number;
  /**
   * `count` rows of the backbone's embedding table, [count, d], from `offset` on; for initialisation `vocab`. Pool entry i
   * asks with offset i · l.
   */
  readonly rows?: ((count: number, offset: number) => Float32Array | Promise<Float32Array>) | undefined;
  /** [l, d], or [m, l, d] for a pool; for initialisation `given`. */
  readonly given?: Float32Array | undefined;
}

/**
 * First values of every trainable tensor, in checkpoint order. Logits start indifferent (weights and biases zero, the
 * length biased to its configured start), so only the prompt itself depends on rows or draws; a generated prompt starts
 * exactly at P, because U(x) starts at zero.
 *
 * | name | shape | when |
 * |---|---|---|
 * | `position.weight`, `length.weight` | [C, d], [l+1, d] | instance level |
 * | `position.bias`, `length.bias` | [C], [l+1] | task or instance level |
 * | `representation.prompt` | [l, d] | fixed, generate |
 * | `representation.pool`, `.weight`, `.bias` | [m, l, d], [m, d], [m] | select |
 * | `representation.update.weight`, `.bias`, `representation.basis` | [l·r, d], [l·r], [r, d] | generate |
 *
 * @throws ConfigurationError when the source lacks what the initialisation needs or gives the wrong number of values.
 */
export async function initialParameters(
  configuration: PromptConfiguration,
  source: PromptSource,
): Promise<Map<string, ParameterTensor>> {
  const { slots, position, length, representation } = configuration;
  const { width } = source;
  const parameters = new Map<string, ParameterTensor>();
  const add = (name: string, shape: readonly number[], values?: Float32Array): void => {
    parameters.set(name, { shape, values: values ?? new Float32Array(sizeOf(shape)) });
  };
  const addLogits = (name: string, count: number, instance: boolean, bias?: Float32Array): void => {
    if (instance) add(`${name}.weight`, [count, width]);
    add(`${name}.bias`, [count], bias);
  };

  if (position.level !== 'none') {
    addLogits('position', candidatesOf(configuration), position.level === 'instance');
  }
  if (length.level !== 'none') {
    addLogits('length', slots + 1, length.level === 'instance', lengthBias(configuration));
  }
  const random = stream(source.seed, 'initialisation');
  if (representation.kind === 'select') {
    const pool = await promptValues(configuration, source, representation.pool, random);
    add('representation.pool', [representation.pool, slots, width], pool);
    addLogits('representation', representation.pool, true);
    return parameters;
  }
  const prompt = await promptValues(configuration, source, 1, random);
  add('representation.prompt', [slots, width], prompt);
  if (representation.kind === 'generate') {
    const { rank } = representation;
    addLogits('representation.update', slots * rank, true);
    add('representation.basis', [rank, width], basisValues(prompt, rank, width, random));
  }
  return parameters;
}

/** log-odds that give the configured first length its probability and share the rest evenly. */
function lengthBias({ slots, length }: PromptConfiguration): Float32Array {
  const { initial = slots, initialProbability = 0.9 } = length;
  const bias = new Float32Array(slots + 1);
  bias[initial] = Math.log((initialProbability * slots) / (1 - initialProbability));
  return bias;
}

/** N(0, rms(P)² / r): an update with U(x) of unit variance is as large as the prompt itself. */
function basisValues(prompt: Float32Array, rank: number, width: number, random: RandomStream): Float32Array {
  const meanSquare = prompt.reduce((sum, value) => sum + value * value, 0) / prompt.length;
  const deviation = Math.sqrt((meanSquare > 0 ? meanSquare : 1 / width) / rank);
  return Float32Array.from({ length: rank * width }, () => deviation * random.normal());
}

/** [entries, l, d] */
async function promptValues(
  configuration: PromptConfiguration,
  source: PromptSource,
  entries: number,
  random: RandomStream,
): Promise<Float32Array> {
  const { slots, initialisation } = configuration;
  const entrySize = slots * source.width;
  const size = entries * entrySize;
  switch (initialisation.kind) {
    case 'uniform':
      return Float32Array.from({ length: size }, () => initialisation.range * (2 * random.uniform() - 1));
    case 'given':
      if (source.given?.length === size) return source.given.slice();
      throw unusable(
        'given',
        `has ${source.given?.length ?? 0} values, ${size} are needed`,
        `Pass given: [${entries}, ${slots}, ${source.width}], or choose another initialisation`,
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
      for (let entry = 0; entry < entries; entry++) {
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
