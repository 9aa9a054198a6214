import type { PromptConfiguration, PromptConfigurationInput } from '../configuration.js';
import { candidatesOf, parseConfiguration } from '../configuration.js';
import type { GradientRequest } from '../contracts/backbone.js';
import type { PlanGradient, PromptPlan } from '../contracts/plan.js';
import type { GradientSet, ParameterSet } from '../contracts/tensor.js';
import { ConfigurationError, DataError } from '../errors.js';
import type { RandomStream } from '../random/stream.js';
import { requireFinite, standardise } from './feature-statistics.js';
import type { FeatureStatistics } from './feature-statistics.js';
import { initialParameters } from './initial-parameters.js';
import type { PromptSource } from './initial-parameters.js';
import { differentiate, evaluate } from './networks.js';
import type { ChoiceNoise } from './relaxation.js';

/** What a dynamic prompt is created from. */
export interface DynamicPromptSource extends PromptSource {
  /** Fixed standardisation of the features; without it features are used as they are. */
  readonly featureStatistics?: FeatureStatistics | undefined;
}

/** How {@link DynamicPrompt.plan} decides. */
export type PlanOptions =
  /** Choices are sampled from `random` at temperature τ. */
  | { readonly training: true; readonly temperature: number; readonly random: RandomStream }
  /** Choices are the most probable ones; `random` is used only with `noiseAtEvaluation`. */
  | { readonly training: false; readonly random?: RandomStream | undefined };

/** What was decided for a batch, for inspection. */
export interface PlanChoices {
  /** [B] position candidate. */
  readonly position: Int32Array;
  /** [B] active tokens. */
  readonly length: Int32Array;
  /** [B, m] mixture over the pool; undefined without one. */
  readonly weights: Float32Array | undefined;
}

/** A plan and the way back from it. */
export interface PlannedBatch {
  readonly plan: PromptPlan;
  readonly choices: PlanChoices;
  /** μ · mean expected length, to be added to the loss; 0 without a penalty. */
  readonly penalty: number;
  /**
   * Gradients of loss + {@link penalty} for every parameter, straight through the choices that the plan made. Computed at
   * the parameters' present values: call it before the optimiser's step.
   *
   * @throws DataError when a gradient that {@link DynamicPrompt.request} asks for is missing or has the wrong size.
   */
  backward(gradient: PlanGradient): GradientSet;
}

/** A trainable dynamic prompt: decides where a soft prompt stands, how long it is and what it says. */
export interface DynamicPrompt {
  readonly configuration: PromptConfiguration;
  /** d */
  readonly width: number;
  /** C */
  readonly candidates: number;
  /** Trainable tensors; {@link initialParameters} lists names and shapes. */
  readonly parameters: ParameterSet;
  /** Gradients that the backbone has to deliver besides that of the prompts. */
  readonly request: GradientRequest;
  /** Whether plans depend on features; where false, `plan` ignores them. */
  readonly needsFeatures: boolean;
  readonly featureStatistics: FeatureStatistics | undefined;
  /**
   * Plans one batch. Needs a backend chosen by `selectBackend`.
   *
   * @param features [B, d] instance features of the frozen backbone; undefined is allowed where not needed.
   * @param batch B
   * @throws DataError when features do not have [B, d] finite values.
   * @throws ConfigurationError when no backend is selected, τ is not positive or a needed random stream is missing.
   */
  plan(features: Float32Array | undefined, batch: number, options: PlanOptions): PlannedBatch;
}

/**
 * Creates a dynamic prompt at its initial values.
 *
 * @throws ConfigurationError when the configuration or the source cannot be used.
 */
export async function createDynamicPrompt(
  configuration: PromptConfigurationInput | PromptConfiguration,
  source: DynamicPromptSource,
): Promise<DynamicPrompt> {
  const parsed = parseConfiguration(configuration);
  const { width, featureStatistics } = source;
  if (!Number.isInteger(width) || width < 1) {
    throw misuse('source.width', `${width} is not a width`, "Pass the backbone's width");
  }
  for (const [name, values] of Object.entries(featureStatistics ?? {})) {
    if ((values as Float32Array).length !== width) {
      throw misuse(
        `source.featureStatistics.${name}`,
        `has ${(values as Float32Array).length} values for width ${width}`,
        'Compute the statistics on features of this backbone',
      );
    }
  }
  const parameters = await initialParameters(parsed, source);
  return new TrainablePrompt(parsed, width, parameters, featureStatistics);
}

class TrainablePrompt implements DynamicPrompt {
  readonly candidates: number;
  readonly request: GradientRequest;
  readonly needsFeatures: boolean;

  constructor(
    readonly configuration: PromptConfiguration,
    readonly width: number,
    readonly parameters: ParameterSet,
    readonly featureStatistics: FeatureStatistics | undefined,
  ) {
    const { position, length, representation } = configuration;
    this.candidates = candidatesOf(configuration);
    this.request = { position: position.level !== 'none', gates: length.level !== 'none' };
    this.needsFeatures =
      position.level === 'instance' || length.level === 'instance' || representation.kind !== 'fixed';
  }

  plan(features: Float32Array | undefined, batch: number, options: PlanOptions): PlannedBatch {
    const { configuration, width, parameters } = this;
    const inputs = {
      configuration,
      width,
      parameters,
      batch: checkBatch(batch),
      features: this.#prepare(features, batch),
      noise: this.#draw(batch, options),
      temperature: checkTemperature(options.training ? options.temperature : configuration.temperature.end),
    };
    const { prompts, position, gates, length, weights, penalty } = evaluate(inputs);
    return {
      plan: {
        batch,
        slots: configuration.slots,
        width,
        prompts,
        position: { mode: configuration.position.mode, candidates: this.candidates, choice: position },
        gates,
      },
      choices: { position, length, weights },
      penalty,
      backward: (gradient) => {
        this.#checkGradient(gradient, batch);
        return differentiate(inputs, gradient);
      },
    };
  }

  #prepare(features: Float32Array | undefined, batch: number): Float32Array | undefined {
    if (!this.needsFeatures) return undefined;
    if (features?.length !== batch * this.width) {
      throw wrongSize('features', features?.length ?? 0, `[${batch}, ${this.width}]`);
    }
    requireFinite(features);
    return this.featureStatistics === undefined ? features : standardise(features, this.featureStatistics);
  }

  /** Noise is drawn in a fixed order, and only for factors that choose. */
  #draw(batch: number, options: PlanOptions): ChoiceNoise {
    const { configuration, request } = this;
    const { representation, slots, noiseAtEvaluation } = configuration;
    const pool =
      representation.kind === 'select' && representation.mixture === 'hard' ? representation.pool : undefined;
    const sampled = options.training || noiseAtEvaluation;
    const needed = sampled && (request.position || request.gates || pool !== undefined);
    const { random } = options;
    if (!needed) return { position: undefined, length: undefined, representation: undefined };
    if (random === undefined) {
      throw misuse(
        'plan options.random',
        'is missing, but choices are sampled',
        "Pass a stream, e.g. stream(seed, 'gumbel')",
      );
    }
    return {
      position: request.position ? random.gumbels(batch * this.candidates) : undefined,
      length: request.gates ? random.gumbels(batch * (slots + 1)) : undefined,
      representation: pool === undefined ? undefined : random.gumbels(batch * pool),
    };
  }

  #checkGradient(gradient: PlanGradient, batch: number): void {
    const { slots } = this.configuration;
    const check = (name: string, values: Float32Array | undefined, shape: number[]): void => {
      const size = shape.reduce((product, extent) => product * extent, 1);
      if (values?.length === size) return;
      throw wrongSize(`plan gradient.${name}`, values?.length ?? 0, `[${shape.join(', ')}]`);
    };
    check('prompts', gradient.prompts, [batch, slots, this.width]);
    if (this.request.position) check('position', gradient.position, [batch, this.candidates]);
    if (this.request.gates) check('gates', gradient.gates, [batch, slots]);
  }
}

function checkBatch(batch: number): number {
  if (Number.isInteger(batch) && batch > 0) return batch;
  throw misuse('batch', `${batch} is not a number of examples`, 'Plan for at least one example');
}

function checkTemperature(temperature: number): number {
  if (Number.isFinite(temperature) && temperature > 0) return temperature;
  throw misuse('temperature', `${temperature} is not positive`, 'Take it from temperatureAt');
}

function misuse(subject: string, problem: string, remedy: string): ConfigurationError {
  return new ConfigurationError({ packageName: '@dynaprompt/core', subject, problem, remedy });
}

function wrongSize(subject: string, actual: number, shape: string): DataError {
  return new DataError({
    packageName: '@dynaprompt/core',
    subject,
    problem: `${actual} values where ${shape} are needed`,
    remedy: 'Pass arrays of the batch that was planned',
  });
}
